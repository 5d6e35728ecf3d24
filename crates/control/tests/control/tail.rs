//! Logs as they come: who hears of what, and when it ends.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tidegate_control::{ApiOptions, Body, Tails, Tee};
use tidegate_records::{
    Batch, Entry, Facts, IdSource, Kind, Policy, RawBodies, RawBody, RequestRecord, Sink, SinkError,
    StoredBodies, Who, Written, codec,
};
use tidegate_store::entity::Organisation;
use tidegate_store::{Expected, Scope};

use crate::world::{Credential, World};

/// Takes everything.
struct Anywhere;

impl Sink for Anywhere {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        Ok(Written { new: batch.len() as u64, ..Written::default() })
    }
}

/// A store that fails.
struct Away;

impl Sink for Away {
    fn write(&mut self, _: &Batch<'_>) -> Result<Written, SinkError> {
        Err(SinkError::Away("for a test".to_owned()))
    }
}

struct Watched {
    world: World,
    tails: Tails,
    tee: Tee,
    ids: IdSource,
}

impl Watched {
    async fn new() -> Self {
        let tails = Tails::default();
        let options = ApiOptions { tails: Some(tails.clone()), ..ApiOptions::default() };
        let world = World::with(options).await;
        Self { world, tee: tails.tee(Box::new(Anywhere)), tails, ids: IdSource::new(1, None) }
    }

    fn record(&self, workspace: &str, model: &str) -> RequestRecord {
        RequestRecord {
            id: self.ids.next(1_800_000_000_000).bits(),
            who: Who {
                organisation: self.world.org.to_string().into(),
                workspace: workspace.to_owned().into(),
                ..Who::default()
            },
            model: model.to_owned().into(),
            status: 200,
            ..RequestRecord::default()
        }
    }

    fn of_a(&self, model: &str) -> RequestRecord {
        self.record(&self.world.a.to_string(), model)
    }

    fn store(&mut self, records: &[RequestRecord], bodies: Option<&StoredBodies>) {
        write(&mut self.tee, records, bodies).unwrap();
    }

    async fn open(&self, who: &str, query: &str) -> Result<Reading, (u16, Value)> {
        let mut request = Request::builder().uri(format!("/v1/logs/tail{query}"));
        request = match self.world.credential(who) {
            Credential::Key(key) => request.header("x-portkey-api-key", key),
            Credential::Cookie(cookie, _) => request.header("cookie", format!("tidegate_session={cookie}")),
        };
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let response = self.world.api.serve(request.body(Bytes::new()).unwrap(), peer).await;
        let (head, body) = response.into_parts();
        if head.status != 200 {
            let bytes = body.collect().await.unwrap().to_bytes();
            return Err((head.status.as_u16(), serde_json::from_slice(&bytes).unwrap()));
        }
        assert_eq!(head.headers["content-type"], "text/event-stream");
        assert_eq!(head.headers["cache-control"], "no-store");
        let mut reading = Reading { body, text: String::new() };
        reading.until("\n\n").await;
        assert_eq!(reading.text, ": the tail begins\n\n");
        reading.text.clear();
        Ok(reading)
    }
}

fn write(
    sink: &mut dyn Sink,
    records: &[RequestRecord],
    bodies: Option<&StoredBodies>,
) -> Result<Written, SinkError> {
    let encoded: Vec<Vec<u8>> = records
        .iter()
        .map(|record| {
            let mut bytes = Vec::new();
            codec::encode(record, &mut bytes);
            bytes
        })
        .collect();
    let entries: Vec<_> = records
        .iter()
        .zip(&encoded)
        .map(|(record, encoded)| Entry { facts: Facts::of(record), encoded, bodies })
        .collect();
    sink.write(&entries)
}

#[derive(Debug)]
struct Reading {
    body: Body,
    text: String,
}

