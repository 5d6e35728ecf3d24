//! What the admin API tells of budgets, from the books.

use tidegate_control::{Counted, ResetError, Standing, Subject, Usage};
use tidegate_ledger::{BudgetId, Ledger, Reset, Scope};
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
}
