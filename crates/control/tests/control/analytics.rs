//! Analytics: the shapes that official clients read, the console's own queries, and who sees figures of what.
//!
//! The records are those of the logs' tests: three of workspace `ws-a` at minutes 0, 1 and 2 (200, 429, 200), one of
//! `ws-b`, and one of another organisation.

use serde_json::{Value, json};
use tidegate_control::Books;
use tidegate_records_sqlite::SqliteBook;
use tidegate_store::Expected;
use tidegate_store::entity::Organisation;

use crate::logs::{world, world_with};
use crate::world::{Directory, World};

const TIME: &str = "time_of_generation_min=2026-09-21T14:13:20Z&time_of_generation_max=2026-09-21T14:18:20Z";

async fn get(world: &World, path: &str) -> Value {
    let separator = if path.contains('?') { '&' } else { '?' };
    world.done("service_key", "GET", &format!("/v1/analytics/{path}{separator}{TIME}"), json!({})).await
}

#[tokio::test]
async fn graphs_have_the_references_shapes_under_both_paths() {
    let (world, _) = world().await;
    for (paths, summary, point) in [
        (&["requests"][..], json!({"total": 3}), json!({"total": 1})),
        (&["cost"], json!({"total": 3.75, "avg": 1.25}), json!({"total": 1.25, "avg": 1.25})),
        (&["tokens"], json!({"total": 363, "avg": 121.0}), json!({"total": 120, "avg": 120.0})),
        (&["users"], json!({"total": 1}), json!({"total": 1})),
        (
            &["users/requests", "users-requests"],
            json!({"total": 3, "unique": 1, "avg": 3.0}),
            json!({"avg": 1.0}),
        ),
        (&["errors"], json!({"total": 1}), json!({"total": 0})),
        (&["errors/rate", "errors-rate"], json!({"rate": 100.0 / 3.0}), json!({"rate": 0.0})),
        (&["errors/stacks", "errors-stack"], json!({"total": 1}), json!({"stats": []})),
        (
            &["requests/rescued", "requests-rescued"],
            json!({"retry": 0, "fallback": 0}),
            json!({"retry": [], "fallback": 0}),
        ),
        (
            &["cache/hit-rate", "cache-hit-rate"],
            json!({"total": 0, "rate": 0.0}),
            json!({
                "simple_hits": 0, "semantic_hits": 0, "rate": 0.0,
                "cumulative_simple_cache_savings": 0.0, "cumulative_semantic_cache_savings": 0.0,
            }),
        ),
        (&["cache/latency", "cache-latency"], json!({}), json!({"avg": 0.0})),
    ] {
        for path in paths {
            let graph = get(&world, &format!("graphs/{path}")).await;
            assert_eq!(
                (&graph["object"], &graph["summary"]),
                (&json!("analytics-graph"), &summary),
                "{path}"
            );
            let points = graph["data_points"].as_array().unwrap();
            // From the minute in which the time begins to the one in which it ends.
            assert_eq!((points.len(), &graph["data"]), (6, &graph["data_points"]), "{path}");
            let mut first = point.clone();
            first["timestamp"] = json!("2026-09-21T14:13:00.000Z");
            assert_eq!(points[0], first, "{path}");
        }
    }
    let latency = get(&world, "graphs/latency").await;
    assert_eq!(latency["summary"]["avg"], 1_500.0);
    for quantile in ["p50", "p90", "p99"] {
        let value = latency["summary"][quantile].as_f64().unwrap();
        assert!((value - 1_500.0).abs() <= 15.0, "{quantile}: {value}");
    }
    let stacks = get(&world, "graphs/errors/stacks").await;
    assert_eq!(stacks["data_points"][1]["stats"], json!([{"response_status_code": 429, "count": 1}]));
    for path in ["errors/status-codes", "errors-status-code"] {
        let codes = get(&world, &format!("graphs/{path}")).await;
        assert_eq!(codes["summary"], json!({"total_errors": 1, "unique_error_codes": 1}));
        assert_eq!(codes["data_points"], json!([{"status_code": 429, "count": 1}]));
    }
    for (path, points) in [
        ("feedbacks", 6),
        ("feedbacks/scores", 0),
        ("feedbacks/score", 0),
        ("feedbacks/weighted", 6),
        ("feedbacks/ai-models", 0),
    ] {
        let graph = get(&world, &format!("graphs/{path}")).await;
        assert_eq!(graph["data_points"].as_array().unwrap().len(), points, "{path}");
    }
    let summary = get(&world, "summary/cache").await;
    let want = json!({"hits": 0, "avg_latency": 0.0, "total_requests": 3, "cache_speedup": 0.0});
    assert_eq!((&summary["object"], &summary["summary"]), (&json!("analytics-summary"), &want));
}

