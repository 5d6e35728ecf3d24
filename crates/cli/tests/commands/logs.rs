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
