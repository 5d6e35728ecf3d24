//! `tidegate budgets`: what keys, providers and workspaces may use up.

use clap::Subcommand;
use serde::Serialize;

use crate::failure::Failure;
use crate::limit::{Alert, Budget, UsageLimit};
use crate::owner::{Owner, OwnerKind};
use crate::row::minute;
use crate::session::Session;
use crate::table::{fields, table_or};

#[derive(Debug, Clone, Subcommand)]
pub enum BudgetsCommand {
    /// All budgets
    List,
    /// The budget of a key, a provider or a workspace
    Show { kind: OwnerKind, name: String },
    /// Set a budget, in place of the one that is there
    Set {
        kind: OwnerKind,
        name: String,
        /// 5usd/month, 1000000tokens/day, 100usd (a workspace may have several)
        #[arg(required = true)]
        budget: Vec<Budget>,
        /// Notice when so much is used: 80%, 4usd
        #[arg(long, value_name = "AMOUNT")]
        alert: Option<Alert>,
    },
    /// Begin the period anew: usage is zero
    Reset { kind: OwnerKind, name: String },
    /// Take the budget away
    Clear { kind: OwnerKind, name: String },
}

/// One object for keys and providers, an array for workspaces; null takes it away.
#[derive(Serialize)]
struct Body {
    usage_limits: Form,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Form {
    None,
    One(Box<UsageLimit>),
    Many(Vec<UsageLimit>),
}

#[derive(Serialize)]
struct ResetBody {
    reset_usage: bool,
}

pub(crate) async fn run(command: &BudgetsCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        BudgetsCommand::List => list(session).await,
        BudgetsCommand::Show { kind, name } => {
            let owner = Owner::find(*kind, name, session).await?;
            session.show_made(&owner, || {
                if owner.budgets.is_empty() {
                    return format!("{} has no budget", owner.shown());
                }
                let shown: Vec<_> = owner.budgets.iter().map(|budget| describe(&owner, budget)).collect();
                shown.join("\n\n")
            })
        }
        BudgetsCommand::Set { kind, name, budget, alert } => {
            let limits: Result<Vec<_>, _> =
                budget.iter().map(|budget| budget.clone().with_alert(*alert)).collect();
            let mut limits = limits.map_err(Failure::usage)?;
            let words: Vec<_> = limits.iter().map(ToString::to_string).collect();
            let usage_limits = match (kind, limits.len()) {
                (OwnerKind::Workspace, _) => Form::Many(limits),
                (_, 1) => Form::One(Box::new(limits.swap_remove(0))),
                _ => {
                    return Err(Failure::usage(format!(
                        "a {} has one budget; a workspace may have several",
                        kind.word()
                    )));
                }
            };
            let owner = Owner::find(*kind, name, session).await?;
            let answer = owner.put(session, &Body { usage_limits }).await?;
            Ok(session.show(&answer, || format!("{} may use {}", owner.shown(), words.join(" and "))))
        }
        BudgetsCommand::Reset { kind, name } => {
            if *kind == OwnerKind::Workspace {
                return Err(Failure::usage("a workspace's budget is not reset by hand; set a new one"));
            }
            let owner = Owner::find(*kind, name, session).await?;
            let answer = owner.put(session, &ResetBody { reset_usage: true }).await?;
            Ok(session.show(&answer, || format!("the usage of {} is zero", owner.shown())))
        }
        BudgetsCommand::Clear { kind, name } => {
            let owner = Owner::find(*kind, name, session).await?;
            let answer = owner.put(session, &Body { usage_limits: Form::None }).await?;
            Ok(session.show(&answer, || format!("{} has no budget any more", owner.shown())))
        }
    }
}

async fn list(session: &Session<'_>) -> Result<String, Failure> {
    let mut owners = Owner::all(session).await?;
    owners.retain(|owner| !owner.budgets.is_empty());
    let mut rows = Vec::new();
    for owner in &owners {
        for budget in &owner.budgets {
            rows.push(vec![
                owner.kind.word().to_owned(),
                owner.name.clone(),
                budget.to_string(),
                used(budget),
                alert(budget),
                owner.status.clone(),
                budget.next_usage_reset_at.as_deref().map(minute).unwrap_or_default(),
            ]);
        }
    }
    let nothing = "no budgets; set one with `tidegate budgets set key NAME 5usd/month`";
    let header = ["OF", "NAME", "BUDGET", "USED", "ALERT", "STATUS", "STARTS ANEW"];
    session.show_made(&owners, || table_or(&header, &rows, nothing))
}

fn describe(owner: &Owner, budget: &UsageLimit) -> String {
    fields(&[
        ("of", owner.shown()),
        ("budget", budget.to_string()),
        ("used", used(budget)),
        ("alert", alert(budget)),
        ("status", owner.status.clone()),
        ("starts anew", budget.next_usage_reset_at.as_deref().map(minute).unwrap_or_default()),
    ])
}

fn used(budget: &UsageLimit) -> String {
    budget
        .current_usage
        .map_or_else(String::new, |used| format!("{}{}", used.normalize(), budget.spent.word()))
}

fn alert(budget: &UsageLimit) -> String {
    budget.alert_threshold.map_or_else(String::new, |at| format!("{}{}", at.normalize(), budget.spent.word()))
}