impl Reading {
    /// Reads on until the text is there.
    async fn until(&mut self, text: &str) {
        let reading = async {
            while !self.text.contains(text) {
                let part =
                    self.body.frame().await.unwrap_or_else(|| panic!("it ended: {}", self.text)).unwrap();
                self.text.push_str(std::str::from_utf8(&part.into_data().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(120), reading).await.unwrap();
    }

    /// To the end.
    async fn rest(mut self) -> String {
        let rest = tokio::time::timeout(Duration::from_secs(120), self.body.collect()).await;
        self.text.push_str(std::str::from_utf8(&rest.unwrap().unwrap().to_bytes()).unwrap());
        self.text
    }

    fn rows(&self) -> Vec<Value> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn body(text: &str) -> StoredBodies {
    let mut raw = RawBody::new("request", Kind::Json, 10_000);
    raw.frame(&Bytes::from(format!(r#"{{"prompt":"{text}"}}"#)));
    tidegate_records::body::prepare(&RawBodies::from_iter([raw]), &Policy::default())
}

#[tokio::test]
async fn everybody_hears_of_what_he_sees_in_the_list() {
    let mut watched = Watched::new().await;
    let (a, b) = (watched.world.a.to_string(), watched.world.b.to_string());
    let mut all = watched.open("service_key", "").await.unwrap();
    let mut mini = watched.open("ws_manager", "?ai_model=mini&workspace_id=ws-a").await.unwrap();
    let mut found = watched.open("service_key", "?search=refund").await.unwrap();
    let mut of_b = watched.open("service_key_b", "").await.unwrap();
    assert_eq!(watched.tails.counts().open, 4);
    let mut foreign = watched.record(&a, "mini");
    foreign.who.organisation = "another".into();
    let records =
        [foreign, watched.record(&b, "mini"), watched.record(&a, "large"), watched.record(&a, "mini")];
    assert!(
        write(&mut watched.tails.tee(Box::new(Away)), &records, None).is_err(),
        "what is not stored is not told"
    );
    watched.store(&records, None);
    let last = [watched.of_a("mini")];
    watched.store(&last, Some(&body("a refund")));
    let ids = |which: &[&RequestRecord]| which.iter().map(|one| one.id().uuid()).collect::<Vec<_>>();
    for (reading, wanted) in [
        (&mut all, ids(&[&records[2], &records[3], &last[0]])),
        (&mut mini, ids(&[&records[3], &last[0]])),
        (&mut found, ids(&[&last[0]])),
        (&mut of_b, ids(&[&records[1]])),
    ] {
        reading.until(&format!("id: {}\n", wanted.last().unwrap())).await;
        let told: Vec<String> =
            reading.rows().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(told, wanted);
    }
    let row = &all.rows()[0];
    assert_eq!((&row["ai_model"], &row["workspace_slug"]), (&Value::from("large"), &Value::from("ws-a")));
    for (who, query, status) in [
        ("service_key", "?search=%21", 400),
        ("service_key", "?status_code=x", 400),
        ("service_key", "?workspace_slug=ws-b", 403),
        ("log_key", "", 403),
        ("stranger", "?workspace_slug=ws-a", 404),
        ("admin_key", "", 400),
    ] {
        let refused = watched.open(who, query).await.unwrap_err();
        assert_eq!(refused.0, status, "{who} {query}: {}", refused.1);
    }
}

#[tokio::test]
async fn a_slow_client_is_told_what_it_missed_and_holds_nobody_up() {
    let mut watched = Watched::new().await;
    let mut slow = watched.open("service_key", "").await.unwrap();
    let records: Vec<_> = (0..3_000).map(|_| watched.of_a("m")).collect();
    records.chunks(100).for_each(|batch| watched.store(batch, None));
    let skipped = watched.tails.counts().skipped;
    assert!(skipped > 0);
    slow.until("event: skipped\n").await;
    slow.until("}\n\n").await;
    let rows = slow.rows();
    let told: u64 = rows.iter().filter_map(|row| row["count"].as_u64()).sum();
    let seen = rows.iter().filter(|row| row["id"].is_string()).count() as u64;
    assert_eq!((seen + told, told), (3_000, skipped));
    // And goes on.
    let next = watched.of_a("next");
    watched.store(std::slice::from_ref(&next), None);
    slow.until(&next.id().uuid()).await;
}

#[tokio::test]
async fn tails_are_bounded_and_those_that_are_left_make_room() {
    let watched = Watched::new().await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(watched.open("service_key", "").await.unwrap());
    }
    let (status, told) = watched.open("service_key", "").await.unwrap_err();
    let message = told["error"]["message"].as_str().unwrap();
    assert!(status == 429 && message.contains("16 live tails are open in this workspace"), "{told}");
    let other = watched.open("service_key_b", "").await.unwrap();
    drop(open.pop());
    // The tail goes when its task sees that nobody reads.
    while watched.tails.counts().open > 16 {
        tokio::task::yield_now().await;
    }
    drop(watched.open("service_key", "").await.unwrap());
    drop((open, other));
    while watched.tails.counts().open > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tail_ends_with_the_right_to_it() {
    let watched = Watched::new().await;
    let (world, by) = (&watched.world, tidegate_store::audit::By::system());
    let whole = Scope::Organisation(world.org);
    let key = watched.open("service_key", "").await.unwrap();
    let person = watched.open("ws_manager", "").await.unwrap();
    let member = watched.open("ws_member", "").await.unwrap();
    let stays = watched.open("organisation_key", "?workspace_id=ws-a").await.unwrap();
    let keys = world.done("admin_key", "GET", "/v1/api-keys?workspace_id=ws-a", Value::Null).await;
    let row =
        keys["data"].as_array().unwrap().iter().find(|row| row["name"] == "service_key").unwrap().clone();
    let id = row["id"].as_str().unwrap().parse().unwrap();
    world.store.revoke_key(&by, &whole, id).await.unwrap();
    assert!(key.rest().await.ends_with("event: end\ndata: {\"reason\":\"revoked\"}\n\n"));
    let out = world.ask("ws_manager", "DELETE", "/v1/session", None).await;
    assert_eq!(out.status, 200, "{}", out.text);
    assert!(person.rest().await.contains("revoked"));
    // What a role sees has become less.
    let change = |stored: &mut Organisation| {
        stored.settings.insert("membersViewAllData".to_owned(), Value::Bool(false));
        Ok(())
    };
    world.store.update(&by, &whole, world.org, Expected::Latest, change).await.unwrap();
    assert!(member.rest().await.contains("revoked"));
    assert_eq!(watched.tails.counts().open, 1);
    drop(stays);
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_tails() {
    let watched = Watched::new().await;
    let open = watched.open("service_key", "").await.unwrap();
    watched.tails.close();
    assert_eq!(open.rest().await, "event: end\ndata: {\"reason\":\"shutdown\"}\n\n");
    let (status, told) = watched.open("service_key", "").await.unwrap_err();
    assert_eq!(status, 503, "{told}");
    let nothing = World::new().await;
    assert_eq!(nothing.get("service_key", "/v1/logs/tail").await.status, 409);
}
