//! Logs: who sees which, and what a query finds.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_control::{ApiOptions, Books, Records};
use tidegate_insight::{Block, Cube, Measure, Reading, Scanned, Seen, Source, Verified, Wanted};
use tidegate_records::{
    Attempt, Cost, Facts, Filter, Found, IdSource, Kind, ListRow, Page, Policy, RawBodies, RawBody,
    ReadError, Reader, RecordId, RequestRecord, Span, StoredBodies, Text, Timing, Who,
};
use tidegate_store::Expected;
use tidegate_store::entity::Organisation;

use crate::world::World;

/// Records in memory, which a filter reads by its own definition.
#[derive(Debug, Default)]
pub struct Shelf(pub Vec<Found>);

#[derive(Debug)]
struct Browser(Arc<std::sync::Mutex<Shelf>>);

impl Browser {
    fn hits(&self, filter: &Filter, before: Option<RecordId>, limit: usize) -> Page<RequestRecord> {
        let shelf = self.0.lock().unwrap();
        let mut hits: Vec<RequestRecord> = shelf.0.iter().map(|found| found.record.clone()).collect();
        let bodies = |record: &RequestRecord| {
            shelf.0.iter().find(|found| found.record.id == record.id).and_then(|found| found.bodies.as_ref())
        };
        hits.retain(|record| {
            filter.fits(&Facts::of(record))
                && filter.search.fits(bodies(record))
                && before.is_none_or(|before| record.id() < before)
        });
        hits.sort_by_key(|record| std::cmp::Reverse(record.id));
        let more = hits.len() > limit;
        hits.truncate(limit);
        let next = hits.last().filter(|_| more).map(RequestRecord::id);
        Page { rows: hits, next }
    }
}

impl Reader for Browser {
    fn list(&mut self, filter: &Filter, before: Option<RecordId>, limit: usize) -> Result<Page, ReadError> {
        let page = self.hits(filter, before, limit);
        let rows = page.rows.iter().map(|record| ListRow::of(&Facts::of(record), false)).collect();
        Ok(Page { rows, next: page.next })
    }

    fn records(
        &mut self,
        filter: &Filter,
        before: Option<RecordId>,
        limit: usize,
    ) -> Result<Page<RequestRecord>, ReadError> {
        if filter.provider.iter().any(|name| name == "broken-disk") {
            return Err(ReadError("/var/secret/path: input/output error".to_owned()));
        }
        Ok(self.hits(filter, before, limit))
    }

    fn get(&mut self, id: RecordId) -> Result<Option<Found>, ReadError> {
        Ok(self.0.lock().unwrap().0.iter().find(|found| found.record.id() == id).cloned())
    }

    fn count(&mut self, filter: &Filter, most: u64) -> Result<u64, ReadError> {
        Ok((self.hits(filter, None, usize::MAX).rows.len() as u64).min(most))
    }
}

impl Source for Browser {
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        _: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError> {
        for record in self.hits(filter, None, usize::MAX).rows {
            let facts = Facts::of(&record);
            let key = wanted.group.map(|group| group.of(&facts)).unwrap_or_default();
            each(Seen { key: &key, user: facts.user, measure: &Measure::of(&facts) });
        }
        Ok(Scanned::default())
    }

    fn cells(
        &mut self,
        _: Cube,
        hours: std::ops::Range<u32>,
        _: Reading,
        _: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        Ok((hours.start / 24..=hours.end / 24).collect())
    }

    fn verify(&mut self, _: u32) -> Result<Verified, ReadError> {
        Ok(Verified::default())
    }
}

pub const START: u64 = 1_790_000_000_000;

pub async fn world() -> (World, Arc<std::sync::Mutex<Shelf>>) {
    world_with(None).await
}

