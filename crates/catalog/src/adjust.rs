//! How a vendor differs from the dialect it speaks, as data (`data/adjust.json`): what it refuses, bounds or names
//! differently. Applying it is the dialect's work, and so is warning about what was lost.

use crate::pairs::Pairs;

/// Differences of one provider's chat endpoint. All names are top-level members of the dialect's request.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    /// Members under another name: (`max_completion_tokens`, `max_tokens`).
    #[serde(default)]
    pub rename: Pairs,
    /// Members the vendor refuses or ignores.
    #[serde(default, borrow)]
    pub drop: Vec<&'static str>,
    /// Numbers and their bounds.
    #[serde(default)]
    pub clamp: Vec<Clamp>,
    /// `developer` messages become `system`.
    #[serde(default)]
    pub developer_to_system: bool,
    /// `tool_choice: "required"` is said with this word.
    pub tool_choice_required: Option<&'static str>,
    /// A single `stop` string must be a list.
    #[serde(default)]
    pub stop_as_list: bool,
    /// Member of assistant messages in which the vendor wants its reasoning text back.
    pub reasoning_member: Option<&'static str>,
    /// The vendor reads Anthropic's `cache_control` on parts and tools.
    #[serde(default)]
    pub cache_control: bool,
    /// Ids of tool calls must be exactly this many letters and digits.
    pub tool_id_length: Option<usize>,
}

/// A number that the vendor takes between `min` and `max` only.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
pub struct Clamp {
    pub param: &'static str,
    pub min: f64,
    pub max: f64,
}

impl Adjust {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
