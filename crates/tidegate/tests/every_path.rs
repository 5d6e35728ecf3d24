//! Every path that passes through, as the reference and OpenAI's API have them: method, path, query, type and body arrive as
//! they were sent, and what is answered comes back as it is.

use serde_json::json;
use tidegate_store::entity::{Connection, Limits};
use tidegate_testkit::{Handler, Reply, Scratch, Seen, Server, client};

use crate::stage::{Setup, Tidegate, target};
use crate::tenant::Tenant;

/// Answers with the body and the type it was asked with, or with every byte there is.
struct Mirror;

impl Handler for Mirror {
    fn answer(&self, request: &Seen) -> Reply {
        match request.header("content-type") {
            Some(kind) if !request.body.is_empty() => Reply::text(200, kind, request.body.to_vec()),
            _ => Reply::text(200, "application/octet-stream", every_byte()),
        }
    }
}

fn every_byte() -> Vec<u8> {
    (0..=255).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    None,
    /// In a form that no writer of JSON has.
    Json,
    /// A form with a file of every byte, and its own boundary.
    Form,
    Bytes,
}

impl Body {
    fn kind(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Json => "application/json",
            Self::Form => "multipart/form-data; boundary=\"--a b\"",
            Self::Bytes => "audio/mpeg",
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Json => b"{ \"model\" :\"gpt-4o\",\"x\":[1.50,1e2 ,\"\\u00e9\\/\"],\n\"y\":{ }}\n".to_vec(),
            Self::Form => [
                b"----a b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n".to_vec(),
                b"----a b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"\xe9.mp3\"\r\n\r\n"
                    .to_vec(),
                every_byte(),
                b"\r\n----a b--\r\n".to_vec(),
            ]
            .concat(),
            Self::Bytes => every_byte(),
        }
    }
}

#[rustfmt::skip]
const PATHS: &[(&str, &str, Body)] = &[
    // Kept by the provider, or asked of it in JSON.
    ("GET", "/v1/files?purpose=batch&limit=2", Body::None),
    ("POST", "/v1/files", Body::Form),
    ("GET", "/v1/files/file-1", Body::None),
    ("GET", "/v1/files/file-1/content", Body::None),
    ("GET", "/v1/files/s3%3A%2F%2Fbucket%2Fkey/content", Body::None),
    ("DELETE", "/v1/files/file-1", Body::None),
    ("POST", "/v1/uploads", Body::Json),
    ("POST", "/v1/uploads/u/parts", Body::Form),
    ("POST", "/v1/uploads/u/complete", Body::Json),
    ("GET", "/v1/batches?after=b", Body::None),
    ("POST", "/v1/batches", Body::Json),
    ("GET", "/v1/batches/b", Body::None),
    ("POST", "/v1/batches/b/cancel", Body::None),
    ("GET", "/v1/fine_tuning/jobs", Body::None),
    ("POST", "/v1/fine_tuning/jobs", Body::Json),
    ("GET", "/v1/fine_tuning/jobs/ft", Body::None),
    ("POST", "/v1/fine_tuning/jobs/ft/cancel", Body::None),
    ("GET", "/v1/fine_tuning/jobs/ft/events?limit=1", Body::None),
    ("GET", "/v1/fine_tuning/jobs/ft/checkpoints", Body::None),
    ("GET", "/v1/responses/r?include%5B%5D=x", Body::None),
    ("DELETE", "/v1/responses/r", Body::None),
    ("GET", "/v1/responses/r/input_items", Body::None),
    ("POST", "/v1/responses/r/cancel", Body::None),
    ("POST", "/v1/responses/input_tokens", Body::Json),
    ("POST", "/v1/conversations", Body::Json),
    ("GET", "/v1/conversations/c/items", Body::None),
    // Assistants.
    ("POST", "/v1/assistants", Body::Json),
    ("GET", "/v1/assistants?order=desc", Body::None),
    ("POST", "/v1/assistants/a", Body::Json),
    ("DELETE", "/v1/assistants/a", Body::None),
    ("POST", "/v1/threads", Body::Json),
    ("POST", "/v1/threads/runs", Body::Json),
    ("POST", "/v1/threads/t/messages", Body::Json),
    ("GET", "/v1/threads/t/messages", Body::None),
    ("POST", "/v1/threads/t/runs", Body::Json),
    ("POST", "/v1/threads/t/runs/r/submit_tool_outputs", Body::Json),
    ("GET", "/v1/threads/t/runs/r/steps", Body::None),
    ("DELETE", "/v1/threads/t", Body::None),
    ("POST", "/v1/vector_stores", Body::Json),
    ("POST", "/v1/vector_stores/v/search", Body::Json),
    ("DELETE", "/v1/vector_stores/v/files/f", Body::None),
    // Sound and pictures.
    ("POST", "/v1/audio/speech", Body::Json),
    ("POST", "/v1/audio/transcriptions", Body::Form),
    ("POST", "/v1/audio/translations", Body::Form),
    ("POST", "/v1/audio/translations", Body::Bytes),
    ("POST", "/v1/images/generations", Body::Json),
    ("POST", "/v1/images/edits", Body::Form),
    ("POST", "/v1/images/variations", Body::Form),
    ("POST", "/v1/videos", Body::Form),
    ("GET", "/v1/videos/v/content?variant=video", Body::None),
    // Everything else.
    ("POST", "/v1/moderations", Body::Json),
    ("POST", "/v1/rerank", Body::Json),
    ("POST", "/v1/realtime/client_secrets", Body::Json),
    ("POST", "/v1/realtime/calls", Body::Form),
    ("DELETE", "/v1/models/ft%3Agpt", Body::None),
    ("POST", "/v1/evals/e/runs", Body::Json),
    ("POST", "/v1/containers/c/files", Body::Form),
    ("PUT", "/v1/things/t", Body::Bytes),
    ("PATCH", "/v1/things/t", Body::Json),
    ("POST", "/v1/proxy/things/t?x=%20y", Body::Bytes),
    ("POST", "/v1/proxy/v1beta/x", Body::Form),
    ("GET", "/v1/proxy/things", Body::None),
];

