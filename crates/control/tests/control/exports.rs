//! Export jobs, from the draft to the download.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use tidegate_records::Keep;
use tidegate_store::Expected;
use tidegate_store::entity::Organisation;

use crate::telling::{EXPORT_LOGS, Telling};
use crate::world::Got;

async fn told() -> Telling {
    let telling = Telling::new(Keep::All).await;
    let call = |i: usize, status: u16| {
        json!({"request": {"url": "https://api.openai.com/v1/chat/completions", "method": "POST", "provider": "openai",
                "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": format!("question {i}")}]}},
            "response": {"status": status, "response_time": 10, "body": {"usage": {"prompt_tokens": 10, "completion_tokens": i}}},
            "metadata": {"trace_id": "t", "span_id": format!("s{i}"), "team": "red"}})
    };
    let calls: Vec<Value> = (0..5).map(|i| call(i, if i == 4 { 500 } else { 200 })).collect();
    telling.tell(Value::from(calls)).await;
    telling
}

impl Telling {
    async fn finished(&self, id: &str) -> Value {
        let patience = Instant::now() + Duration::from_secs(120);
        loop {
            let job = self.get(&format!("/v1/logs/exports/{id}")).await;
            if job["status"] != "in_progress" {
                return job;
            }
            assert!(Instant::now() < patience, "{job}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn start(&self, id: &str) -> Value {
        self.world.done("service_key", "POST", &format!("/v1/logs/exports/{id}/start"), json!({})).await;
        self.finished(id).await
    }

    async fn download(&self, id: &str) -> Got {
        let link = self.get(&format!("/v1/logs/exports/{id}/download")).await;
        self.fetch(link["signed_url"].as_str().unwrap()).await
    }

    /// Without any header, as the link is fetched.
    async fn fetch(&self, url: &str) -> Got {
        let uri = url.strip_prefix("https://gateway.example").unwrap();
        self.world.send(Request::get(uri).body(Bytes::new()).unwrap()).await
    }
}

#[tokio::test]
async fn from_the_draft_to_the_download() {
    let telling = told().await;
    let body = json!({"workspace_id": "ws-a", "description": "all", "filters": {"status_code": [200], "cost_min": 0},
        "requested_data": ["id", "status_code", "ai_model", "total_tokens", "metadata", "request"]});
    let made = telling.world.done("service_key", "POST", "/v1/logs/exports", body).await;
    assert_eq!((&made["object"], &made["total"]), (&json!("export"), &json!(4)));
    let id = made["id"].as_str().unwrap();
    let uri = |what: &str| format!("/v1/logs/exports/{id}{what}");
    let draft = telling.get(&uri("")).await;
    assert_eq!(
        (&draft["status"], &draft["total_records"], &draft["description"]),
        (&json!("draft"), &json!(0), &json!("all"))
    );
    assert_eq!(telling.world.get("service_key", &uri("/download")).await.status, 400);
    let started = telling.world.done("service_key", "POST", &uri("/start"), json!({})).await;
    assert_eq!(started["object"], "export");
    let done = telling.finished(id).await;
    assert_eq!((&done["status"], &done["total_records"]), (&json!("success"), &json!(4)), "{done}");
    let link = telling.get(&uri("/download")).await["signed_url"].as_str().unwrap().to_owned();
    let got = telling.fetch(&link).await;
    assert_eq!(
        (got.status, got.headers["content-type"].to_str().unwrap()),
        (200, "application/x-ndjson"),
        "{}",
        got.text
    );
    let lines: Vec<Value> = got.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    let names: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "status_code", "ai_model", "total_tokens", "metadata", "request"]);
    assert!(
        lines.iter().all(|line| line["status_code"] == 200 && line["metadata"] == json!({"team": "red"}))
    );
    assert!(got.text.contains("question 2"), "{}", got.text);

    // Only that link, and only for its time.
    for wrong in [
        link.replace("token=", "token=0"),
        link.split("&token").next().unwrap().to_owned(),
        link.replace("organisation=", "x="),
    ] {
        assert_eq!(telling.fetch(&wrong).await.status, 404, "{wrong}");
    }
    telling.world.clock.advance(3_600_001);
    assert_eq!(telling.fetch(&link).await.status, 404);

    // Changed, it is a draft again.
    let saved = telling
        .world
        .done(
            "service_key",
            "PUT",
            &uri(""),
            json!({"filters": {"created_at": {"gte": "2030-01-01T00:00:00Z"}}}),
        )
        .await;
    assert_eq!(saved["total"], 0);
    assert_eq!(telling.get(&uri("")).await["status"], "draft");
    telling.world.done("service_key", "POST", &uri("/cancel"), json!({})).await;
    assert_eq!(telling.get(&uri("")).await["status"], "stopped");
    assert_eq!(telling.world.ask("service_key", "POST", &uri("/cancel"), None).await.status, 409);
    let listed = telling.get("/v1/logs/exports?workspace_id=ws-a").await;
    assert_eq!((&listed["total"], &listed["data"][0]["id"]), (&json!(1), &json!(id)));
    for who in ["service_key_b", "stranger"] {
        assert!(matches!(telling.world.get(who, &uri("")).await.status, 403 | 404), "{who}");
    }
}

