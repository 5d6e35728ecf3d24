//! A circuit breaker: counts calls and failures over a sliding window and says whether the upstream counts as
//! down.
//!
//! Closed → open when the window holds enough failures and they are at least half of the calls. Open → half
//! open after a while; then a few probes at a time decide: the first answer closes it, the first failure
//! opens it again.

use tidegate_core::Moment;

use crate::plan::CircuitPolicy;

const SLOTS: u64 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    Closed,
    Open,
    HalfOpen,
}

#[derive(Debug, Default)]
pub(super) struct Circuit {
    slots: [Slot; SLOTS as usize],
    opened: Option<Moment>,
    probes: u32,
    /// When the last probe started. Probes whose end is never heard of are forgotten after a while.
    probed: Moment,
}

/// A sixth of the window. `epoch` numbers the sixths since the clock's zero.
#[derive(Debug, Default, Clone, Copy)]
struct Slot {
    epoch: u64,
    calls: u32,
    failures: u32,
}

impl Circuit {
    pub(super) fn state(&self, policy: &CircuitPolicy, now: Moment) -> CircuitState {
        match self.opened {
            None => CircuitState::Closed,
            Some(opened) if now.since(opened) < policy.open_ms => CircuitState::Open,
            Some(_) => CircuitState::HalfOpen,
        }
    }

    pub(super) fn is_available(&self, policy: &CircuitPolicy, now: Moment) -> bool {
        match self.state(policy, now) {
            CircuitState::Closed => true,
            CircuitState::Open => false,
            CircuitState::HalfOpen => self.probes < policy.half_open || self.probes_are_lost(policy, now),
        }
    }

    pub(super) fn begin(&mut self, policy: &CircuitPolicy, now: Moment) {
        if self.state(policy, now) == CircuitState::HalfOpen {
            if self.probes_are_lost(policy, now) {
                self.probes = 0;
            }
            self.probes += 1;
            self.probed = now;
        }
    }

    /// `failed` is `None` for calls that say nothing about the upstream.
    pub(super) fn record(&mut self, policy: &CircuitPolicy, failed: Option<bool>, now: Moment) {
        match self.state(policy, now) {
            CircuitState::Closed => self.count(policy, failed, now),
            // Calls that started before it opened: they are no news.
            CircuitState::Open => {}
            CircuitState::HalfOpen => {
                self.probes = self.probes.saturating_sub(1);
                match failed {
                    Some(true) => self.open(now),
                    Some(false) => *self = Self::default(),
                    None => {}
                }
            }
        }
    }

    fn count(&mut self, policy: &CircuitPolicy, failed: Option<bool>, now: Moment) {
        let Some(failed) = failed else { return };
        let epoch = now.0 / slot_ms(policy);
        let slot = &mut self.slots[(epoch % SLOTS) as usize];
        if slot.epoch != epoch {
            *slot = Slot { epoch, ..Slot::default() };
        }
        slot.calls += 1;
        slot.failures += u32::from(failed);
        let (calls, failures) = self.totals(epoch);
        if failed && failures >= policy.failures && failures.saturating_mul(2) >= calls {
            self.open(now);
        }
    }

    fn totals(&self, epoch: u64) -> (u32, u32) {
        let current = self.slots.iter().filter(|slot| slot.epoch + SLOTS > epoch);
        current.fold((0, 0), |(calls, failures), slot| (calls + slot.calls, failures + slot.failures))
    }

    fn open(&mut self, now: Moment) {
        *self = Self { opened: Some(now), ..Self::default() };
    }

    fn probes_are_lost(&self, policy: &CircuitPolicy, now: Moment) -> bool {
        now.since(self.probed) > policy.open_ms.max(policy.window_ms)
    }
}

fn slot_ms(policy: &CircuitPolicy) -> u64 {
    (policy.window_ms / SLOTS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: CircuitPolicy =
        CircuitPolicy { failures: 3, window_ms: 6_000, open_ms: 1_000, half_open: 1, strict: false };

    fn failed_at(times: &[u64]) -> Circuit {
        let mut circuit = Circuit::default();
        for at in times {
            circuit.record(&POLICY, Some(true), Moment(*at));
        }
        circuit
    }

    #[test]
    fn opens_on_enough_failures_within_the_window() {
        let state = |times: &[u64], at| failed_at(times).state(&POLICY, Moment(at));
        assert_eq!(state(&[1, 2], 3), CircuitState::Closed);
        assert_eq!(state(&[1, 2, 3], 3), CircuitState::Open);
        assert_eq!(state(&[1, 2, 3], 1_002), CircuitState::Open);
        assert_eq!(state(&[1, 2, 3], 1_003), CircuitState::HalfOpen);
        // The first two have left the window.
        assert_eq!(state(&[1, 2, 7_000], 7_000), CircuitState::Closed);
    }

    #[test]
    fn half_of_the_calls_must_fail() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            circuit.record(&POLICY, Some(false), Moment(1));
        }
        for _ in 0..3 {
            circuit.record(&POLICY, Some(true), Moment(2));
        }
        assert_eq!(circuit.state(&POLICY, Moment(2)), CircuitState::Closed, "3 of 7");
        circuit.record(&POLICY, Some(true), Moment(2));
        assert_eq!(circuit.state(&POLICY, Moment(2)), CircuitState::Open, "4 of 8");
    }

    #[test]
    fn one_probe_decides() {
        let at = Moment(1_100);
        let mut circuit = failed_at(&[1, 2, 3]);
        assert!(circuit.is_available(&POLICY, at));
        circuit.begin(&POLICY, at);
        assert!(!circuit.is_available(&POLICY, at), "the probe is taken");
        circuit.record(&POLICY, Some(true), at);
        assert_eq!(circuit.state(&POLICY, at), CircuitState::Open);

        let later = Moment(2_200);
        circuit.begin(&POLICY, later);
        circuit.record(&POLICY, Some(false), later);
        assert_eq!(circuit.state(&POLICY, later), CircuitState::Closed);
        circuit.record(&POLICY, Some(true), later);
        assert_eq!(circuit.state(&POLICY, later), CircuitState::Closed, "old failures are forgotten");
    }

    #[test]
    fn a_probe_never_heard_of_again_is_given_back() {
        let mut circuit = failed_at(&[1, 2, 3]);
        circuit.begin(&POLICY, Moment(1_100));
        assert!(!circuit.is_available(&POLICY, Moment(5_000)));
        assert!(circuit.is_available(&POLICY, Moment(7_101)));
    }

    #[test]
    fn a_call_that_says_nothing_gives_its_probe_back() {
        let mut circuit = failed_at(&[1, 2, 3]);
        circuit.begin(&POLICY, Moment(1_100));
        circuit.record(&POLICY, None, Moment(1_200));
        assert_eq!(circuit.state(&POLICY, Moment(1_200)), CircuitState::HalfOpen);
        assert!(circuit.is_available(&POLICY, Moment(1_200)));
    }
}
