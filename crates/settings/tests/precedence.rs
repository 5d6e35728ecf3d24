//! Which value wins, where it came from, and what is found by itself.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_settings::{
    Argument, EXAMPLE, Inputs, KnownProvider, OTHER_VARIABLES, PrivateTarget, Settings, SettingsFile, load,
};

fn loaded(text: &str, env: &[(&str, &str)], arguments: &[Argument<'_>]) -> Settings {
    let env: BTreeMap<String, String> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let inputs = Inputs {
        file: Some(SettingsFile { name: "tidegate.toml", text }),
        env: &env,
        arguments,
        known: &known(),
        read_file: &|_| Ok("sk-file\n".to_owned()),
    };
    load(&inputs).unwrap()
}

fn known() -> Vec<KnownProvider<'static>> {
    vec![
        KnownProvider {
            id: "anthropic",
            aliases: vec!["claude"],
            key_variables: vec!["ANTHROPIC_API_KEY"],
            base_url_variables: vec![("ANTHROPIC_BASE_URL", "/v1")],
            ..KnownProvider::default()
        },
        KnownProvider {
            id: "bedrock",
            option_variables: vec![
                ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
                ("AWS_REGION", "aws_region"),
                ("AWS_DEFAULT_REGION", "aws_region"),
            ],
            ..KnownProvider::default()
        },
        KnownProvider {
            id: "openai",
            key_variables: vec!["OPENAI_API_KEY", "OPENAI_KEY"],
            base_url_variables: vec![("OPENAI_BASE_URL", "")],
            ..KnownProvider::default()
        },
        KnownProvider {
            id: "vllm",
            base_url_variables: vec![("VLLM_API_BASE", "")],
            keyless: true,
            ..KnownProvider::default()
        },
    ]
}

fn slugs(settings: &Settings) -> Vec<&str> {
    settings.providers.iter().map(|provider| provider.slug.as_str()).collect()
}

fn key<'s>(settings: &'s Settings, slug: &str) -> Option<&'s str> {
    settings.provider(slug).unwrap().api_key.as_ref().map(tidegate_core::Secret::expose)
}

/// `field = value (source)` of one field in force.
fn in_force(settings: &Settings, field: &str) -> String {
    let line = settings.effective().into_iter().find(|line| line.field == field).unwrap();
    format!("{} ({})", line.value, line.source)
}

#[test]
fn nothing_written_is_the_defaults() {
    let settings = loaded("", &[], &[]);
    assert_eq!(settings.server, Settings::default().server);
    assert_eq!((settings.server.host.to_string(), settings.server.port), ("127.0.0.1".to_owned(), 8787));
    assert!(settings.providers.is_empty());
    assert_eq!(in_force(&settings, "server.port"), "8787 (default)");
}

#[test]
fn the_example_is_the_defaults_and_forgets_none() {
    let example = loaded(EXAMPLE, &[], &[]).effective();
    let defaults = Settings::default().effective();
    for (written, default) in example.iter().zip(&defaults) {
        assert_eq!((&written.field, &written.value), (&default.field, &default.value));
        let name = written.field.rsplit('.').next().unwrap();
        assert!(
            EXAMPLE.contains(&format!("\n{name} =")) || EXAMPLE.contains(&format!("\n# {name} =")),
            "{name}"
        );
    }
    assert_eq!(example.len(), defaults.len());
}

#[test]
fn what_kubernetes_says_of_a_service_of_our_name_is_no_setting() {
    let env = [
        ("TIDEGATE_PORT", "tcp://10.0.0.1:8787"),
        ("TIDEGATE_PORT_8787_TCP", "tcp://10.0.0.1:8787"),
        ("TIDEGATE_PORT_8787_TCP_ADDR", "10.0.0.1"),
        ("TIDEGATE_SERVICE_HOST", "10.0.0.1"),
        ("TIDEGATE_SERVICE_PORT_HTTP", "8787"),
    ];
    assert_eq!(loaded("", &env, &[]).server, Settings::default().server);
}

