//! The JSON that clients see of hooks: results, feedback, the body of a refusal. Keys and their order are part of the
//! protocol.

use serde_json::{Map, Value, json};

use crate::check::{CheckError, Finding};
use crate::hook::Feedback;
use crate::js;
use crate::run::{CheckRun, HookRun};

/// The body of a refusal, status 446: the results of the request's hooks, and of the response's if it came that far.
pub fn denied_body(before: &[Value], after: &[Value]) -> Value {
    json!({
        "error": {
            "message": "The guardrail checks defined in the config failed. You can find more information in the `hook_results` object.",
            "type": "hooks_failed",
            "param": null,
            "code": null,
        },
        "hook_results": hook_results(before, after),
    })
}

/// The `hook_results` member of an answer. It is left out when no hook ran.
pub fn hook_results(before: &[Value], after: &[Value]) -> Value {
    json!({"before_request_hooks": before, "after_request_hooks": after})
}

pub(crate) fn hook_result(run: &HookRun<'_>) -> Value {
    js::object([
        ("verdict", Some(run.verdict.into())),
        ("id", run.hook.id.clone()),
        ("transformed", Some(run.checks.iter().any(|check| check.changed).into())),
        ("checks", Some(run.checks.iter().map(check_result).collect())),
        ("feedback", Some(feedback(run))),
        ("execution_time", Some(run.took_ms.into())),
        ("async", Some(false.into())),
        ("type", run.hook.kind.as_value()),
        ("created_at", Some(iso_8601(run.started_ms).into())),
        ("deny", Some((run.hook.deny && !run.verdict).into())),
    ])
}

fn check_result(run: &CheckRun<'_>) -> Value {
    let Finding { data, error, .. } = match &run.found {
        Ok(finding) => finding,
        Err(error) => {
            return json!({
                "error": error_object(error),
                "verdict": false,
                "data": null,
                "id": run.check.id,
                "execution_time": run.took_ms,
                "created_at": iso_8601(run.started_ms),
            });
        }
    };
    js::object([
        ("data", Some(data.clone())),
        ("verdict", Some(run.verdict().into())),
        ("id", Some(run.check.id.as_str().into())),
        ("error", error.as_ref().map(error_object)),
        ("execution_time", Some(run.took_ms.into())),
        ("transformed", Some(run.changed.into())),
        ("created_at", Some(iso_8601(run.started_ms).into())),
        ("log", Some(Value::Null)),
        ("fail_on_error", Some(run.check.parameters.fail_on_error().into())),
    ])
}

fn error_object(error: &CheckError) -> Value {
    js::object([("name", error.name.map(Value::from)), ("message", Some(error.message.as_str().into()))])
}

/// Feedback has a rule of its own: an error is a success, whatever `failOnError` says.
fn feedback(run: &HookRun<'_>) -> Value {
    let is_success = run.checks.iter().all(|check| check.verdict() || check.has_error());
    let configured = if is_success { &run.hook.on_success } else { &run.hook.on_fail };
    let Some(Feedback { value, weight, metadata }) = configured else { return Value::Null };
    let ids = |wanted: &dyn Fn(&CheckRun<'_>) -> bool| -> Value {
        let ids = run.checks.iter().filter(|check| wanted(check)).map(|check| check.check.id.as_str());
        ids.collect::<Vec<_>>().join(", ").into()
    };
    let mut metadata: Map<String, Value> = metadata.clone();
    metadata.insert("successfulChecks".to_owned(), ids(&|check| check.verdict()));
    metadata.insert("failedChecks".to_owned(), ids(&|check| !check.verdict() && !check.has_error()));
    metadata.insert("erroredChecks".to_owned(), ids(&|check| !check.verdict() && check.has_error()));
    js::object([
        ("value", value.clone()),
        ("weight", weight.clone()),
        ("metadata", Some(Value::Object(metadata))),
    ])
}

/// `2026-11-21T11:52:16.966Z`, from milliseconds since 1970.
fn iso_8601(unix_ms: u64) -> String {
    let (days, ms_of_day) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let (year, month, day) = date(days);
    let (seconds, ms) = (ms_of_day / 1_000, ms_of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The Gregorian date of a day since 1970, counted in years that begin in March so that the leap day is the last.
fn date(days: u64) -> (u64, u64, u64) {
    // Day 0 is 0000-03-01; eras are the 400 years after which the calendar repeats.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        for (unix_ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_825_600_000, "2000-02-29T12:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
            (1_795_261_936_966, "2026-11-21T11:52:16.966Z"),
        ] {
            assert_eq!(iso_8601(unix_ms), expected);
        }
    }

    #[test]
    fn a_refusal_names_both_lists() {
        let body = denied_body(&[json!({"id": "g"})], &[]);
        assert_eq!(
            body.to_string(),
            "{\"error\":{\"message\":\"The guardrail checks defined in the config failed. You can find more \
             information in the `hook_results` object.\",\"type\":\"hooks_failed\",\"param\":null,\"code\":null},\
             \"hook_results\":{\"before_request_hooks\":[{\"id\":\"g\"}],\"after_request_hooks\":[]}}"
        );
    }
}
