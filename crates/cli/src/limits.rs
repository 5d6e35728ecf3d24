//! `tidegate limits`: how fast keys, providers and workspaces may go.

use clap::Subcommand;
use serde::Serialize;

use crate::failure::Failure;
use crate::keys::rates;
use crate::limit::{RateLimit, Rates};
use crate::owner::{Owner, OwnerKind};
use crate::session::Session;
use crate::table::table_or;

#[derive(Debug, Clone, Subcommand)]
pub enum LimitsCommand {
    /// All rate limits
    List,
    /// Set limits, in place of those that are there
    Set {
        kind: OwnerKind,
        name: String,
        /// 100/minute, 100/2minutes, 20000tokens/hour, 8 concurrent
        #[arg(required = true)]
        limit: Vec<Rates>,
    },
    /// Take the limits away
    Clear { kind: OwnerKind, name: String },
}

#[derive(Serialize)]
struct Body<'a> {
    rate_limits: Vec<&'a RateLimit>,
}

pub(crate) async fn run(command: &LimitsCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        LimitsCommand::List => {
            let mut owners = Owner::all(session).await?;
            owners.retain(|owner| !owner.rates.is_empty());
            let rows: Vec<_> = owners
                .iter()
                .map(|owner| vec![owner.kind.word().to_owned(), owner.name.clone(), rates(&owner.rates)])
                .collect();
            let nothing = "no limits; set one with `tidegate limits set key NAME 100/minute`";
            session.show_made(&owners, || table_or(&["OF", "NAME", "LIMITS"], &rows, nothing))
        }
        LimitsCommand::Set { kind, name, limit } => {
            let owner = Owner::find(*kind, name, session).await?;
            let rate_limits: Vec<_> = limit.iter().flat_map(|rates| &rates.0).collect();
            let words: Vec<_> = rate_limits.iter().map(ToString::to_string).collect();
            let answer = owner.put(session, &Body { rate_limits }).await?;
            Ok(session.show(&answer, || format!("{} is limited to {}", owner.shown(), words.join(" and "))))
        }
        LimitsCommand::Clear { kind, name } => {
            let owner = Owner::find(*kind, name, session).await?;
            let answer = owner.put(session, &Body { rate_limits: Vec::new() }).await?;
            Ok(session.show(&answer, || format!("{} has no limits any more", owner.shown())))
        }
    }
}