#[tokio::test]
async fn every_path_passes_byte_for_byte() {
    let (tidegate, mirror) = (Tidegate::start().await, Server::start(Mirror).await);
    let config = target("openai", &format!("{}/base", mirror.url())).to_string();
    for (method, path, body) in PATHS {
        let mut headers = vec![("x-portkey-config", config.as_str())];
        if *body != Body::None {
            headers.push(("content-type", body.kind()));
        }
        let answer = client::send(method, &tidegate.url(path), &headers, body.bytes().into()).await;
        let case = format!("{method} {path} {body:?}");
        assert_eq!(answer.status, 200, "{case}: {}", answer.text());
        let seen = mirror.requests().pop().unwrap();
        let expected = path.strip_prefix("/v1/proxy").or_else(|| path.strip_prefix("/v1")).unwrap();
        let wanted = (method.to_owned(), format!("/base{expected}"), body.bytes());
        let got = (seen.method.as_str(), seen.url.clone(), seen.body.to_vec());
        // Calls that the gateway reads go to the provider's own address, which has no query.
        assert_eq!(got, wanted, "{case}: there");
        if *body != Body::None {
            assert_eq!(seen.header("content-type"), Some(body.kind()), "{case}");
            assert_eq!(answer.header("content-type"), Some(body.kind()), "{case}: back");
        }
        let back = if *body == Body::None { every_byte() } else { body.bytes() };
        assert_eq!(answer.body(), back, "{case}: back");
        assert_eq!(seen.header("authorization"), Some("Bearer sk-of-the-test"), "{case}");
    }
}

/// The gateway's own key opens the gateway, and is nobody else's to see: whatever the provider's key is, or if it has none.
#[tokio::test]
async fn no_path_shows_a_provider_the_gateways_key() {
    let (directory, mirror) = (Scratch::new(), Server::start(Mirror).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    let keyless = Connection::new("ollama", Some(mirror.url()));
    tenant.connected(workspace, "local", keyless, Limits::default(), &[]).await;
    let (_, key) = tenant.key(workspace, "app", Limits::default()).await;
    let tidegate = Setup::default().directory(directory).start().await;
    let inline = target("openai", &mirror.url()).to_string();
    let stored = json!({"provider": "@local"}).to_string();
    let bearer = format!("Bearer {key}");
    for (config, expected) in [(&inline, Some("Bearer sk-of-the-test")), (&stored, None)] {
        for (name, value) in [
            ("authorization", &bearer),
            ("x-api-key", &key),
            ("x-portkey-api-key", &key),
            ("authorization", &key),
        ] {
            for path in ["/v1/threads/t", "/v1/files/f", "/v1/proxy/x", "/v1/models/m"] {
                let headers = [("x-portkey-config", config.as_str()), (name, value.as_str())];
                let answer = client::send("GET", &tidegate.url(path), &headers, "".into()).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                let seen = mirror.requests().pop().unwrap();
                assert!(!format!("{seen:?}").contains(&key), "{path} with {name} and {config}: {seen:?}");
                assert_eq!(seen.header("authorization"), expected, "{path} with {name}");
            }
        }
    }
}
