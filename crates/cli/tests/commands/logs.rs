//! `logs export`.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn logs_are_exported_line_by_line() {
    let stage = Stage::new();
    for id in ["l-1", "l-2"] {
        stage.server.handler().put("/logs", json!({"id": id, "ai_model": "gpt-4o"}));
    }
    let out = stage.ok("logs export --from 2026-01-01 --to 2026-02-01 --status 500 --format jsonl");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [json!({"id": "l-1", "ai_model": "gpt-4o"}), json!({"id": "l-2", "ai_model": "gpt-4o"})]
    );
    let asked = stage.last("GET").url;
    for part in
        ["time_of_generation_min=2026-01-01T00", "time_of_generation_max=2026-02-01T00", "status_code=500"]
    {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[test]
fn a_table_is_an_export_job_of_figures() {
    let stage = Stage::new();
    let out = stage.data_dir().join("logs.parquet");
    let line = format!("logs export --from 2026-01-01 --status 500 --format parquet --out {}", out.display());
    let told = stage.ok(&line);
    assert!(told.starts_with("wrote 2 logs to ") && told.ends_with("logs.parquet"), "{told}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "PAR1 and so on");
    let made = stage.server.requests().into_iter().find(|seen| seen.path() == "/v1/logs/exports").unwrap();
    let wanted = made.json();
    assert_eq!((&wanted["format"], &wanted["requested_data"]), (&json!("parquet"), &json!(["id", "cost"])));
    assert_eq!(wanted["filters"]["status_code"], "500");
    assert!(wanted["filters"]["time_of_generation_min"].as_str().unwrap().starts_with("2026-01-01T00"));

    // Nothing is written over, and what comes to nothing says why.
    assert!(stage.err(&line).to_string().contains("logs.parquet"));
    stage.server.handler().put("/failing", json!({}));
    let failure = stage.err(&line.replace("logs.parquet", "other.parquet")).to_string();
    assert!(failure.contains("too many logs"), "{failure}");
    assert!(stage.err("logs export --format parquet").to_string().contains("--out"));
}