#[tokio::test]
async fn feedback_is_counted_and_joined_to_what_it_is_for() {
    let directory = Directory::new();
    let at = directory.file("records");
    let (world, _) = world_with(Some(Books::new(move || Box::new(SqliteBook::new(&at))))).await;
    for (trace, value, weight) in [("trace-1", 10, 1.0), ("trace-1", -5, 0.5), ("elsewhere", 1, 1.0)] {
        let mark = json!({"trace_id": trace, "value": value, "weight": weight});
        world.done("service_key", "POST", "/v1/feedback", mark).await;
    }
    let get = async |path: &str, filter: &str| {
        let time = "time_of_generation_min=2020-01-01T00:00:00Z&time_of_generation_max=2040-01-01T00:00:00Z";
        world.done("service_key", "GET", &format!("/v1/analytics/{path}?{time}{filter}"), json!({})).await
    };
    let graph = get("graphs/feedbacks", "").await;
    let points = graph["data_points"].as_array().unwrap();
    let sum: u64 = points.iter().map(|point| point["total"].as_u64().unwrap()).sum();
    assert_eq!((&graph["summary"], sum), (&json!({"total": 3}), 3));
    // 10 - 2.5 + 1, over 2.5 of weight.
    assert_eq!(get("graphs/feedbacks/weighted", "").await["summary"], json!({"avg": 3.4}));
    let scores = get("graphs/feedbacks/scores", "").await;
    let want = json!([{"score": -5, "total": 1}, {"score": 1, "total": 1}, {"score": 10, "total": 1}]);
    assert_eq!((&scores["summary"], &scores["data_points"]), (&json!({"total": 3}), &want));
    let want = json!([{"ai_model": "claude", "total": 2, "avg_weighted_feedback": 5.0}]);
    assert_eq!(get("graphs/feedbacks/ai-models", "").await["data_points"], want);
    // Of these requests only: those without a record of their own are left out.
    assert_eq!(get("graphs/feedbacks", "&status_code=200").await["summary"], json!({"total": 2}));
    assert_eq!(get("graphs/feedbacks", "&status_code=500").await["summary"], json!({"total": 0}));
    // 10, and -5 × 0.5.
    for (bounds, marks, requests) in [
        ("weighted_feedback_min=10", 1, 3),
        ("weighted_feedback_max=-2.5", 1, 3),
        ("weighted_feedback_min=-10", 2, 3),
        ("weighted_feedback_min=-2&weighted_feedback_max=9", 0, 0),
        ("weighted_feedback_min=10&trace_id=elsewhere", 0, 0),
        ("weighted_feedback_min=10&status_code=429", 1, 1),
        ("prompt_slug=greeting", 0, 0),
        ("span_id=span-1", 1, 1),
    ] {
        let filter = format!("&{bounds}");
        let total = async |path: &str| get(path, &filter).await["summary"]["total"].clone();
        assert_eq!(total("graphs/requests").await, requests, "{bounds}");
        if !bounds.starts_with("span_id") {
            assert_eq!(total("graphs/feedbacks").await, marks, "{bounds}");
        }
        let rows = get("groups/ai-models", &filter).await["data"].as_array().unwrap().len();
        assert_eq!(rows, requests, "{bounds}");
        let asked = get("query", &format!("&metrics=requests&bucket=none&compare=previous{filter}")).await;
        assert_eq!(asked["groups"][0]["total"]["requests"], requests, "{bounds}: {asked}");
    }
    let workspaces = "/v1/analytics/groups/workspaces?time_of_generation_min=2020-01-01T00:00:00Z";
    for (bounds, is_empty) in
        [("weighted_feedback_min=10", false), ("weighted_feedback_min=10&span_id=x", true)]
    {
        let rows = world.done("admin_key", "GET", &format!("{workspaces}&{bounds}"), json!({})).await;
        assert_eq!(rows["data"].as_array().unwrap().is_empty(), is_empty, "{bounds}: {rows}");
    }
    let groups = get("groups/metadata/team", "").await;
    let row = &groups["data"][0];
    assert_eq!(
        (&row["avg_weighted_feedback"], &row["requests_with_feedback"]),
        (&json!(5.0), &json!(1)),
        "{groups}"
    );
    let others = world.done("service_key_b", "GET", "/v1/analytics/graphs/feedbacks", json!({})).await;
    assert_eq!(others["summary"], json!({"total": 0}));
}

