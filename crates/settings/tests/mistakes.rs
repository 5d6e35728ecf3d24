//! Files and variables that are wrong, and exactly what is said about them.

use std::collections::BTreeMap;

use tidegate_settings::{Argument, Inputs, KnownProvider, SettingsFile, load};

/// What `load` says of a file; one mistake a line.
fn said(text: &str) -> String {
    said_of(text, &[], &[])
}

fn said_of(text: &str, env: &[(&str, &str)], arguments: &[Argument<'_>]) -> String {
    let env: BTreeMap<String, String> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let inputs = Inputs {
        file: Some(SettingsFile { name: "tidegate.toml", text }),
        env: &env,
        arguments,
        known: &known(),
        read_file: &|path| match path.to_str() {
            Some("/keys/empty") => Ok("\n".to_owned()),
            _ => Err("No such file or directory".to_owned()),
        },
    };
    match load(&inputs) {
        Ok(_) => "fine".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

fn known() -> Vec<KnownProvider<'static>> {
    let row = |id, aliases: &[&'static str]| KnownProvider {
        id,
        aliases: aliases.to_vec(),
        ..KnownProvider::default()
    };
    vec![row("anthropic", &["claude"]), row("google", &["gemini"]), row("openai", &[])]
}

#[test]
fn values_that_do_not_fit() {
    let cases = [
        ("[server]\nport = 99999", "2:8: server.port: 99999 is out of range; write a number from 0 to 65535"),
        (
            "[server]\nport = \"8787\"",
            "2:8: server.port: \"8787\" is not a whole number; write a number from 0 to 65535",
        ),
        (
            "[server]\nhost = \"here\"",
            "2:8: server.host: \"here\" is not an IP address; write an IP address: 127.0.0.1 for this machine only, \
             0.0.0.0 for all networks",
        ),
        ("[server]\ndata_dir = \"\"", "2:12: server.data_dir: it is empty; write a text, or leave it out"),
        (
            "[server]\nworkers = 0",
            "2:11: server.workers: 0 is out of range; write a number from 1 to 1024 or \"auto\"",
        ),
        (
            "server.grace_period = 30",
            "1:23: server.grace_period: 30 has no unit; write a number and its unit from 0ms to 1h, such as \"30s\" or \
             \"500ms\"",
        ),
        (
            "timeouts.connect = \"10 parsecs\"",
            "1:20: timeouts.connect: \"10 parsecs\" has no known unit; write a number and its unit from 1ms to 5m (units \
             ms, s, m, h), or \"off\"",
        ),
        (
            "limits.max_body = \"a lot\"",
            "1:19: limits.max_body: \"a lot\" is not a size; write a size from 1KB to 4GB, such as \"100MB\"",
        ),
        (
            "limits.max_url_bytes = \"1GB\"",
            "1:24: limits.max_url_bytes: \"1GB\" is out of range; write a size from 1KB to 64KB, such as \"100MB\"",
        ),
        ("log.format = \"xml\"", "1:14: log.format: \"xml\" is not a log format; write \"text\" or \"json\""),
        ("log.requests = 1", "1:16: log.requests: 1 is neither true nor false; write true or false"),
        (
            "egress.allow_private = [\"10.0.0.0/8\", \"http://x\"]",
            "1:24: egress.allow_private: \"http://x\" is neither a network nor a host; write a network (10.0.0.0/8), an \
             address or a host name, without scheme and port",
        ),
        (
            "egress.allow_private = \"10.0.0.0/8\"",
            "1:24: egress.allow_private: a text is not a list; write a list of texts: [\"one\", \"two\"]",
        ),
        (
            "routing.retry_budget = 20",
            "1:24: routing.retry_budget: 20 is not a share; write a number from 0 to 1, such as 0.2",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(said(file), format!("tidegate.toml:{expected}"), "{file}");
    }
}

#[test]
fn names_that_mean_nothing() {
    let cases = [
        ("[server]\nprot = 1", "2:1: server.prot: no setting has this name; did you mean server.port?"),
        ("[sever]\nport = 1", "2:1: sever.port: no setting has this name; did you mean server.port?"),
        (
            "[log]\ncolour = true",
            "2:1: log.colour: no setting has this name; remove it: [log] has format, requests",
        ),
        (
            "[frobnicate]",
            "1:2: frobnicate: no setting has this name; remove it: the sections are server, log, limits, timeouts, \
             egress, routing, models, access, rate_limits, streams, budgets, database, redis, alerts, oidc, otlp, records, sinks, console and providers",
        ),
        ("server = 1", "1:1: server: this is the name of a section; write [server] and its fields below it"),
        (
            "[models]\ndefault_provider = \"opnai\"",
            "2:20: models.default_provider: no provider is called \"opnai\"; did you mean \"openai\"?",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(said(file), format!("tidegate.toml:{expected}"), "{file}");
    }
}

#[test]
fn provider_sections() {
    let cases = [
        (
            "[providers.opnai]\n",
            "1:12: providers.opnai: no provider is called \"opnai\"; did you mean \"openai\"?",
        ),
        (
            "[providers.work]\n",
            "1:12: providers.work: no provider is called \"work\"; say which one it is: provider = \"openai\"",
        ),
        (
            "[providers.work]\nprovider = \"x\"",
            "2:12: providers.work.provider: no provider is called \"x\"; write the id of a provider, such as \"openai\"",
        ),
        (
            "[providers.openai]\napi_key = \"k\"\napi_key_env = \"HOME\"",
            "3:1: providers.openai.api_key_env: it has no effect beside api_key; keep one of them",
        ),
        (
            "[providers.openai]\napi_key_env = \"MISSING\"",
            "2:15: providers.openai.api_key_env: the variable MISSING is not set; set it, or name one that is",
        ),
        (
            "[providers.openai]\napi_key_file = \"/nowhere\"",
            "2:16: providers.openai.api_key_file: /nowhere cannot be read: No such file or directory; name a file that \
             holds the key and nothing else",
        ),
        (
            "[providers.openai]\napi_key_file = \"/keys/empty\"",
            "2:16: providers.openai.api_key_file: /keys/empty: the key is empty; name a file that holds the key and \
             nothing else",
        ),
        (
            "[providers.openai]\nbase_url = \"api.example.com\"",
            "2:12: providers.openai.base_url: it does not begin with https:// or http://; write a URL such as \
             \"https://api.example.com/v1\"",
        ),
        (
            "[providers.openai]\nmodels = []",
            "2:10: providers.openai.models: no model could be called; leave it out to allow all models",
        ),
        (
            "[providers.openai]\napikey = \"k\"",
            "2:1: providers.openai.apikey: no setting has this name; did you mean api_key?",
        ),
        (
            "[providers.openai]\noptions.account = {a = 1}",
            "2:19: providers.openai.options.account: a section is not a text; write it as JSON between '''",
        ),
        (
            "[providers.\"Open AI\"]\nprovider = \"openai\"",
            "1:12: providers.Open AI: requests could not name it; use up to 64 lower-case letters, digits, `-`, `_` and \
             `.`",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(said(file), format!("tidegate.toml:{expected}"), "{file}");
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_their_places() {
    let file = "[server]\nport = -1\nhsot = \"::1\"\n\n[log]\nformat = \"xml\"\n";
    let flag = Argument { flag: "--port", field: "server.port", value: "many" };
    let expected = "\
tidegate.toml:2:8: server.port: -1 is out of range; write a number from 0 to 65535
tidegate.toml:3:1: server.hsot: no setting has this name; did you mean server.host?
tidegate.toml:6:10: log.format: \"xml\" is not a log format; write \"text\" or \"json\"
TIDEGATE_LGO_FORMAT: no setting has this variable; did you mean TIDEGATE_LOG_FORMAT?
TIDEGATE_WORKERS: no setting has this variable; unset it: every variable that begins with TIDEGATE_ must be a setting
--port: server.port: `many` is not a whole number; write a number from 0 to 65535";
    let env =
        [("TIDEGATE_LGO_FORMAT", "json"), ("TIDEGATE_WORKERS", "4"), ("TIDEGATE_CONFIG", "tidegate.toml")];
    assert_eq!(said_of(file, &env, &[flag]), expected);
}

#[test]
fn settings_without_effect() {
    let env = [("TIDEGATE_PORT", "1"), ("TIDEGATE_SERVER_PORT", "2")];
    assert_eq!(
        said_of("", &env, &[]),
        "TIDEGATE_SERVER_PORT: server.port: TIDEGATE_PORT sets the same field to another value; unset one of them"
    );
    assert_eq!(
        said("[timeouts]\nfirst_byte = \"2m\"\nrequest = \"30s\""),
        "tidegate.toml:2:14: timeouts.first_byte: it has no effect: timeouts.request ends every wait after 30s; make it \
         shorter, or timeouts.request longer"
    );
    assert_eq!(said("[timeouts]\nrequest = \"30s\""), "fine", "a default is no mistake of the writer");
}

#[test]
fn one_mistake_is_said_once() {
    let file = "[models]\ndefault_provider = \"work\"\n[providers.work]\napi_key = \"k\"";
    assert_eq!(
        said(file),
        "tidegate.toml:3:12: providers.work: no provider is called \"work\"; say which one it is: provider = \"openai\""
    );
}

#[test]
fn long_values_are_cut() {
    let file = format!("log.format = \"{}\"", "x".repeat(1_000));
    let expected = format!(
        "tidegate.toml:1:14: log.format: \"{}…\" is not a log format; write \"text\" or \"json\"",
        "x".repeat(60)
    );
    assert_eq!(said(&file), expected);
}

#[test]
fn syntax() {
    let said = said("[server\nport = 1\nport = 2");
    let mut lines = said.lines();
    assert!(lines.next().unwrap().starts_with("tidegate.toml:1:"), "{said}");
    assert!(said.lines().all(|line| line.ends_with("; correct the TOML here")), "{said}");

    let env = [("TIDEGATE_MODELS_DEFAULT_PROVIDER", "work"), ("TIDEGATE_PORT", "x")];
    let said = said_of("[providers.work", &env, &[]);
    assert!(!said.contains("default_provider"), "what the file says of it is not known: {said}");
    assert!(said.contains("TIDEGATE_PORT"), "{said}");
}

#[test]
fn no_message_holds_a_key() {
    let files = [
        "[providers.openai]\napi_key = [\"sk-secret\"]",
        "[providers.openai]\napi_key = \"sk-secret\\n\"",
        "[providers.openai]\nbase_url = \"https://user:sk-secret@host\"",
        "[providers.openai]\napi_key = \"sk-secret\"\napi_key_file = \"x\"",
        "[providers.openai]\napi_keyx = \"sk-secret\"",
    ];
    for file in files {
        let said = said(file);
        assert!(said != "fine" && !said.contains("sk-secret"), "{said}");
    }
}

#[test]
fn warehouses() {
    let cases = [
        (
            "[sinks.s3]\nbucket = \"b\"",
            "2:10: sinks.s3.bucket: objects cannot be signed without a key; write sinks.s3.access_key_id and \
             sinks.s3.secret_access_key",
        ),
        (
            "[sinks.s3]\nendpoint = \"https://a\"",
            "2:12: sinks.s3.endpoint: it has no effect without sinks.s3.bucket; name the bucket, or remove this",
        ),
        (
            "[sinks.clickhouse]\npassword = \"p\"",
            "2:12: sinks.clickhouse.password: it has no effect without sinks.clickhouse.url; write the address, or \
             remove this",
        ),
        (
            "[sinks.clickhouse]\ntable = \"a-b\"",
            "2:9: sinks.clickhouse.table: \"a-b\" is no name; write letters, digits and _",
        ),
        (
            "[sinks.clickhouse]\nurl = \"https://a\"\n[records]\nenabled = false",
            "2:7: sinks.clickhouse.url: it has no effect without records.enabled: what is sent are records; switch \
             records on, or remove this",
        ),
        ("sinks = 1", "1:1: sinks: this is the name of a section; write [sinks] and its fields below it"),
        (
            "[sinks.s3]\nbuket = 1",
            "2:1: sinks.s3.buket: no setting has this name; did you mean sinks.s3.bucket?",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(said(file), format!("tidegate.toml:{expected}"), "{file}");
    }
}
