//! The schema.
use super::{ConfigContext, Issue, Note};
use serde_json::Value;

pub(super) struct Check<'a> {
    ctx: &'a ConfigContext<'a>,
    issues: Vec<Issue>,
    notes: Vec<Note>,
}
impl<'a> Check<'a> {
    pub(super) fn new(ctx: &'a ConfigContext<'a>) -> Self {
        Self { ctx, issues: Vec::new(), notes: Vec::new() }
    }
    pub(super) fn root(&mut self, _value: &Value) {
        let _ = self.ctx;
    }
    pub(super) fn finish(self) -> (Vec<Issue>, Vec<Note>) {
        (self.issues, self.notes)
    }
}
