//! What the gateway answered instead of doing it, in words, and what to do about it.

use http::StatusCode;
use serde::Deserialize;

use crate::failure::{Failure, FailureKind};

/// The members of the several shapes of an error that say something.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    message: Option<String>,
    #[serde(rename = "errorCode")]
    code: Option<String>,
    error: Option<Inner>,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Inner {
    Object { message: Option<String>, param: Option<String> },
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data {
    message: Option<String>,
    #[serde(rename = "errorCode")]
    code: Option<String>,
    missing_scope: Option<String>,
}

/// A page instead of JSON is cut to this.
const MAX_SHOWN: usize = 300;

pub(crate) fn of(status: StatusCode, text: &str, asked: &str, base: &str, key_source: &str) -> Failure {
    let body: Option<Body> = serde_json::from_str(text).ok();
    let is_ours = body.is_some();
    let Body { message, code, error, data } = body.unwrap_or_default();
    let data = data.unwrap_or_default();
    let (inner, field) = match error {
        Some(Inner::Object { message, param }) => (message, param),
        Some(Inner::Text(text)) => (Some(text), None),
        None => (None, None),
    };
    let said = inner.or(message).or(data.message);
    let said = said.unwrap_or_else(|| text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect());
    let code = code.or(data.code).map_or_else(String::new, |code| format!(" {code}"));
    let mut shown = format!("{asked} was refused: {}{code}: {said}", status.as_u16());
    if let Some(scope) = &data.missing_scope {
        shown.push_str(&format!("\nMissing scope: {scope}"));
    } else if let Some(field) = field.filter(|field| !said.contains(field.as_str())) {
        shown.push_str(&format!("\nField: {field}"));
    }
    let hint = match status {
        StatusCode::UNAUTHORIZED => Some(format!(
            "The key in {key_source} is not one that {base} knows. Is this the gateway that you mean?"
        )),
        StatusCode::FORBIDDEN => Some(format!(
            "The key in {key_source} may not do this; use one that holds the scope, or the admin key."
        )),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if !is_ours => {
            Some(format!("Is a Tidegate with an admin API at {base}?"))
        }
        _ => None,
    };
    if let Some(hint) = hint {
        shown.push('\n');
        shown.push_str(&hint);
    }
    let kind = match status {
        StatusCode::UNAUTHORIZED => FailureKind::Key,
        StatusCode::FORBIDDEN => FailureKind::Forbidden,
        StatusCode::NOT_FOUND => FailureKind::NotFound,
        _ => FailureKind::Failed,
    };
    Failure::new(kind, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(status: u16, text: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        of(status, text, "POST /v1/x", "http://a:1", "TIDEGATE_ADMIN_KEY").message
    }

    #[test]
    fn every_shape_of_an_error_is_read() {
        for text in [
            r#"{"success":false,"data":{"message":"M","errorCode":"AB01"}}"#,
            r#"{"errorCode":"AB01","message":"M"}"#,
            r#"{"success":false,"message":"M","errorCode":"AB01","error":{"message":"M","type":"client_error","code":"AB01","param":null},"data":{"message":"M","errorCode":"AB01"}}"#,
        ] {
            assert_eq!(shown(400, text), "POST /v1/x was refused: 400 AB01: M");
        }
        assert_eq!(shown(404, r#"{"error":"no"}"#), "POST /v1/x was refused: 404: no");
    }

    #[test]
    fn field_scope_and_remedy_are_named() {
        assert!(
            shown(400, r#"{"error":{"message":"M","param":"rate_limits[0].unit"}}"#)
                .ends_with("\nField: rate_limits[0].unit")
        );
        let text = shown(403, r#"{"message":"M","data":{"missing_scope":"configs.create"}}"#);
        assert!(
            text.contains("\nMissing scope: configs.create\n") && text.contains("may not do this"),
            "{text}"
        );
        assert!(shown(401, "{}").contains("The key in TIDEGATE_ADMIN_KEY is not one that http://a:1 knows"));
        assert!(shown(404, "<html>nginx").ends_with("Is a Tidegate with an admin API at http://a:1?"));
    }
}
