//! What there is to tell.

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_ledger::Alert;

/// Something that somebody outside should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub event: Event,
    /// Mail addresses beside those of the options. Those that are none are counted as failed.
    pub recipients: Vec<String>,
    /// Milliseconds since 1970: when it happened.
    pub at: u64,
    id: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Usage reached a threshold, or the whole of a budget.
    Budget(BudgetEvent),
    /// An alert rule fires, or does not any more.
    Rule(Box<tidegate_alerts::Notice>),
    /// Nothing happened: somebody wants to see whether notices arrive.
    Test,
}

/// A budget and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetEvent {
    pub alert: Alert,
    pub holder: Holder,
}

/// Whose budget it is, where the ledger knows it by an id that people do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    pub id: Option<String>,
    /// Name or slug for people, in place of the ledger's.
    pub name: Option<String>,
    /// The workspace's slug or id.
    pub workspace: Option<String>,
}

impl BudgetEvent {
    pub fn name(&self) -> &str {
        self.holder.name.as_deref().unwrap_or(&self.alert.id)
    }
}

/// Hex digits of an id.
const ID_DIGITS: usize = 32;

impl Notice {
    pub fn of_alert(alert: &Alert) -> Self {
        let parts = [
            alert.scope.word(),
            &alert.id,
            &format!("{:?}", alert.unit),
            &alert.period.to_string(),
            &alert.mark.to_string(),
            &alert.at.to_string(),
        ];
        let event = BudgetEvent { alert: alert.clone(), holder: Holder::default() };
        Self { event: Event::Budget(event), recipients: Vec::new(), at: alert.at, id: id(&parts) }
    }

    pub fn of_rule(notice: tidegate_alerts::Notice) -> Self {
        let (at, id) = (notice.at, notice.id.clone());
        Self { event: Event::Rule(Box::new(notice)), recipients: Vec::new(), at, id }
    }

    /// To see whether notices arrive.
    pub fn test(at: u64) -> Self {
        Self { event: Event::Test, recipients: Vec::new(), at, id: id(&["test", &at.to_string()]) }
    }

    /// Says whose budget it is; nothing for other events.
    #[must_use]
    pub fn about(mut self, holder: Holder) -> Self {
        if let Event::Budget(budget) = &mut self.event {
            budget.holder = holder;
        }
        self
    }

    #[must_use]
    pub fn to(mut self, recipients: Vec<String>) -> Self {
        self.recipients = recipients;
        self
    }

    /// The same for the same event, however often it is told.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn id(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        // With their lengths: no two lists of parts are the same text.
        text.push_str(&format!("{}:{part};", part.len()));
    }
    let hash = digest(&SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("ntc_{}", &hex[..ID_DIGITS])
}
