//! How often one address may try to sign in.

use std::net::IpAddr;

use tidegate_core::clock::Clock;
use tidegate_limits::{
    Algorithm, Demand, End, Layer, Memory, MemoryOptions, Period, Rule, Scope, Span, Store as Counters,
    Window,
};

use crate::problem::Problem;
use http::StatusCode;

/// Counted in this process: with several replicas, each has its own.
#[derive(Debug)]
pub(crate) struct Tries {
    memory: Memory,
    rule: Rule,
}

impl Tries {
    /// Addresses that are remembered.
    const MOST: usize = 100_000;

    pub(crate) fn new(clock: &dyn Clock, per_minute: u64) -> Self {
        let options = MemoryOptions { max_keys: Self::MOST, ..MemoryOptions::new(clock) };
        let window = Window { span: Span::one(Period::Minute), algorithm: Algorithm::Moving };
        Self { memory: Memory::new(options), rule: Rule::requests(per_minute, window) }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub(crate) fn count(&self, peer: IpAddr, clock: &dyn Clock) -> Result<(), Problem> {
        // Whoever has an address of version 6 has 2^64 of them.
        let id = match peer {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            }
        };
        let layers = [Layer { scope: Scope::Ip, id: &id, rules: std::slice::from_ref(&self.rule) }];
        match self.memory.admit_now(&Demand { layers: &layers, tokens: 0 }, clock.now()) {
            Ok(admission) => {
                self.memory.settle(admission.receipt, End::Used(0), None);
                Ok(())
            }
            Err(refusal) => {
                let seconds = refusal.retry_after_ms.div_ceil(1_000);
                let message =
                    format!("too many tries to sign in from this address; try again in {seconds} s");
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, message).after_seconds(seconds))
            }
        }
    }
}
