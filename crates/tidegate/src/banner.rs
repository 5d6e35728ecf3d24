//! What the terminal shows at the start: where the gateway listens, what is on, what is off, one command to try.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;

use tidegate_access::door::Origin;
use tidegate_control::{AdminKey, FirstStart};
use tidegate_settings::{LogFormat, Settings};

/// The line that says the gateway takes requests; scripts wait for it.
pub fn listening(address: SocketAddr) -> String {
    format!("tidegate {} listening on http://{address}", env!("CARGO_PKG_VERSION"))
}

pub fn show(settings: &Settings, first: &FirstStart, address: SocketAddr, file: Option<&std::path::Path>) {
    let text = match settings.log.format {
        LogFormat::Text => text(settings, address, file) + &once(settings, first, address),
        LogFormat::Json => {
            let line = serde_json::json!({"event": "listening", "message": listening(address), "url": format!("http://{address}")});
            format!("{line}\n") + &first_link(first, address).map_or_else(String::new, |line| line + "\n")
        }
    };
    // A closed standard output is no reason not to serve.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// What is told once: afterwards there are hashes only.
fn once(settings: &Settings, first: &FirstStart, address: SocketAddr) -> String {
    let mut text = String::new();
    if let AdminKey::Made(key) = &first.key {
        let file = settings.server.data_dir.join(tidegate_cli::ADMIN_KEY_FILE);
        let _ = write!(
            text,
            "  Admin key  {}\n             shown once; `tidegate keys create my-app` uses the copy in {}\n",
            key.expose(),
            file.display()
        );
    }
    if let Some(token) = &first.link {
        let _ = writeln!(text, "  Sign in    http://{address}/sign-in?token={} (once)", token.expose());
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The link by which the first administrator signs in, as a line of a log of JSON. It works once, and not for long; the
/// admin key, which does not end, stays in its file.
fn first_link(first: &FirstStart, address: SocketAddr) -> Option<String> {
    let token = first.link.as_ref()?.expose();
    let link = format!("http://{address}/sign-in?token={token}");
    Some(serde_json::json!({"event": "sign_in_link", "message": "sign in once", "url": link}).to_string())
}

/// For the operator, on standard error.
pub fn note(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "tidegate: {message}");
}

fn text(settings: &Settings, address: SocketAddr, file: Option<&std::path::Path>) -> String {
    let mut text = listening(address);
    let names: Vec<&str> = settings.providers.iter().map(|provider| provider.slug.as_str()).collect();
    let providers = if names.is_empty() {
        "none held; callers bring their own keys (set OPENAI_API_KEY, ANTHROPIC_API_KEY, … or [providers])"
            .to_owned()
    } else {
        names.join(", ")
    };
    let from = file.map_or_else(|| "defaults and environment".to_owned(), |file| file.display().to_string());
    let log = match (settings.log.requests, settings.log.format) {
        (false, _) => "off",
        (true, LogFormat::Text) => "one line per request, text",
        (true, LogFormat::Json) => "one line per request, JSON",
    };
    let off_loopback = if settings.server.host.is_loopback() {
        "this machine only"
    } else {
        match settings.access.keyless {
            Origin::Anywhere if names.is_empty() => {
                "EVERYONE who can reach this address; callers need no API key (access.keyless)"
            }
            Origin::Anywhere => {
                "EVERYONE who can reach this address, with the provider keys held here (access.keyless)"
            }
            Origin::Loopback | Origin::Nowhere => {
                "whoever has an API key: `tidegate keys create my-app` makes one"
            }
        }
    };
    let console = if settings.console.enabled {
        format!("http://{address}/console/")
    } else {
        "off (console.enabled)".to_owned()
    };
    let _ = write!(
        text,
        "\n\n  API        http://{address}/v1   (OpenAI, Anthropic and Portkey clients)\
         \n  Console    {console}\
         \n  Open to    {off_loopback}\
         \n  Settings   {from}\
         \n  Providers  {providers}\
         \n  Log        {log}\
         \n  Metrics    http://{address}/metrics\
         \n  Off        caching\
         \n\n  Try it, no key needed:\n\n    curl http://{address}/v1/chat/completions -H 'content-type: application/json' \\\n      -d '{{\"model\": \"@demo/echo\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"Hello!\"}}]}}'\n\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_is_the_one_scripts_wait_for() {
        let address = "127.0.0.1:8787".parse().unwrap();
        let shown = text(&Settings::default(), address, None);
        assert!(shown.lines().next().unwrap().ends_with("listening on http://127.0.0.1:8787"));
        assert!(shown.contains("@demo/echo"));
        assert!(shown.contains("http://127.0.0.1:8787/console/"));
    }
}
