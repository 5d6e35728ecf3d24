//! What the admin API tells of budgets, from the books.

use tidegate_control::{
    Counted, Held, HeldPart, ResetError, Resolution, ResolveError, Resolving, Standing, Subject, Usage,
};
use tidegate_ledger::books::{Open, Part};
use tidegate_ledger::{Budget, BudgetId, ChangeError, Charge, Ledger, Reset, Scope, Unit};
use tidegate_store::id::PolicyId;

/// The books of this process. Of budgets that several replicas share it knows its own part.
#[derive(Debug)]
pub struct Books(pub Ledger);

impl Books {
    fn budgets(&self, subject: &Subject) -> Vec<BudgetId> {
        let (scope, id) = match subject {
            Subject::ApiKey(id) => (Scope::ApiKey, id.to_string()),
            Subject::Workspace(id) => (Scope::Workspace, id.to_string()),
            Subject::Provider(id) => (Scope::VirtualKey, id.to_string()),
            Subject::Integration(id, workspace) => (Scope::Integration, format!("{id}/{workspace}")),
            Subject::Policy(id, value) => (Scope::Policy, format!("{id}/{value}")),
        };
        self.0.find(scope, &id)
    }

    fn parts_of<'a>(&'a self, open: &'a Open) -> impl Iterator<Item = (Part, Budget)> + 'a {
        open.parts.iter().filter_map(|part| Some((*part, self.0.budget_of(part)?)))
    }

    fn standing_of(&self, id: BudgetId) -> Option<Standing> {
        let budget = self.0.budget(id)?;
        let standing = self.0.standing(id)?;
        Some(Standing {
            unit: budget.limit.unit(),
            limit: standing.amount,
            used: standing.settled + standing.held,
            reserved: standing.reserved,
            is_exhausted: standing.is_exhausted(),
            resets_at: (standing.end != Reset::NEVER).then_some(standing.end),
        })
    }
}

impl Usage for Books {
    fn standing(&self, subject: &Subject) -> Vec<Standing> {
        self.budgets(subject).into_iter().filter_map(|id| self.standing_of(id)).collect()
    }

    fn counted(&self, policy: PolicyId) -> Vec<Counted> {
        let prefix = format!("{policy}/");
        let ids = self.0.budgets().into_iter();
        ids.filter_map(|id| {
            let budget = self.0.budget(id).filter(|budget| budget.scope == Scope::Policy)?;
            let value_key = budget.id.strip_prefix(&prefix)?.to_owned();
            let standing = self.standing_of(id)?;
            let threshold_alerted = budget.limit.alerts().first().is_some_and(|mark| standing.used >= *mark);
            let exhausted_alerted = standing.is_exhausted;
            Some(Counted { value_key, standing, threshold_alerted, exhausted_alerted })
        })
        .collect()
    }

    fn reset(&self, subject: &Subject) -> Result<(), ResetError> {
        for id in self.budgets(subject) {
            self.0.reset(id).map_err(|error| ResetError(error.to_string()))?;
        }
        Ok(())
    }

    fn held(&self) -> Vec<Held> {
        let held = self.0.held().into_iter();
        held.map(|(id, open)| Held {
            id,
            at: open.at,
            request: open.request.to_string(),
            trace: open.trace.to_string(),
            parts: self
                .parts_of(&open)
                .filter_map(|(part, budget)| {
                    let subject = subject_of(&budget)?;
                    Some(HeldPart { subject, unit: budget.limit.unit(), amount: part.amount })
                })
                .collect(),
        })
        .collect()
    }

    fn resolve(&self, id: u64, resolution: Resolution) -> Resolving<'_> {
        Box::pin(async move {
            let held = self.0.held().into_iter().find(|(held, _)| *held == id);
            let (_, open) = held.ok_or(ResolveError::NotThere)?;
            let unable = |why: &dyn std::fmt::Display| ResolveError::Unable(why.to_string());
            let charge = match resolution {
                Resolution::Release => Charge::NOTHING,
                Resolution::Settle => {
                    let tokens =
                        self.parts_of(&open).filter(|(_, budget)| budget.limit.unit() == Unit::Tokens);
                    let tokens = tokens.map(|(part, _)| part.amount.whole()).max().unwrap_or(0);
                    Charge { cost: None, tokens, estimated: false }
                }
                Resolution::Cost { cost, tokens } => {
                    let cost = cost.money().map_err(|error| unable(&error))?;
                    Charge { cost: Some(cost), tokens, estimated: false }
                }
            };
            self.0.resolve(id, &charge).map_err(|error| match error {
                ChangeError::NotThere => ResolveError::NotThere,
                error => unable(&error),
            })?;
            self.0.flush().await.map_err(|error| unable(&error))
        })
    }
}

/// Whose budget it is. `None` for what nobody can name any more.
fn subject_of(budget: &Budget) -> Option<Subject> {
    let id = budget.id.as_str();
    Some(match budget.scope {
        Scope::ApiKey => Subject::ApiKey(id.parse().ok()?),
        Scope::Workspace => Subject::Workspace(id.parse().ok()?),
        Scope::VirtualKey => Subject::Provider(id.parse().ok()?),
        Scope::Integration => {
            let (id, workspace) = id.split_once('/')?;
            Subject::Integration(id.parse().ok()?, workspace.parse().ok()?)
        }
        Scope::Policy => {
            let (id, value) = id.split_once('/')?;
            Subject::Policy(id.parse().ok()?, value.to_owned())
        }
        Scope::Metadata => return None,
    })
}