#[tokio::test]
async fn what_may_be_exported() {
    let telling = told().await;
    for (body, param) in [
        (json!({"requested_data": ["id"]}), "filters"),
        (json!({"filters": {}}), "requested_data"),
        (json!({"filters": {}, "requested_data": ["id", "password"]}), "requested_data.1"),
        (json!({"filters": {"status_code": "ok"}, "requested_data": ["id"]}), "status_code"),
    ] {
        let got = telling.world.ask("service_key", "POST", "/v1/logs/exports", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    let set = |name: &'static str, value: Value| {
        let world = &telling.world;
        async move {
            let change = |stored: &mut Organisation| {
                stored.settings.insert(name.to_owned(), value.clone());
                Ok(())
            };
            let scope = tidegate_store::Scope::Organisation(world.org);
            let by = tidegate_store::audit::By::system();
            world.store.update(&by, &scope, world.org, Expected::Latest, change).await.unwrap();
        }
    };
    let with = |field: &str| json!({"filters": {}, "requested_data": [field]});
    set("membersViewLogs", json!(false)).await;
    let ask = |who: &'static str, body: Value| {
        let world = &telling.world;
        async move { world.ask(who, "POST", "/v1/logs/exports", Some(&body)).await.status }
    };
    assert_eq!(ask("ws_member", with("request")).await, 403, "figures only");
    set("export_settings", json!({"deniedFields": ["request", "cost"]})).await;
    assert_eq!(ask("service_key", with("request")).await, 400);
    assert_eq!(ask("service_key", with("id")).await, 200);
    let restrictions = telling.get("/v1/logs/exports/field-restrictions?workspace_id=ws-a").await;
    assert_eq!(restrictions["denied_fields"], json!(["request", "cost"]));
    assert!(!restrictions["allowed_fields"].as_array().unwrap().contains(&json!("cost")));
}

#[tokio::test]
async fn many_logs_are_exported_whole_or_not_at_all() {
    let telling = Telling::new(Keep::None).await;
    let call = |i: u64| {
        json!({"request": {"url": "https://api.openai.com/v1/chat/completions", "method": "POST", "provider": "openai",
                "body": {"model": "gpt-4o"}},
            "response": {"status": 200, "response_time": 10, "body": {"usage": {"prompt_tokens": 10, "completion_tokens": i}}},
            // Not all in one millisecond: ids of what is told have room for a few there.
            "start_time": 1_799_999_000.0 + i as f64 / 100.0,
            "metadata": {"trace_id": "t", "span_id": format!("s{i}"), "n": i.to_string()}})
    };
    for first in (0..EXPORT_LOGS).step_by(100) {
        let calls: Vec<Value> = (first..first + 100).map(call).collect();
        telling.tell(Value::from(calls)).await;
    }
    let fields = json!(["id", "created_at", "res_units", "cost", "is_success", "metadata"]);
    let body = json!({"filters": {}, "requested_data": fields, "format": "jsonl"});
    let made = telling.world.done("service_key", "POST", "/v1/logs/exports", body).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        (&made["total"], &telling.start(id).await["status"]),
        (&json!(EXPORT_LOGS), &json!("success"))
    );
    let got = telling.download(id).await;
    let lines: Vec<Value> = got.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut units: Vec<u64> = lines.iter().map(|line| line["res_units"].as_u64().unwrap()).collect();
    units.sort_unstable();
    assert_eq!(units, (0..EXPORT_LOGS).collect::<Vec<_>>(), "each log, and none twice");

    // The same as a table.
    let changed = json!({"format": "parquet"});
    telling.world.done("service_key", "PUT", &format!("/v1/logs/exports/{id}"), changed).await;
    let job = telling.start(id).await;
    assert_eq!((&job["format"], &job["total_records"]), (&json!("parquet"), &json!(EXPORT_LOGS)));
    let got = telling.download(id).await;
    assert_eq!(got.headers["content-type"], "application/vnd.apache.parquet");
    assert_eq!(
        got.headers["content-disposition"].to_str().unwrap(),
        format!("attachment; filename=\"logs-{id}.parquet\"")
    );
    let rows = SerializedFileReader::new(got.bytes).unwrap();
    let rows: Vec<Vec<Field>> = rows
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().get_column_iter().map(|(_, field)| field.clone()).collect())
        .collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        let Field::Str(id) = &row[0] else { panic!("{row:?}") };
        let Field::TimestampMillis(at) = row[1] else { panic!("{row:?}") };
        assert_eq!(line["id"], json!(id));
        assert_eq!(line["created_at"], json!(tidegate_core::clock::rfc3339_text(at.unsigned_abs())));
        assert_eq!(row[2], Field::Long(line["res_units"].as_i64().unwrap()));
        let Field::Decimal(cost) = &row[3] else { panic!("{row:?}") };
        let cost = i128::from_be_bytes(cost.data().try_into().unwrap()) as f64 / 1e18;
        assert!((cost - line["cost"].as_f64().unwrap()).abs() < 1e-12, "{cost} {line}");
        assert_eq!((&row[4], &row[5]), (&Field::Bool(true), &Field::Str(line["metadata"].to_string())));
    }

    // One more than an export may have: no part of it is given for the whole.
    telling.tell(json!([call(EXPORT_LOGS)])).await;
    let job = telling.start(id).await;
    assert_eq!((&job["status"], &job["total_records"]), (&json!("failed"), &json!(EXPORT_LOGS + 1)), "{job}");
    assert!(job["error"].as_str().unwrap().contains("records.export_logs"), "{job}");
    assert_eq!(
        telling.world.get("service_key", &format!("/v1/logs/exports/{id}/download")).await.status,
        400
    );

    for (fields, param) in [(json!([]), "requested_data"), (json!(["id", "cost", "id"]), "requested_data.2")]
    {
        let body = json!({"filters": {}, "requested_data": fields, "format": "parquet"});
        let got = telling.world.ask("service_key", "POST", "/v1/logs/exports", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
}
