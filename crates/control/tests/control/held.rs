//! What crashes left open: who sees it, who says what it cost, and what is no answer.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_control::{ApiOptions, Held, HeldPart, Resolution, Subject};
use tidegate_ledger::Unit;
use tidegate_store::id::{EntityId, WorkspaceId};
use uuid::Uuid;

use crate::usage::Books;
use crate::world::World;

const HELD: &str = "/v1/admin/held-reservations";

fn on(id: u64, subject: Subject, unit: Unit, amount: &str) -> Held {
    let part = HeldPart { subject, unit, amount: amount.parse().unwrap() };
    Held { id, at: 1_800_000_000_000, request: format!("{id:016x}"), trace: "t".into(), parts: vec![part] }
}

async fn world() -> (World, Arc<Books>) {
    let books = Arc::new(Books::default());
    let world = World::with(ApiOptions { usage: books.clone(), ..ApiOptions::default() }).await;
    let elsewhere = WorkspaceId::from_uuid(Uuid::from_u128(7));
    *books.held.lock().unwrap() = vec![
        on(7, Subject::Workspace(world.a), Unit::Usd, "0.000023"),
        on(8, Subject::Workspace(elsewhere), Unit::Usd, "1"),
        Held {
            request: String::new(),
            trace: String::new(),
            ..on(9, Subject::Workspace(world.b), Unit::Tokens, "12")
        },
    ];
    (world, books)
}

#[tokio::test]
async fn what_is_held_is_listed_for_who_administers_the_organisation() {
    let (world, _) = world().await;
    let list = world.done("admin_key", "GET", HELD, json!(null)).await;
    assert_eq!(list["total"], 2, "what lies on nobody's budget here is not there: {list}");
    let budget = json!([{"of": "workspace", "id": world.a.to_string(), "name": "ws-a", "type": "cost", "held": "0.000023"}]);
    assert_eq!(
        list["data"][0],
        json!({"id": "7", "reserved_at": "2027-01-15T08:00:00.000Z", "request_id": "0000000000000007", "trace_id": "t",
            "budgets": budget, "object": "held-reservation"})
    );
    assert_eq!((&list["data"][1]["request_id"], &list["data"][1]["trace_id"]), (&Value::Null, &Value::Null));
    let page = world.done("admin", "GET", &format!("{HELD}?page_size=1&current_page=1"), json!(null)).await;
    assert_eq!((&page["total"], &page["data"][0]["id"]), (&json!(2), &json!("9")));
    assert_eq!(world.done("stranger", "GET", HELD, json!(null)).await["total"], 0);
    assert_eq!(world.get("service_key", HELD).await.status, 403);
}

#[tokio::test]
async fn who_says_what_it_cost_is_in_the_audit_log() {
    let (world, books) = world().await;
    let resolve = |id: u64| format!("{HELD}/{id}/resolve");
    world.done("admin_key", "POST", &resolve(7), json!({"cost": "0.0000085"})).await;
    world.done("admin", "POST", &resolve(9), json!({"cost": "0", "tokens": 12})).await;
    let cost = |text: &str, tokens| Resolution::Cost { cost: text.parse().unwrap(), tokens };
    assert_eq!(*books.resolved.lock().unwrap(), [(7, cost("0.0000085", 0)), (9, cost("0", 12))]);
    assert_eq!(
        world.ask("admin_key", "POST", &resolve(7), Some(&json!({"release": true}))).await.status,
        404
    );
    let audit = "/v1/audit-logs?start_time=2026-01-01T00:00:00Z&end_time=2030-01-01T00:00:00Z&action=manage";
    let log =
        world.done("admin_key", "GET", &format!("{audit}&organisation_id={}", world.org), json!(null)).await;
    assert_eq!(log["total"], 2, "{log}");
    let said = &log["records"][1];
    assert_eq!(said["uri"], resolve(7));
    assert_eq!(said["comment"], "held reservation 7: settled at 0.0000085 USD and 0 tokens");
}

#[tokio::test]
async fn what_is_no_answer_is_told_and_changes_nothing() {
    let (world, books) = world().await;
    for (id, body, status, param) in [
        (7, json!({}), 400, json!("cost")),
        (7, json!({"release": true, "settle": true}), 400, json!("cost")),
        (7, json!({"cost": "0.1"}), 400, json!("cost")),
        (7, json!({"cost": "-1"}), 400, json!("cost")),
        (7, json!({"cost": "much"}), 400, json!("cost")),
        (7, json!({"tokens": 1}), 400, json!("tokens")),
        (9, json!({"cost": "0", "tokens": 13}), 400, json!("tokens")),
        (8, json!({"release": true}), 404, Value::Null),
        (10, json!({"release": true}), 404, Value::Null),
    ] {
        let got = world.ask("admin_key", "POST", &format!("{HELD}/{id}/resolve"), Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (status, &param), "{body}: {}", got.text);
    }
    let body = json!({"release": true});
    assert_eq!(world.ask("stranger", "POST", &format!("{HELD}/7/resolve"), Some(&body)).await.status, 404);
    assert_eq!(world.ask("ws_admin", "POST", &format!("{HELD}/7/resolve"), Some(&body)).await.status, 403);
    assert!(books.resolved.lock().unwrap().is_empty());
    books.is_away.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(world.ask("admin_key", "POST", &format!("{HELD}/7/resolve"), Some(&body)).await.status, 503);
}
