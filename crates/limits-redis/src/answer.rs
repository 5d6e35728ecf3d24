//! What `admit.lua` answers, and what it means.

use redis::Value;
use tidegate_limits::{Cause, Demand, Gauge, Refusal, Standing};

use crate::counter::Counter;

#[derive(Debug)]
pub(crate) struct Answer {
    admitted: bool,
    /// When, in milliseconds since 1970.
    pub(crate) at: u64,
    /// Of each counter: milliseconds to wait, what is left, milliseconds until all of it is back.
    figures: Vec<[u64; 3]>,
}

impl Answer {
    /// `None` for anything else than `count` counters.
    pub(crate) fn read(value: &Value, count: usize) -> Option<Self> {
        let Value::Array(values) = value else { return None };
        let mut figures = values.iter().map(|value| match value {
            Value::Int(figure) => u64::try_from(*figure).ok(),
            _ => None,
        });
        let admitted = figures.next()?? == 1;
        let at = figures.next()??;
        let rest: Vec<u64> = figures.collect::<Option<_>>()?;
        let (figures, odd) = rest.as_chunks::<3>();
        let fits = odd.is_empty() && figures.len() == count;
        fits.then(|| Self { admitted, at, figures: figures.to_vec() })
    }

    /// How the tightest limits stand, if the request may pass.
    pub(crate) fn judge(&self, demand: &Demand<'_>, counters: &[Counter]) -> Result<Standing, Refusal> {
        let mut standing = Standing::default();
        let mut cause = None;
        let mut retry_after_ms = 0;
        for (counter, [wait, remaining, reset_ms]) in counters.iter().zip(&self.figures) {
            let rule = counter.rule;
            let gauge = Gauge { limit: rule.amount(), remaining: *remaining, reset_ms: *reset_ms };
            standing.note(rule.unit(), gauge);
            retry_after_ms = retry_after_ms.max(*wait);
            if *wait > 0 && cause.is_none() {
                let layer = counter.layer;
                let scope = demand.layers.get(layer).map(|layer| layer.scope);
                cause = scope.map(|scope| Cause::Rule { layer, scope, rule, gauge });
            }
        }
        match cause {
            Some(cause) => Err(Refusal { cause, retry_after_ms, standing }),
            None => Ok(standing),
        }
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.admitted
    }
}
