//! A notice as JSON: the event's members for programs, or the text that Slack and what imitates it show.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_core::clock::rfc3339_text;
use tidegate_ledger::{Amount, Reset, Unit};

use crate::notice::{BudgetEvent, Event, Notice};
use crate::options::Form;
use crate::rule::Members;
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<Block>,
}

/// Of Slack's Block Kit.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Header { text: BlockText },
    Section { text: BlockText },
}

#[derive(Serialize)]
#[serde(tag = "type", content = "text", rename_all = "snake_case")]
enum BlockText {
    PlainText(String),
    Mrkdwn(String),
}

/// Slack refuses longer headers and sections.
const LONGEST_HEADER: usize = 150;
const LONGEST_SECTION: usize = 3_000;

/// The body of a webhook.
///
/// # Errors
/// The serialiser's, which has nothing to refuse.
pub(crate) fn of(notice: &Notice, form: Form) -> Result<Bytes, serde_json::Error> {
    let json = match form {
        Form::Json => match &notice.event {
            Event::Rule(rule) => serde_json::to_vec(&Members::of(rule))?,
            Event::Budget(_) | Event::Test => serde_json::to_vec(&plain(notice))?,
        },
        Form::Slack => serde_json::to_vec(&slack(notice))?,
    };
    Ok(Bytes::from(json))
}

fn slack(notice: &Notice) -> Slack {
    let (subject, body) = (text::subject(notice), text::body(notice));
    let blocks = match &notice.event {
        Event::Rule(_) => vec![
            // Plain text: nothing in it means anything.
            Block::Header { text: BlockText::PlainText(cut(&subject, LONGEST_HEADER)) },
            Block::Section { text: BlockText::Mrkdwn(cut(&escaped(&body), LONGEST_SECTION)) },
        ],
        Event::Budget(_) | Event::Test => Vec::new(),
    };
    Slack { text: escaped(&format!("*{subject}*\n{body}")), blocks }
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

fn plain(notice: &Notice) -> Plain<'_> {
    let (event, budget) = match &notice.event {
        // A rule's has members of its own.
        Event::Test | Event::Rule(_) => ("test", None),
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
