//! Books that a test writes.

use std::sync::Mutex;

use tidegate_control::usage::{
    Counted, Held, ResetError, Resolution, ResolveError, Resolving, Standing, Subject, Usage,
};
use tidegate_ledger::{Amount, Unit};
use tidegate_store::id::PolicyId;

#[derive(Debug, Default)]
pub struct Books {
    standings: Mutex<Vec<(Subject, Standing)>>,
    pub resets: Mutex<Vec<Subject>>,
    pub held: Mutex<Vec<Held>>,
    pub resolved: Mutex<Vec<(u64, Resolution)>>,
    pub is_away: std::sync::atomic::AtomicBool,
}

pub fn standing(used: u64, limit: u64) -> Standing {
    Standing {
        unit: Unit::Usd,
        limit: Amount::tokens(limit),
        used: Amount::tokens(used),
        reserved: Amount::tokens(0),
        is_exhausted: used >= limit,
        resets_at: Some(1_900_000_000_000),
    }
}

impl Books {
    pub fn write(&self, subject: Subject, standing: Standing) {
        self.standings.lock().unwrap().push((subject, standing));
    }
}

impl Usage for Books {
    fn standing(&self, subject: &Subject) -> Vec<Standing> {
        let standings = self.standings.lock().unwrap();
        standings.iter().filter(|(known, _)| known == subject).map(|(_, standing)| *standing).collect()
    }

    fn counted(&self, policy: PolicyId) -> Vec<Counted> {
        let standings = self.standings.lock().unwrap();
        let of = |(subject, standing): &(Subject, Standing)| match subject {
            Subject::Policy(id, value_key) if *id == policy => Some(Counted {
                value_key: value_key.clone(),
                standing: *standing,
                threshold_alerted: true,
                exhausted_alerted: standing.is_exhausted,
            }),
            _ => None,
        };
        standings.iter().filter_map(of).collect()
    }

    fn reset(&self, subject: &Subject) -> Result<(), ResetError> {
        if self.is_away.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(ResetError("the disk is full".to_owned()));
        }
        self.resets.lock().unwrap().push(subject.clone());
        Ok(())
    }

    fn held(&self) -> Vec<Held> {
        self.held.lock().unwrap().clone()
    }

    fn resolve(&self, id: u64, resolution: Resolution) -> Resolving<'_> {
        let result = if self.is_away.load(std::sync::atomic::Ordering::Relaxed) {
            Err(ResolveError::Unable("the disk is full".to_owned()))
        } else {
            self.held.lock().unwrap().retain(|held| held.id != id);
            self.resolved.lock().unwrap().push((id, resolution));
            Ok(())
        };
        Box::pin(std::future::ready(result))
    }
}
