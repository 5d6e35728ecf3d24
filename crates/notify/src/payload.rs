//! A notice as JSON: the event's members for programs, or the text that Slack and what imitates it show.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_core::clock::rfc3339_text;
use tidegate_ledger::{Amount, Reset, Unit};

use crate::notice::{BudgetEvent, Event, Notice};
use crate::options::Form;
use crate::text;

#[derive(Serialize)]
struct Plain<'a> {
    event: &'static str,
    notice_id: &'a str,
    #[serde(flatten)]
    budget: Option<Budget<'a>>,
    created_at: String,
}

/// Amounts are JSON numbers with all their digits.
#[derive(Serialize)]
struct Budget<'a> {
    level: &'static str,
    id: Option<&'a str>,
    slug: &'a str,
    workspace_id: Option<&'a str>,
    r#type: &'static str,
    credit_limit: Option<Box<RawValue>>,
    current_usage: Option<Box<RawValue>>,
    alert_threshold: Option<Box<RawValue>>,
    next_usage_reset_at: Option<String>,
}

#[derive(Serialize)]
struct Slack {
    text: String,
}

/// The body of a webhook.
///
/// # Errors
/// The serialiser's, which has nothing to refuse.
pub(crate) fn of(notice: &Notice, form: Form) -> Result<Bytes, serde_json::Error> {
    let json = match form {
        Form::Json => serde_json::to_vec(&plain(notice))?,
        Form::Slack => {
            let text = format!("*{}*\n{}", text::subject(notice), text::body(notice));
            serde_json::to_vec(&Slack { text: escaped(&text) })?
        }
    };
    Ok(Bytes::from(json))
}

fn plain(notice: &Notice) -> Plain<'_> {
    let (event, budget) = match &notice.event {
        Event::Test => ("test", None),
        Event::Budget(budget) if budget.alert.exhausted => {
            ("usage_limit.exhausted", Some(self::budget(budget)))
        }
        Event::Budget(budget) => ("usage_limit.threshold", Some(self::budget(budget))),
    };
    Plain { event, notice_id: notice.id(), budget, created_at: rfc3339_text(notice.at) }
}

fn budget(event: &BudgetEvent) -> Budget<'_> {
    let (alert, holder) = (&event.alert, &event.holder);
    Budget {
        level: alert.scope.word(),
        id: holder.id.as_deref(),
        slug: event.name(),
        workspace_id: holder.workspace.as_deref(),
        r#type: match alert.unit {
            Unit::Usd => "cost",
            Unit::Tokens => "tokens",
        },
        credit_limit: number(alert.amount),
        current_usage: number(alert.used),
        alert_threshold: if alert.exhausted { None } else { number(alert.mark) },
        next_usage_reset_at: (alert.period_end != Reset::NEVER).then(|| rfc3339_text(alert.period_end)),
    }
}

fn number(amount: Amount) -> Option<Box<RawValue>> {
    RawValue::from_string(amount.to_string()).ok()
}

/// The three characters that mean something in Slack's texts.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