#[tokio::test]
async fn groups_are_paged_lists() {
    let (world, _) = world().await;
    for (path, member, keys) in [
        ("users", "user", json!(["alice"])),
        ("ai-models", "ai_model", json!(["claude", "gpt-4o", "gpt-4o-mini"])),
        ("model", "model", json!(["claude", "gpt-4o", "gpt-4o-mini"])),
        ("ai_service", "ai_service", json!(["openai"])),
        ("provider", "provider", json!(["prod"])),
        ("status_code", "status_code", json!([200, 429])),
        ("api_key", "api_key", json!(["key-1"])),
        ("config", "config", json!(["pc-a-1"])),
        ("workspaces", "workspace", json!(["ws-a"])),
        ("prompt", "prompt", json!([])),
        ("metadata/team", "metadata_value", json!(["red"])),
        ("metadata/absent", "metadata_value", json!([])),
    ] {
        let listed = get(&world, &format!("groups/{path}")).await;
        let rows = listed["data"].as_array().unwrap();
        let got: Vec<&Value> = rows.iter().map(|row| &row[member]).collect();
        assert_eq!((&listed["object"], json!(got)), (&json!("list"), keys), "{path}");
        assert_eq!(listed["total"], rows.len());
        assert!(rows.iter().all(|row| row["object"] == "analytics-group"), "{path}");
    }
    let listed =
        get(&world, "groups/status_code?columns=requests,cost,last_seen,success_rate&include_total=true");
    let listed = listed.await;
    assert_eq!(
        listed["data"][0],
        json!({
            "object": "analytics-group", "status_code": 200, "requests": 2, "cost": 2.5, "success_rate": 100.0,
            "last_seen": "2026-09-21T14:15:20.000Z",
        })
    );
    assert_eq!(listed["summary"]["requests"], 3);
    let page =
        get(&world, "groups/model?order_by=total_tokens&order_by_type=asc&page_size=1&current_page=1").await;
    assert_eq!((&page["total"], &page["data"][0]["model"]), (&json!(3), &json!("gpt-4o-mini")));
    // Who may see all workspaces may compare them.
    let all =
        world.done("admin_key", "GET", &format!("/v1/analytics/groups/workspaces?{TIME}"), json!({})).await;
    let rows: Vec<(&Value, &Value)> =
        all["data"].as_array().unwrap().iter().map(|row| (&row["workspace"], &row["requests"])).collect();
    assert_eq!(rows, [(&json!("ws-a"), &json!(3)), (&json!("ws-b"), &json!(1))]);
    for (query, param) in [
        ("groups/nothing?", "dimension"),
        ("groups/model?columns=price", "columns"),
        ("groups/model?order_by=price", "order_by"),
        ("groups/model?order_by_type=up", "order_by_type"),
        ("groups/model?include_total=maybe", "include_total"),
        ("graphs/cost?cost_min=cheap", "cost_min"),
        ("graphs/cost?time_of_generation_min=2030-01-01T00:00:00Z", "time_of_generation_min"),
        ("query?metrics=price", "metrics"),
        ("query?", "metrics"),
        ("query?metrics=cost&group=colour", "group"),
        ("query?metrics=cost&group=metadata.", "group"),
        ("query?metrics=cost&bucket=year", "bucket"),
        ("query?metrics=cost&bucket=minute&time_of_generation_min=2020-01-01T00:00:00Z", "bucket"),
        ("query?metrics=cost&group=model&top=0", "top"),
        ("query?metrics=cost&compare=later", "compare"),
    ] {
        let got = world.get("service_key", &format!("/v1/analytics/{query}")).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{query}: {}", got.text);
    }
}

