//! Which bodies of requests and answers are kept, and what is taken out of them: from the settings to the records.

use tidegate_records::{Keep, Policy};
use tidegate_settings::{Bodies, Records};

/// # Errors
/// A setting that is not accepted, is missing, or has no effect without another.
pub fn policy(records: &Records) -> Result<Policy, String> {
    let keep = match (records.bodies, records.body_share) {
        (Bodies::Sampled, None) => {
            return Err(
                "records.body_share is needed with records.bodies = \"sampled\", such as 0.01".to_owned()
            );
        }
        (Bodies::Sampled, Some(share)) => Keep::Sampled(share.in_million()),
        (_, Some(_)) => {
            return Err("records.body_share has no effect without records.bodies = \"sampled\"".to_owned());
        }
        (Bodies::None, None) => Keep::None,
        (Bodies::Errors, None) => Keep::Errors,
        (Bodies::All, None) => Keep::All,
    };
    for (field, is_set) in [
        ("redact_headers", !records.redact_headers.is_empty()),
        ("redact_paths", !records.redact_paths.is_empty()),
    ] {
        // A workspace may keep bodies where the settings say none.
        if is_set && !records.enabled {
            return Err(format!("records.{field} has no effect without records.enabled"));
        }
    }
    let mut policy = Policy { keep, headers: records.redact_headers.clone(), ..Policy::default() };
    if let Some(wrong) = policy.headers.iter().find(|name| name.parse::<http::HeaderName>().is_err()) {
        return Err(format!("records.redact_headers: {wrong:?} is no name of a header"));
    }
    for path in &records.redact_paths {
        policy.paths.push(path.parse().map_err(|error| format!("records.redact_paths: {error}"))?);
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use tidegate_settings::Share;

    use super::*;

    #[test]
    fn settings_become_a_policy_or_are_refused() {
        let share = Share::of(0.01);
        let bodies = |bodies| Records { bodies, ..Records::default() };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(policy(&Records::default()).unwrap().keep, Keep::None);
        let sampled = policy(&Records { body_share: share, ..bodies(Bodies::Sampled) }).unwrap();
        assert_eq!(sampled.keep, Keep::Sampled(10_000));
        let redacted = Records {
            redact_headers: names(&["x-customer"]),
            redact_paths: names(&["messages[*].content", "..email"]),
            ..bodies(Bodies::All)
        };
        let redacted = policy(&redacted).unwrap();
        assert_eq!((redacted.headers.len(), redacted.paths.len()), (1, 2));
        for (records, field) in [
            (bodies(Bodies::Sampled), "records.body_share"),
            (Records { body_share: share, ..bodies(Bodies::All) }, "records.body_share"),
            (
                Records { redact_headers: names(&["a"]), enabled: false, ..Records::default() },
                "records.redact_headers",
            ),
            (
                Records { redact_paths: names(&["a"]), enabled: false, ..bodies(Bodies::All) },
                "records.redact_paths",
            ),
            (Records { redact_paths: names(&["a[b"]), ..bodies(Bodies::All) }, "records.redact_paths"),
            (Records { redact_headers: names(&["a b"]), ..bodies(Bodies::All) }, "records.redact_headers"),
        ] {
            let told = policy(&records).unwrap_err();
            assert!(told.starts_with(field), "{told}");
        }
    }
}
