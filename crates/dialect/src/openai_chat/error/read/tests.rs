use super::*;

struct Want {
    kind: ErrorKind,
    message: &'static str,
    vendor_type: Option<&'static str>,
    code: Option<&'static str>,
    param: Option<&'static str>,
}

fn want(kind: ErrorKind, message: &'static str) -> Want {
    Want { kind, message, vendor_type: None, code: None, param: None }
}

#[test]
fn shapes_of_each_vendor() {
    use ErrorKind::*;
    let cases: Vec<(&str, u16, &str, Want)> = vec![
        (
            "openai",
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error","param":"messages","code":"invalid_value"}}"#,
            Want {
                vendor_type: Some("invalid_request_error"),
                code: Some("invalid_value"),
                param: Some("messages"),
                ..want(BadRequest, "bad")
            },
        ),
        (
            "openai, quota",
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            Want {
                vendor_type: Some("insufficient_quota"),
                code: Some("insufficient_quota"),
                ..want(Quota, "You exceeded your current quota")
            },
        ),
        (
            "openai, context by words",
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
            want(ContextTooLong, "This model's maximum context length is 8192 tokens."),
        ),
        (
            "azure, blocked prompt",
            400,
            r#"{"error":{"message":"filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Want { code: Some("content_filter"), param: Some("prompt"), ..want(ContentBlocked, "filtered") },
        ),
        (
            "azure, key",
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key."}}"#,
            Want { code: Some("401"), ..want(Auth, "Access denied due to invalid subscription key.") },
        ),
        (
            "mistral, validator",
            422,
            r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted","input":"u"}]},"type":"invalid_request_error","param":null,"code":null}"#,
            Want {
                vendor_type: Some("invalid_request_error"),
                ..want(BadRequest, "body.user: Extra inputs are not permitted")
            },
        ),
        (
            "fastapi",
            422,
            r#"{"detail":[{"loc":["body","messages",0],"msg":"field required"}]}"#,
            Want { param: Some("body.messages.0"), ..want(BadRequest, "body.messages.0: field required") },
        ),
        ("detail text", 404, r#"{"detail":"Not Found"}"#, want(NotFound, "Not Found")),
        ("mistral, key", 401, r#"{"message":"Unauthorized","request_id":"r1"}"#, want(Auth, "Unauthorized")),
        (
            "together, text",
            500,
            r#"{"error":"boom","error_type":"internal"}"#,
            Want { vendor_type: Some("internal"), ..want(UpstreamBroken, "boom") },
        ),
        (
            "openrouter",
            402,
            r#"{"error":{"code":402,"message":"Insufficient credits"},"user_id":"u"}"#,
            Want { code: Some("402"), ..want(Quota, "Insufficient credits") },
        ),
        (
            "fireworks, edge",
            503,
            r#"{"fault":{"faultstring":"upstream down","detail":{"errorcode":"messaging.adaptors"}}}"#,
            Want { code: Some("messaging.adaptors"), ..want(Overloaded, "upstream down") },
        ),
        (
            "watsonx",
            404,
            r#"{"errors":[{"code":"model_not_supported","message":"no such model","more_info":"x"}],"trace":"t","status_code":404}"#,
            Want { code: Some("model_not_supported"), ..want(NotFound, "no such model") },
        ),
        (
            "workers ai",
            429,
            r#"{"success":false,"errors":[{"code":3040,"message":"No more data centers"}],"result":null}"#,
            Want { code: Some("3040"), ..want(RateLimit, "No more data centers") },
        ),
        (
            "xai, outside chat",
            400,
            r#"{"code":"Client specified an invalid argument","error":"bad model"}"#,
            Want { code: Some("Client specified an invalid argument"), ..want(BadRequest, "bad model") },
        ),
        (
            "azure inference",
            422,
            r#"{"status":422,"code":"parameter_not_supported","detail":{"loc":["body","n"],"input":"2"}}"#,
            Want {
                code: Some("parameter_not_supported"),
                param: Some("body.n"),
                ..want(BadRequest, "HTTP status 422")
            },
        ),
        (
            "databricks",
            400,
            r#"{"error_code":"BAD_REQUEST","message":"no"}"#,
            Want { code: Some("BAD_REQUEST"), ..want(BadRequest, "no") },
        ),
        (
            "groq, tokens per minute",
            413,
            r#"{"error":{"message":"Request too large","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Want {
                vendor_type: Some("tokens"),
                code: Some("rate_limit_exceeded"),
                ..want(RateLimit, "Request too large")
            },
        ),
        ("groq, flex", 498, r#"{"error":{"message":"capacity"}}"#, want(Overloaded, "capacity")),
        ("list", 400, r#"[{"error":{"message":"bad"}}]"#, want(BadRequest, "bad")),
        (
            "html",
            502,
            "<html><head><title>502 Bad Gateway</title></head></html>",
            want(UpstreamBroken, "HTTP status 502 with an HTML page: 502 Bad Gateway"),
        ),
        ("html without title", 401, "<!DOCTYPE html>", want(Auth, "HTTP status 401 with an HTML page")),
        ("plain text", 401, "Unauthorized\n", want(Auth, "Unauthorized")),
        ("empty", 500, "", want(UpstreamBroken, "HTTP status 500")),
        ("empty error", 500, r#"{"error":{}}"#, want(UpstreamBroken, "HTTP status 500")),
    ];
    for (name, status, body, want) in cases {
        let error = read(status, body.as_bytes());
        assert_eq!((error.kind, error.status), (want.kind, status), "{name}");
        assert_eq!(error.message, want.message, "{name}");
        assert_eq!(error.vendor_type.as_deref(), want.vendor_type, "{name}");
        assert_eq!(error.code.as_deref(), want.code, "{name}");
        assert_eq!(error.param.as_deref(), want.param, "{name}");
    }
}

#[test]
fn waits_and_request_ids_are_found() {
    let error = read(429, br#"{"error":{"message":"retry after 6 seconds","code":"429"},"request_id":"r"}"#);
    assert_eq!((error.retry_after_ms, error.request_id.as_deref()), (Some(6_000), Some("r")));
    let error = read(429, br#"{"error":{"message":"slow down","retry_after":1.5}}"#);
    assert_eq!(error.retry_after_ms, Some(1_500));
}

#[test]
fn health_counts_only_what_the_provider_did() {
    for (status, body, fault) in [
        (429, r#"{"error":{"code":"insufficient_quota"}}"#, Fault::Caller),
        (429, "{}", Fault::Provider),
        (500, "{}", Fault::Provider),
        (401, "{}", Fault::Caller),
    ] {
        assert_eq!(read(status, body.as_bytes()).fault, fault, "{status} {body}");
    }
}

#[test]
fn errors_hidden_in_success_are_seen() {
    let seen = |text: &str| in_success(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap());
    for (text, status, message) in [
        (r#"{"error":{"code":429,"message":"busy"}}"#, 429, "busy"),
        (r#"{"error":"broken"}"#, 502, "broken"),
        (r#"{"error":{"message":"long","code":"context_length_exceeded"}}"#, 400, "long"),
        (r#"{"error":{"message":"x","type":"overloaded_error"}}"#, 503, "x"),
        (r#"{"error":{"message":"x","type":"rate_limit_error","code":"1300"}}"#, 429, "x"),
        (r#"{"error":{"message":"x","type":"invalid_request_error","code":"model_not_found"}}"#, 404, "x"),
        (r#"{"base_resp":{"status_code":1002,"status_msg":"rate limit"},"choices":null}"#, 429, "rate limit"),
        (r#"{"base_resp":{"status_code":1,"status_msg":""}}"#, 502, "HTTP status 502"),
        (r#"{"success":false,"errors":[{"code":5007,"message":"no such model"}]}"#, 502, "no such model"),
        (r#"{"object":"error","message":"down","code":503}"#, 503, "down"),
        (r#"{"x_groq":{"error":"over capacity"}}"#, 502, "over capacity"),
    ] {
        let error = seen(text).unwrap();
        assert_eq!((error.status, error.message.as_str()), (status, message), "{text}");
    }
    for fine in [
        r#"{"error":null,"choices":[]}"#,
        r#"{"error":"","choices":[]}"#,
        r#"{"base_resp":{"status_code":0,"status_msg":"success"}}"#,
        r#"{"success":true}"#,
        r#"{"x_groq":{"id":"r"}}"#,
    ] {
        assert_eq!(seen(fine), None, "{fine}");
    }
}

#[test]
fn long_texts_are_cut_between_characters() {
    let error = read(500, format!("{}é", "x".repeat(4_095)).as_bytes());
    assert!(error.message.len() <= MAX_MESSAGE + 3, "{}", error.message.len());
    let body = serde_json::json!({"error": {"message": "é".repeat(4_000)}}).to_string();
    assert_eq!(read(500, body.as_bytes()).message.chars().count(), 2_049);
}