/// With somebody who keeps feedback.
pub async fn world_with(books: Option<Books>) -> (World, Arc<std::sync::Mutex<Shelf>>) {
    let shelf = Arc::new(std::sync::Mutex::new(Shelf::default()));
    let behind = Arc::clone(&shelf);
    let records = Records::new(move || Box::new(Browser(Arc::clone(&behind))));
    let world = World::with(ApiOptions { records: Some(records), books, ..ApiOptions::default() }).await;
    let ids = IdSource::new(1, None);
    let text = |text: &str| Text::from(text.to_owned());
    let record = |minute: u64, workspace: String, owner: String, status: u16, model: &str| RequestRecord {
        id: ids.next(START + minute * 60_000).bits(),
        who: Who {
            organisation: text(&world.org.to_string()),
            workspace: text(&workspace),
            api_key: text("key-1"),
            user: text("alice"),
            metadata: vec![(text("_user"), text("alice")), (text("team"), text("red"))],
            key_owner: text(&owner),
            ..Who::default()
        },
        method: text("POST"),
        path: text("/v1/chat/completions"),
        provider: text("openai"),
        virtual_key: text("prod"),
        config: text("pc-a-1"),
        model: text(model),
        status,
        end: text("ok"),
        timing: Timing { total_us: 1_500_000, ..Timing::default() },
        usage: Some(tidegate_core::Usage { input: 100, output: 20 + minute, ..Default::default() }),
        cost: Cost { amount: text("0.0125"), currency: text("USD"), ..Cost::default() },
        span: Span { trace: text("trace-1"), span: text(&format!("span-{minute}")), ..Span::default() },
        attempts: vec![Attempt { target: text("targets[0]"), status: Some(status), ..Attempt::default() }],
        cache: text("miss"),
        ..RequestRecord::default()
    };
    let (a, b) = (world.a.to_string(), world.b.to_string());
    let member = world.users["ws_member"].to_string();
    let bodies = || Some(bodies());
    let mut found = vec![
        Found { record: record(0, a.clone(), String::new(), 200, "gpt-4o"), bodies: bodies() },
        Found { record: record(1, a.clone(), member, 429, "gpt-4o-mini"), bodies: bodies() },
        Found { record: record(2, a, String::new(), 200, "claude"), bodies: None },
        Found { record: record(3, b, String::new(), 200, "gpt-4o"), bodies: bodies() },
    ];
    let mut foreign = record(9, world.a.to_string(), String::new(), 200, "gpt-4o");
    foreign.who.organisation = text("another-organisation");
    found.push(Found { record: foreign, bodies: bodies() });
    shelf.lock().unwrap().0 = found;
    (world, shelf)
}