#[tokio::test]
async fn any_metrics_over_time_and_by_what_tells_requests_apart() {
    let (world, _) = world().await;
    let table = world.done("service_key", "GET", "/v1/analytics/metrics", json!({})).await;
    let ids: Vec<&str> =
        table["data"].as_array().unwrap().iter().map(|metric| metric["id"].as_str().unwrap()).collect();
    assert!(ids.len() >= 42, "{}", ids.len());
    for member in ["name", "name_zh", "unit", "kind", "definition", "better"] {
        assert!(table["data"][0][member].is_string(), "{member}");
    }
    for some in ids.chunks(20) {
        let got = get(&world, &format!("query?bucket=none&metrics={}", some.join(","))).await;
        let total = got["groups"][0]["total"].as_object().unwrap();
        assert_eq!(total.keys().map(String::as_str).collect::<Vec<_>>(), some);
        assert!(total.values().all(|value| value.is_number() || value.is_null()));
    }
    let got = get(&world, "query?metrics=requests,cost,latency,cache_latency&compare=previous").await;
    assert_eq!(
        (&got["object"], &got["bucket"], &got["from"], &got["exact"]),
        (&json!("analytics-query"), &json!("minute"), &json!("2026-09-21T14:13:20.000Z"), &json!(true))
    );
    let nothing = json!({"requests": 0, "cost": 0.0, "latency": null, "cache_latency": null});
    let total = json!({"requests": 3, "cost": 0.0375, "latency": 1_500.0, "cache_latency": null});
    assert_eq!((&got["groups"][0]["key"], &got["groups"][0]["total"]), (&Value::Null, &total));
    assert_eq!(got["previous"]["total"], nothing);
    let mut empty = nothing.clone();
    empty["timestamp"] = json!("2026-09-21T14:18:00.000Z");
    assert_eq!((got["groups"].as_array().unwrap().len(), &got["groups"][0]["points"][5]), (1, &empty));

    let got = get(&world, "query?metrics=tokens&group=model&top=1&bucket=hour").await;
    let groups = got["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!((&groups[0]["key"], &groups[0]["total"]["tokens"]), (&json!("claude"), &json!(122)));
    assert_eq!((&groups[1]["key"], &groups[1]["total"]["tokens"]), (&Value::Null, &json!(241)));
    assert_eq!(groups[1]["points"], json!([{"timestamp": "2026-09-21T14:00:00.000Z", "tokens": 241}]));
    let got = get(&world, "query?metrics=requests&group=metadata.team&status_code=429").await;
    assert_eq!(
        (&got["groups"][0]["key"], &got["groups"][0]["total"]["requests"]),
        (&json!("red"), &json!(1))
    );
}

#[tokio::test]
async fn figures_are_of_what_the_caller_may_see() {
    let (world, _) = world().await;
    let uri = |more: &str| format!("/v1/analytics/query?metrics=requests&bucket=none&{TIME}{more}");
    let requests = |who: &'static str, more: &'static str| {
        let (world, uri) = (&world, uri(more));
        async move {
            let got = world.get(who, &uri).await;
            (got.status, got.body["groups"][0]["total"]["requests"].as_u64())
        }
    };
    assert_eq!(requests("service_key", "").await, (200, Some(3)));
    assert_eq!(requests("service_key_b", "").await, (200, Some(1)));
    assert_eq!(requests("service_key", "&workspace_slug=ws-b").await.0, 403);
    assert_eq!(requests("admin_key", "&workspace_slug=ws-b").await, (200, Some(1)));
    assert_eq!(requests("admin_key", "").await.0, 400, "an admin says which workspace");
    assert_eq!(requests("log_key", "").await.0, 403);
    assert_eq!(requests("stranger", "&workspace_slug=ws-a").await.0, 404);
    let all = world.get("service_key", &format!("/v1/analytics/groups/workspaces?{TIME}")).await;
    assert_eq!(all.body["total"], 1, "its own workspace only");

    let turn = |word: &'static str| {
        let world = &world;
        async move {
            let change = |stored: &mut Organisation| {
                stored.settings.insert(word.to_owned(), Value::Bool(false));
                Ok(())
            };
            let scope = tidegate_store::Scope::Organisation(world.org);
            let by = tidegate_store::audit::By::system();
            world.store.update(&by, &scope, world.org, Expected::Latest, change).await.unwrap();
        }
    };
    assert_eq!(requests("ws_member", "").await, (200, Some(3)));
    turn("membersViewAllData").await;
    assert_eq!(requests("ws_member", "").await, (200, Some(1)), "what his own keys asked");
    assert_eq!(requests("ws_manager", "").await, (200, Some(3)));
    turn("membersViewLogs").await;
    assert_eq!(requests("ws_member", "").await, (200, Some(1)), "figures are not bodies");
    turn("membersViewLogsMetadata").await;
    assert_eq!(requests("ws_member", "").await.0, 403);
}

#[tokio::test]
async fn without_records_there_is_nothing_to_count() {
    let world = World::new().await;
    let got = world.done("service_key", "GET", "/v1/analytics/graphs/requests", json!({})).await;
    assert_eq!(got["summary"]["total"], 0);
    let got = world.done("service_key", "GET", "/v1/analytics/groups/model", json!({})).await;
    assert_eq!(got["data"], json!([]));
}
