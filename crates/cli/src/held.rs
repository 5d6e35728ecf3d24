//! `tidegate ledger held` and `ledger resolve`: what crashes left open on budgets.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::failure::Failure;
use crate::row::{list, minute, text};
use crate::session::Session;
use crate::table::table_or;

/// What it cost.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Outcome {
    /// Nothing: all of it is free again
    #[arg(long)]
    release: bool,
    /// All that is held
    #[arg(long)]
    settle: bool,
    /// So many US dollars, such as 0.0012; the rest is free again
    #[arg(long, value_name = "USD")]
    cost: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[group(id = "resolution")]
pub struct Resolve {
    /// Of `ledger held`, on the same gateway
    id: u64,
    #[command(flatten)]
    outcome: Outcome,
    /// With --cost: how many tokens it used, for budgets in tokens
    #[arg(long, value_name = "COUNT", requires = "cost")]
    tokens: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    release: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    settle: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    reserved_at: String,
    #[serde(default, deserialize_with = "text")]
    request_id: String,
    #[serde(default, deserialize_with = "text")]
    trace_id: String,
    #[serde(default, deserialize_with = "list")]
    budgets: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default, deserialize_with = "text")]
    of: String,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text", rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "text")]
    held: String,
}

impl Part {
    fn shown(&self) -> String {
        let unit = if self.kind == "tokens" { "tokens" } else { "usd" };
        format!("{} '{}' {}{unit}", self.of.replace('_', " "), self.name, self.held)
    }
}

const PATH: &str = "/admin/held-reservations";

pub(crate) async fn held(session: &Session<'_>) -> Result<String, Failure> {
    let list = session.list::<Row>(PATH, &[]).await?;
    let line = |row: &Row| {
        let budgets: Vec<_> = row.budgets.iter().map(Part::shown).collect();
        let unknown = "unknown".to_owned();
        let request = if row.request_id.is_empty() { unknown } else { row.request_id.clone() };
        vec![row.id.clone(), minute(&row.reserved_at), request, row.trace_id.clone(), budgets.join(", ")]
    };
    let rows: Vec<_> = list.rows.iter().map(line).collect();
    let header = ["ID", "RESERVED", "REQUEST", "TRACE", "HELD"];
    session.show_list(&list, || table_or(&header, &rows, "nothing is held: no crash left anything open here"))
}

pub(crate) async fn resolve(command: &Resolve, session: &Session<'_>) -> Result<String, Failure> {
    let Outcome { release, settle, cost } = &command.outcome;
    let body = Body { release: *release, settle: *settle, cost: cost.as_deref(), tokens: command.tokens };
    let path = format!("{PATH}/{}/resolve", segment(&command.id.to_string()));
    let answer = session.client.post(&path, &body).await?;
    let what = match cost {
        Some(cost) => format!("cost {cost} USD"),
        None if *settle => "cost all that was held".to_owned(),
        None => "cost nothing".to_owned(),
    };
    Ok(session.show(&answer, || format!("{}: {what}", command.id)))
}