fn bodies() -> StoredBodies {
    let policy = Policy::default();
    let mut raw = RawBody::new("request", Kind::Json, 1_000);
    raw.frame(&bytes::Bytes::from_static(br#"{"prompt":"the-body-itself"}"#));
    let raw: RawBodies = [raw].into_iter().collect();
    tidegate_records::body::prepare(&raw, &policy)
}

fn id(shelf: &Arc<std::sync::Mutex<Shelf>>, at: usize) -> String {
    shelf.lock().unwrap().0[at].record.id().uuid()
}

#[tokio::test]
async fn a_list_of_one_workspace() {
    let (world, shelf) = world().await;
    let listed = world.done("service_key", "GET", "/v1/logs", json!({})).await;
    assert_eq!(
        (&listed["object"], &listed["total"], &listed["has_more"]),
        (&json!("list"), &json!(3), &json!(false))
    );
    let row = &listed["data"][2];
    for (member, want) in [
        ("id", json!(id(&shelf, 0))),
        ("created_at", json!("2026-09-21T14:13:20.000Z")),
        ("ai_org", json!("openai")),
        ("ai_model", json!("gpt-4o")),
        ("is_success", json!(true)),
        ("req_units", json!(100)),
        ("res_units", json!(20)),
        ("total_units", json!(120)),
        ("cost", json!(1.25)),
        ("cost_currency", json!("USD")),
        ("response_status_code", json!(200)),
        ("response_time", json!(1500)),
        ("config", json!("pc-a-1")),
        ("trace_id", json!("trace-1")),
        ("workspace_slug", json!("ws-a")),
        ("metadata", json!({"_user": "alice", "team": "red"})),
        ("cache_status", json!("MISS")),
        ("attempts", json!(1)),
    ] {
        assert_eq!(row[member], want, "{member}");
    }
    assert!(!listed.to_string().contains("the-body-itself"));
    let of_b = world.done("service_key_b", "GET", "/v1/logs", json!({})).await;
    assert_eq!((&of_b["total"], &of_b["data"][0]["id"]), (&json!(1), &json!(id(&shelf, 3))));
    assert_eq!(world.done("admin_key", "GET", "/v1/logs?workspace_slug=ws-b", json!({})).await["total"], 1);
    assert_eq!(world.get("admin_key", "/v1/logs").await.status, 400, "an admin says which workspace");
    assert_eq!(world.get("service_key", "/v1/logs?workspace_slug=ws-b").await.status, 403);

    let first = world.done("service_key", "GET", "/v1/logs?page_size=2", json!({})).await;
    assert_eq!((&first["has_more"], first["data"].as_array().unwrap().len()), (&json!(true), 2));
    let rest = format!("/v1/logs?page_size=2&cursor={}", first["next_cursor"].as_str().unwrap());
    for uri in [rest.as_str(), "/v1/logs?page_size=2&current_page=1"] {
        let next = world.done("service_key", "GET", uri, json!({})).await;
        assert_eq!(
            (&next["data"][0]["id"], next["data"].as_array().unwrap().len()),
            (&json!(id(&shelf, 0)), 1)
        );
    }
    assert_eq!(
        world.done("service_key", "GET", "/v1/logs?current_page=7", json!({})).await["data"],
        json!([])
    );
}

#[tokio::test]
async fn every_filter() {
    let (world, _) = world().await;
    for (query, total) in [
        ("time_of_generation_min=2026-09-21T14:14:00Z", 2),
        ("time_of_generation_max=2026-09-21T14:13:20.000Z", 1),
        ("status_code=429,500", 1),
        ("is_success=true", 2),
        ("is_success=false", 1),
        ("ai_model=gpt-4o,claude", 2),
        ("ai_org_model=openai__gpt-4o,openai__claude", 2),
        ("ai_org=anthropic", 0),
        ("virtual_keys=@prod", 3),
        ("configs=pc-b", 0),
        ("api_key_ids=key-1", 3),
        ("user=bob", 0),
        ("trace_id=trace-1", 3),
        ("cache_status=HIT", 0),
        ("cache_status=MISS", 3),
        ("metadata=%7B%22team%22%3A%22red%22%7D", 3),
        ("metadata=%7B%22team%22%3A%22blue%22%7D", 0),
        ("cost_min=1.25&cost_max=1.25", 3),
        ("cost_min=1.26", 0),
        ("completion_token_min=21", 2),
        ("total_units_max=121", 2),
        ("prompt_token_max=99", 0),
        ("span_id=span-0,span-2", 2),
        ("span_id=none", 0),
        // There are no prompts, and nobody keeps marks here.
        ("prompt_slug=greeting", 0),
        ("prompt_slug=", 3),
        ("weighted_feedback_min=-10", 0),
        ("search=body+THE", 2),
        ("search=%22the-body-itself%22&status_code=429", 1),
        ("search=body+nowhere", 0),
        ("search=prompt", 0),
        ("search=", 3),
        ("order_by=created_at&order_by_type=desc", 3),
    ] {
        let listed = world.done("service_key", "GET", &format!("/v1/logs?{query}"), json!({})).await;
        assert_eq!(listed["total"], total, "{query}");
    }
    for (query, param) in [
        ("time_of_generation_min=yesterday", "time_of_generation_min"),
        ("status_code=ok", "status_code"),
        ("is_success=maybe", "is_success"),
        ("is_success=true&status_code=200", "is_success"),
        ("ai_org_model=gpt-4o", "ai_org_model"),
        ("ai_org_model=a__b,c__d", "ai_org_model"),
        ("ai_org_model=a__b&ai_model=b", "ai_org_model"),
        ("cache_status=WARM", "cache_status"),
        ("metadata=%7B%22team%22%3A1%7D", "metadata"),
        ("cost_min=cheap", "cost_min"),
        ("total_units_min=-1", "total_units_min"),
        ("weighted_feedback_min=11", "weighted_feedback_min"),
        ("weighted_feedback_max=good", "weighted_feedback_max"),
        ("search=%22*%22", "search"),
        ("page_size=501", "page_size"),
        ("current_page=1000&page_size=500", "current_page"),
        ("cursor=x", "cursor"),
    ] {
        let got = world.get("service_key", &format!("/v1/logs?{query}")).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{query}: {}", got.text);
    }
    for query in ["order_by=cost", "order_by_type=asc"] {
        assert_eq!(world.get("service_key", &format!("/v1/logs?{query}")).await.status, 400, "{query}");
    }
    let away = world.get("service_key", "/v1/logs?ai_org=broken-disk").await;
    assert_eq!(away.status, 503);
    assert!(!away.text.contains("secret/path"), "{}", away.text);
}

#[tokio::test]
async fn a_search_that_cannot_be_says_why() {
    let (world, _) = world().await;
    let many: String = (0..65).map(|i| format!("{i}+")).collect();
    for (query, told) in [
        ("%22*%22", "has no letter and no digit; expected words to look for in bodies"),
        (&*"a".repeat(501), "is too long; expected at most 500 characters"),
        (&*many, "has too many words; expected at most 64"),
        (&*"x".repeat(65), "has a word that is too long to be found; expected words of at most 64 letters"),
    ] {
        let got = world.get("service_key", &format!("/v1/logs?search={query}")).await;
        let message = got.body["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(got.status == 400 && message.contains(told), "{message}");
    }
    // The organisation has no say in who sees bodies.
    let of_all = "/v1/analytics/groups/workspaces?search=body";
    let got = world.get("admin_key", of_all).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("search")), "{}", got.text);
}

#[tokio::test]
async fn one_log_is_its_workspaces() {
    let (world, shelf) = world().await;
    let uri = |at| format!("/v1/logs/{}", id(&shelf, at));
    let log = world.done("service_key", "GET", &uri(0), json!({})).await;
    assert_eq!((&log["_id"], &log["id"]), (&json!(id(&shelf, 0)), &json!(id(&shelf, 0))));
    assert_eq!(
        (&log["request"]["body"], &log["response"]["status"]),
        (&json!({"prompt": "the-body-itself"}), &json!(200))
    );
    assert_eq!(
        (&log["metrics"]["workspace_slug"], &log["metrics"]["organisation_name"]),
        (&json!("ws-a"), &json!("acme"))
    );
    assert_eq!(log["metrics"]["cost"], 1.25);
    // By the number that log lines have, too.
    let number = shelf.lock().unwrap().0[0].record.id().to_string();
    assert_eq!(
        world.done("service_key", "GET", &format!("/v1/logs/{number}"), json!({})).await["id"],
        log["id"]
    );
    for (who, at, status) in [
        ("log_key", 0, 200),
        ("admin_key", 3, 200),
        ("service_key", 3, 404),
        ("service_key_b", 3, 200),
        ("service_key_b", 0, 404),
        ("user_key", 0, 200),
        ("stranger", 0, 404),
        ("admin_key", 4, 404),
        ("org_member", 0, 403),
    ] {
        let got = world.get(who, &uri(at)).await;
        assert_eq!(got.status, status, "{who} {at}: {}", got.text);
        assert!(status == 200 || !got.text.contains("the-body"));
    }
    for name in ["nothing", "0000000000000000", "00000000-0000-8000-8000-000000000000"] {
        assert_eq!(world.get("service_key", &format!("/v1/logs/{name}")).await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn switches_narrow_what_a_role_sees() {
    let (world, shelf) = world().await;
    let turn = |word: &'static str, on: bool| {
        let world = &world;
        async move {
            let change = |stored: &mut Organisation| {
                stored.settings.insert(word.to_owned(), Value::Bool(on));
                Ok(())
            };
            let scope = tidegate_store::Scope::Organisation(world.org);
            let by = tidegate_store::audit::By::system();
            world.store.update(&by, &scope, world.org, Expected::Latest, change).await.unwrap();
        }
    };
    let total = |who: &'static str| {
        let world = &world;
        async move { world.done(who, "GET", "/v1/logs", json!({})).await["total"].clone() }
    };
    let uri = |at| format!("/v1/logs/{}", id(&shelf, at));
    assert_eq!(total("ws_member").await, 3);
    turn("membersViewAllData", false).await;
    for who in ["ws_member", "user_key"] {
        assert_eq!(total(who).await, 1, "{who} sees what his own keys asked");
        assert_eq!(world.get(who, &uri(0)).await.status, 404, "{who}");
        assert_eq!(world.get(who, &uri(1)).await.status, 200, "{who}");
    }
    assert_eq!(total("ws_manager").await, 3);
    assert_eq!(total("service_key").await, 3);
    turn("membersViewLogs", false).await;
    let log = world.get("ws_member", &uri(1)).await;
    assert!(log.status == 200 && !log.text.contains("the-body-itself"), "figures only: {}", log.text);
    assert!(world.get("ws_manager", &uri(1)).await.text.contains("the-body-itself"));
    // Nor may somebody guess what is in bodies that he does not see.
    for (who, status) in [("ws_member", 403), ("ws_manager", 200), ("service_key", 200)] {
        for uri in ["/v1/logs?search=body", "/v1/analytics/graphs/requests?search=body"] {
            let got = world.get(who, uri).await;
            assert_eq!(got.status, status, "{who} {uri}: {}", got.text);
        }
    }
    let export = json!({"workspace_id": "ws-a", "filters": {"search": "body"}, "requested_data": ["id"]});
    assert_eq!(world.ask("ws_member", "POST", "/v1/logs/exports", Some(&export)).await.status, 403);
    assert_eq!(world.done("service_key", "POST", "/v1/logs/exports", export).await["total"], 2);
    turn("membersViewLogsMetadata", false).await;
    assert_eq!(world.get("ws_member", "/v1/logs").await.status, 403);
    // A key that may call models may ask for a log, but its person's role sees none.
    assert_eq!(world.get("user_key", &uri(1)).await.status, 403);
}

#[tokio::test]
async fn without_records_there_are_no_logs() {
    let world = World::new().await;
    assert_eq!(world.done("service_key", "GET", "/v1/logs", json!({})).await["total"], 0);
    assert_eq!(world.get("service_key", "/v1/logs/0000000000000001").await.status, 404);
}
