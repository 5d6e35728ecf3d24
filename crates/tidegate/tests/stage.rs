//! What every test needs: the binary with a directory, an environment and settings of its own, and requests to ask it.

use std::fmt::Display;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::fake::story::TIDE;
use tidegate_testkit::{Gateway, Scratch, Scripted, Server};

/// Only a broken build waits this long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The settings file.
const FILE: &str = "tidegate.toml";

/// What the first line says, before the address.
const LISTENING: &str = "listening on http://";

pub const CHAT: &str = "/v1/chat/completions";
pub const MESSAGES: &str = "/v1/messages";

/// Which target answered.
pub const INDEX: &str = "x-portkey-last-used-option-index";

/// How the binary is to be started.
#[derive(Default)]
pub struct Setup {
    settings: String,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    configs: Vec<(String, String)>,
    port: u16,
    directory: Option<Scratch>,
}

impl Setup {
    /// Lines of the settings file.
    pub fn settings(mut self, toml: &str) -> Self {
        self.settings.push_str(toml);
        self.settings.push('\n');
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// The text of a saved config.
    pub fn config(mut self, id: &str, config: impl Display) -> Self {
        self.configs.push((id.to_owned(), config.to_string()));
        self
    }

    /// A data directory that holds something already.
    pub fn directory(mut self, directory: Scratch) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Where it listens; any free port otherwise.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Runs `tidegate check`, or another subcommand that ends by itself.
    pub fn ended(mut self, subcommand: &str) -> Output {
        let directory = self.write();
        let mut command = Command::new(binary());
        command.arg(subcommand).arg("--config").arg(directory.path().join(FILE));
        command.arg("--data-dir").arg(directory.path()).env_clear().envs(self.environment);
        command.output().unwrap()
    }

    /// Starts it and waits until it listens.
    pub async fn start(mut self) -> Tidegate {
        let directory = self.write();
        let file = directory.path().join(FILE).display().to_string();
        let data = directory.path().display().to_string();
        let port = self.port.to_string();
        let mut arguments = vec!["serve", "--port", &port, "--data-dir", &data, "--config", &file];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut process = Gateway::start(binary(), &arguments, &environment, LISTENING).await;
        let line = process.wait_for(LISTENING).await;
        let port = line.split_once(LISTENING).and_then(|(_, rest)| rest.split([':', '"']).nth(1)).unwrap();
        let address = format!("127.0.0.1:{port}");
        Tidegate { process, directory, address }
    }

    /// The data directory, with the settings file in it.
    fn write(&mut self) -> Scratch {
        let directory = self.directory.take().unwrap_or_default();
        directory.write(FILE, &self.settings);
        std::fs::create_dir(directory.path().join("configs")).unwrap();
        for (id, config) in &self.configs {
            directory.write(&format!("configs/{id}.json"), config);
        }
        directory
    }
}

pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tidegate"))
}

/// A running gateway.
pub struct Tidegate {
    pub process: Gateway,
    /// Its data directory, which holds `tidegate.toml` too.
    pub directory: Scratch,
    address: String,
}

impl Tidegate {
    /// With nothing set.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Answer {
        client::get(&self.url(path), &[]).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        client::post(&self.url(path), headers, body).await
    }

    /// A chat whose config is `config`.
    pub async fn ask(&self, config: &Value, body: &Value) -> Answer {
        self.post(CHAT, &[("x-portkey-config", &config.to_string())], body).await
    }

    /// The value of one line of `/metrics`: a name with its labels, as written there. 0 for a line that is not there.
    pub async fn metric(&self, series: &str) -> u64 {
        let page = self.get("/metrics").await.text();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// Returns once the line has this value.
    pub async fn wait_for_metric(&self, series: &str, value: u64) {
        let started = Instant::now();
        loop {
            let now = self.metric(series).await;
            if now == value {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{series} stays at {now}, {value} was due");
        }
    }

    /// Returns once the process has at most this many file descriptors.
    pub async fn wait_for_descriptors(&self, most: usize) {
        let started = Instant::now();
        loop {
            let now = self.descriptors();
            if now <= most {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{now} descriptors are open, at most {most} were due");
            tokio::task::yield_now().await;
        }
    }

    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// Resident memory in kB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.process.id().unwrap())
    }

    /// Everything the process wrote, as one text.
    pub fn printed(&self) -> String {
        self.process.output().join("\n")
    }
}

/// A chat request that every upstream of the test kit takes.
pub fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "High water?"}]})
}

pub fn streamed(model: &str) -> Value {
    let mut body = chat(model);
    body["stream"] = json!(true);
    body
}

/// A request for `/v1/messages`.
pub fn messages(model: &str, stream: bool) -> Value {
    let mut body = chat(model);
    body["max_tokens"] = json!(1_000);
    body["stream"] = json!(stream);
    body
}

/// A config with one target.
pub fn target(provider: &str, host: &str) -> Value {
    json!({"provider": provider, "api_key": "sk-of-the-test", "custom_host": host})
}

/// A config whose one target asks the scripted upstream for `model`.
pub fn scripted(upstream: &Server<Scripted>, model: &str) -> Value {
    let mut target = target("openai", &upstream.url());
    target["override_params"] = json!({"model": model});
    target
}

pub fn fallback(targets: &[Value]) -> Value {
    json!({"strategy": {"mode": "fallback"}, "targets": targets})
}

/// Settings of a provider `slug` at `base`, with the key `key-<slug>`.
pub fn held(base: &str, slug: &str) -> String {
    format!("[providers.{slug}]\nprovider = 'openai'\napi_key = 'key-{slug}'\nbase_url = '{base}'\n")
}

/// The text of a chat answer, streamed or not.
pub fn said(answer: &Answer) -> String {
    let whole = answer.json();
    if !whole.is_null() {
        return whole["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
    }
    let deltas = answer.event_data();
    deltas.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

/// The text of an answer of `/v1/messages`, streamed or not.
pub fn messages_said(answer: &Answer) -> String {
    let whole = answer.json();
    if !whole.is_null() {
        return whole["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    }
    answer.event_data().iter().filter_map(|event| event["delta"]["text"].as_str()).collect()
}

/// Some of the story's text, and an error in the client's dialect as the last event.
pub fn assert_ends_in_an_error_event(answer: &Answer, path: &str, case: &str) {
    assert_eq!((answer.status, &answer.broken), (200, &None), "{case}: {}", answer.text());
    let text = if path == MESSAGES { messages_said(answer) } else { said(answer) };
    assert!(!text.is_empty() && TIDE.starts_with(&text), "{case}: {text:?}");
    let last = answer.events().pop().unwrap_or_else(|| panic!("{case}: no event"));
    let body = last.json();
    assert!(body["error"]["message"].is_string() && body["error"]["type"].is_string(), "{case}: {last:?}");
    if path == MESSAGES {
        assert_eq!((last.name.as_str(), &body["type"]), ("error", &json!("error")), "{case}");
    }
}
