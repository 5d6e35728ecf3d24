//! What a translation could not keep, said in one response header: `x-tidegate-warnings: dropped;logit_bias, ...`.

use std::fmt::Write as _;

/// Losses kept of one request: a request of a million odd members must not cost a million comparisons each.
const MAX_WARNINGS: usize = 256;

/// How a member of the request or answer fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Kept, in another form: a number clamped, an object turned into text.
    Shaped,
    /// The target cannot say it, and answering without it is still useful.
    Dropped,
    /// Done by the gateway in the target's place.
    Emulated,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shaped => "shaped",
            Self::Dropped => "dropped",
            Self::Emulated => "emulated",
        }
    }
}

/// One loss. `param` is the client's name of the member (`logit_bias`, `messages[2].content[1].detail`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub verdict: Verdict,
    pub param: String,
    /// What it became, when that says more than the verdict (`1` for a clamped temperature). Short, no user text.
    pub note: Option<String>,
}

/// The losses of one request, in the order found, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    pub fn push(&mut self, verdict: Verdict, param: impl Into<String>) {
        self.add(Warning { verdict, param: param.into(), note: None });
    }

    pub fn push_note(&mut self, verdict: Verdict, param: impl Into<String>, note: impl Into<String>) {
        self.add(Warning { verdict, param: param.into(), note: Some(note.into()) });
    }

    pub fn dropped(&mut self, param: impl Into<String>) {
        self.push(Verdict::Dropped, param);
    }

    pub fn shaped(&mut self, param: impl Into<String>) {
        self.push(Verdict::Shaped, param);
    }

    pub fn emulated(&mut self, param: impl Into<String>) {
        self.push(Verdict::Emulated, param);
    }

    pub fn add(&mut self, warning: Warning) {
        if self.0.len() < MAX_WARNINGS && !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }

    pub fn extend(&mut self, other: Warnings) {
        for warning in other.0 {
            self.add(warning);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The header's value: visible ASCII only, at most about 1 KB (the rest is counted).
    pub fn header_value(&self) -> String {
        let mut value = String::new();
        for (i, warning) in self.0.iter().enumerate() {
            if value.len() > 1_000 {
                let _ = write!(value, ", and {} more", self.0.len() - i);
                break;
            }
            if i > 0 {
                value.push_str(", ");
            }
            value.push_str(warning.verdict.as_str());
            value.push(';');
            push_visible(&mut value, &warning.param);
            if let Some(note) = &warning.note {
                value.push('=');
                push_visible(&mut value, note);
            }
        }
        value
    }
}

fn push_visible(value: &mut String, text: &str) {
    for c in text.chars().take(120) {
        value.push(if c.is_ascii_graphic() && c != ',' { c } else { '_' });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lists_each_loss_once() {
        let mut warnings = Warnings::default();
        warnings.dropped("logit_bias");
        warnings.push_note(Verdict::Shaped, "temperature", "1");
        warnings.dropped("logit_bias");
        assert_eq!(warnings.header_value(), "dropped;logit_bias, shaped;temperature=1");
    }

    #[test]
    fn header_is_safe_whatever_the_param() {
        let mut warnings = Warnings::default();
        warnings.dropped("a\r\nset-cookie: x, y");
        assert_eq!(warnings.header_value(), "dropped;a__set-cookie:_x__y");
    }
}