#[test]
fn variables_of_the_command_line_are_no_settings() {
    for name in OTHER_VARIABLES {
        assert_eq!(slugs(&loaded("", &[(name, "x")], &[])).len(), 0, "{name}");
    }
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file() {
    let file = "[server]\nport = 1\n";
    let flag = Argument { flag: "--port", field: "server.port", value: "5" };
    let port = |env: &[(&str, &str)], arguments| in_force(&loaded(file, env, arguments), "server.port");
    assert_eq!(port(&[], &[]), "1 (tidegate.toml:2:8)");
    assert_eq!(port(&[("PORT", "2")], &[]), "2 (PORT)");
    assert_eq!(port(&[("PORT", "2"), ("TIDEGATE_PORT", "3")], &[]), "3 (TIDEGATE_PORT)");
    assert_eq!(port(&[("PORT", "2"), ("TIDEGATE_SERVER_PORT", "4")], &[]), "4 (TIDEGATE_SERVER_PORT)");
    assert_eq!(port(&[("TIDEGATE_PORT", "3")], &[flag]), "5 (--port)");
    let empty = loaded(file, &[("TIDEGATE_PORT", "")], &[]);
    assert_eq!(empty.server.port, 1, "a variable without a value is not set");
}

#[test]
fn every_kind_of_value_can_be_written() {
    let file = r#"
        [server]
        host = "::1"
        grace_period = "2m"
        workers = 3
        [log]
        format = "json"
        requests = false
        [limits]
        max_body = 1048576
        max_json_depth = 64
        [timeouts]
        connect = "500ms"
        between_chunks = "off"
        [egress]
        allow_private = ["10.1.2.3/8", "192.168.1.5", "GPU.corp"]
        extra_ca_file = "/etc/ca.pem"
        [routing]
        retry_budget = 1
    "#;
    let settings = loaded(file, &[("TIDEGATE_LIMITS_MAX_HEADER_BYTES", "32KB")], &[]);
    assert_eq!(settings.server.host.to_string(), "::1");
    assert_eq!(settings.server.grace_period, Duration::from_secs(120));
    assert_eq!(settings.server.workers.unwrap().get(), 3);
    assert!(!settings.log.requests);
    assert_eq!((settings.limits.max_body, settings.limits.max_header_bytes), (1 << 20, 32 << 10));
    assert_eq!(settings.timeouts.connect, Some(Duration::from_millis(500)));
    assert_eq!(settings.timeouts.between_chunks, None);
    let allowed: Vec<_> = settings.egress.allow_private.clone();
    let network = |text: &str| PrivateTarget::Network(text.parse().unwrap());
    let host = PrivateTarget::Host("gpu.corp".to_owned());
    assert_eq!(allowed, [network("10.0.0.0/8"), network("192.168.1.5/32"), host]);
    assert_eq!(settings.routing.retry_budget, 1.0);
}

#[test]
fn keys_come_as_text_by_variable_or_from_a_file() {
    let file = r#"
        [providers.openai]
        api_key = "sk-text"
        [providers.eu]
        provider = "openai"
        api_key_env = "EU_KEY"
        base_url = "https://eu.api.openai.com/v1/"
        models = ["gpt-4o"]
        options = { openai_project = "p", retries = 3 }
        [providers.claude]
        api_key_file = "/run/key"
    "#;
    let settings =
        loaded(file, &[("EU_KEY", "sk-eu"), ("TIDEGATE_PROVIDERS_EU_OPTIONS_OPENAI_PROJECT", "q")], &[]);
    assert_eq!(slugs(&settings), ["claude", "eu", "openai"]);
    assert_eq!(key(&settings, "openai"), Some("sk-text"));
    assert_eq!(key(&settings, "eu"), Some("sk-eu"));
    assert_eq!(key(&settings, "claude"), Some("sk-file"));
    let eu = settings.provider("eu").unwrap();
    assert_eq!(eu.provider, "openai");
    assert_eq!(eu.base_url.as_deref(), Some("https://eu.api.openai.com/v1"));
    assert_eq!(eu.options["openai_project"].expose(), "q");
    assert_eq!(eu.options["retries"].expose(), "3");
    assert_eq!(settings.provider("claude").unwrap().provider, "anthropic", "a slug that is an alias");
    assert_eq!(in_force(&settings, "providers.eu.api_key_env"), "*** (tidegate.toml:6:23)");
    assert_eq!(
        in_force(&settings, "providers.eu.options.openai_project"),
        "*** (TIDEGATE_PROVIDERS_EU_OPTIONS_OPENAI_PROJECT)"
    );
}

#[test]
fn the_environment_names_providers_with_hyphens_and_endings_of_keys() {
    let env = [
        ("TIDEGATE_PROVIDERS_MY_TEAM_PROVIDER", "openai"),
        ("TIDEGATE_PROVIDERS_MY_TEAM_API_KEY_ENV", "TEAM"),
        ("TIDEGATE_PROVIDERS_MY_TEAM_MODELS", "gpt-4o, o3"),
        ("TEAM", "sk-team"),
    ];
    let settings = loaded("", &env, &[]);
    assert_eq!(slugs(&settings), ["my-team"]);
    assert_eq!(key(&settings, "my-team"), Some("sk-team"));
    assert_eq!(settings.providers[0].models, ["gpt-4o", "o3"]);

    let file = "[providers.my_team]\nprovider = \"openai\"\napi_key = \"sk-file\"";
    let settings = loaded(file, &env, &[]);
    assert_eq!(slugs(&settings), ["my_team"], "the file's spelling is kept");
    assert_eq!(key(&settings, "my_team"), Some("sk-team"), "and its key gives way");
}

#[test]
fn conventional_variables_make_providers() {
    let env = [
        ("OPENAI_KEY", "sk-second"),
        ("ANTHROPIC_API_KEY", "sk-ant"),
        ("ANTHROPIC_BASE_URL", "https://proxy.example/"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("VLLM_API_BASE", "http://gpu:8000/v1"),
    ];
    let settings = loaded("", &env, &[]);
    assert_eq!(slugs(&settings), ["anthropic", "openai", "vllm"], "a region alone is no provider");
    assert_eq!(settings.provider("anthropic").unwrap().base_url.as_deref(), Some("https://proxy.example/v1"));
    assert_eq!(in_force(&settings, "providers.openai.api_key"), "*** (OPENAI_KEY)");

    let env = [env.as_slice(), &[("AWS_SECRET_ACCESS_KEY", "s")]].concat();
    let settings = loaded("", &env, &[]);
    assert_eq!(settings.provider("bedrock").unwrap().options["aws_region"].expose(), "eu-west-1");
}

#[test]
fn conventional_variables_fill_only_what_is_open() {
    let env = [("OPENAI_API_KEY", "sk-env"), ("OPENAI_BASE_URL", "https://env.example/v1")];
    let file = r#"
        [providers.openai]
        base_url = "https://file.example/v1"
        [providers.other]
        provider = "openai"
    "#;
    let settings = loaded(file, &env, &[]);
    let openai = settings.provider("openai").unwrap();
    assert_eq!(key(&settings, "openai"), Some("sk-env"));
    assert_eq!(openai.base_url.as_deref(), Some("https://file.example/v1"));
    assert_eq!(key(&settings, "other"), None, "a provider of another name has keys of its own");
}

#[test]
fn nothing_prints_a_secret() {
    let file = "[providers.openai]\napi_key = \"sk-hidden\"\noptions.token = \"t-hidden\"\n";
    let settings = loaded(file, &[("ANTHROPIC_API_KEY", "sk-ant-hidden")], &[]);
    let printed = format!("{settings:?} {:?}", settings.effective());
    assert!(printed.contains("providers.openai.api_key") && !printed.contains("hidden"), "{printed}");
}
