//! A window with a beginning and an end, and one count.

use crate::rule::{Algorithm, Span, Window};

use super::Correction;

#[derive(Debug)]
pub(super) struct Fixed {
    span: Span,
    opens: Algorithm,
    opened: u64,
    /// 0 while no window is open.
    ends: u64,
    used: u64,
}

impl Fixed {
    pub(super) fn new(window: Window) -> Self {
        Self { span: window.span, opens: window.algorithm, opened: 0, ends: 0, used: 0 }
    }

    pub(super) fn advance(&mut self, now: u64) {
        if now < self.ends {
            return;
        }
        self.used = 0;
        self.ends = 0;
        if self.opens == Algorithm::FixedOnTheClock {
            let length = self.span.ms();
            let into = (now + length - self.span.calendar_offset_ms() % length) % length;
            self.opened = now.saturating_sub(into);
            self.ends = now + (length - into);
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Until the window is over. A window that is not open refuses only a rule of nothing.
    pub(super) fn wait(&self, now: u64) -> u64 {
        if self.ends == 0 { self.span.ms() } else { self.reset_ms(now).max(1) }
    }

    pub(super) fn charge(&mut self, need: u64, now: u64) {
        if self.ends == 0 {
            self.opened = now;
            self.ends = now.saturating_add(self.span.ms());
        } else if self.opens == Algorithm::FixedFromLastUse {
            self.ends = now.saturating_add(self.span.ms());
        }
        self.used = self.used.saturating_add(need);
    }

    /// An open window without usage still says when it ends, unless the calendar does.
    pub(super) fn is_idle(&self) -> bool {
        self.used == 0 && (self.ends == 0 || self.opens == Algorithm::FixedOnTheClock)
    }

    pub(super) fn correct(&mut self, correction: Correction) {
        if (self.opened..self.ends).contains(&correction.at) {
            self.used = self.used.saturating_sub(correction.from).saturating_add(correction.to);
        }
    }

    pub(super) fn reset_ms(&self, now: u64) -> u64 {
        self.ends.saturating_sub(now)
    }
}
