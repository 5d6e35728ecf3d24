//! A world in which what is told becomes records: a pipe, and the files behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tidegate_control::{ApiOptions, Books, Messenger, Records};
use tidegate_records::{Keep, Options, Pipe, Policy, Sink};
use tidegate_records_sqlite::{SqliteBook, SqliteOptions, SqliteReader, SqliteSink};

use crate::world::{Credential, Directory, Got, World, clock};

/// Logs of one export, at most.
pub const EXPORT_LOGS: u64 = 1_200;

pub struct Telling {
    pub world: World,
    pub pipe: Pipe,
    _directory: Directory,
}

impl Telling {
    pub async fn new(keep: Keep) -> Self {
        Self::with(|options| options.bodies = Policy { keep, ..Policy::default() }).await
    }

    pub async fn heard_by(messenger: Arc<dyn Messenger>) -> Self {
        Self::made(|_| {}, Some(messenger)).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::made(change, None).await
    }

    async fn made(change: impl FnOnce(&mut Options), messenger: Option<Arc<dyn Messenger>>) -> Self {
        let directory = Directory::new();
        let at = directory.file("records");
        let sink: Box<dyn Sink> = Box::new(SqliteSink::open(SqliteOptions::new(&at)).unwrap());
        let mut options = Options::new(at.join("journal"));
        options.gather = Duration::from_millis(1);
        change(&mut options);
        let pipe = Pipe::start(options, sink, clock()).unwrap();
        let (book, reader) = (at.clone(), at);
        let world = World::with(ApiOptions {
            public_url: "https://gateway.example".to_owned(),
            records: Some(Records::new(move || Box::new(SqliteReader::new(&reader)))),
            books: Some(Books::new(move || Box::new(SqliteBook::new(&book)))),
            pipe: Some(pipe.clone()),
            messenger,
            export_logs: EXPORT_LOGS,
            ..ApiOptions::default()
        });
        Self { world: world.await, pipe, _directory: directory }
    }

    /// Until the writer has nothing left.
    pub async fn written(&self) {
        let patience = Instant::now() + Duration::from_secs(120);
        while self.pipe.stats().queued > 0 {
            assert!(Instant::now() < patience, "{:?}", self.pipe.stats());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(self.pipe.stats().adds_up());
    }

    pub async fn tell(&self, body: Value) -> Value {
        let taken = self.world.done("service_key", "POST", "/v1/logs", body).await;
        self.written().await;
        taken
    }

    pub async fn get(&self, uri: &str) -> Value {
        self.world.done("service_key", "GET", uri, json!({})).await
    }

    /// With headers of the test's own.
    pub async fn send(&self, who: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Got {
        let Credential::Key(key) = self.world.credential(who) else { panic!("{who} has no key") };
        let mut request = Request::post(uri).header("x-portkey-api-key", key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .world
            .api
            .serve(request.body(body.into()).unwrap(), std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        let response = response.await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Got {
            status: head.status.as_u16(),
            headers: head.headers,
            bytes: bytes.clone(),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            text: bytes.iter().map(|byte| char::from(*byte)).collect(),
        }
    }
}

/// Node of a trace by its name.
pub fn node<'a>(trace: &'a Value, name: &str) -> &'a Value {
    let nodes = trace["spans"].as_array().unwrap();
    nodes.iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("no {name} in {trace}"))
}
