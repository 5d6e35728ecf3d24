//! Which generation of Gemini a model name means, and how much thinking a request asks of it.
//!
//! 2.5 takes a budget in tokens, with bounds by size of the model; 3 and later take a level; older models and other
//! families (Gemma) take neither. A name without a number (`gemini-flash-latest`) means the newest generation.

use tidegate_core::{Verdict, Warnings};

use super::wire::ThinkingConfig;
use crate::chat::{Effort, Reasoning};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generation {
    /// Not a Gemini model, or Gemini 1 and 2.0: no thinking, no JSON Schema.
    Older,
    V2_5,
    V3,
}

impl Generation {
    /// `model` may carry a prefix (`models/`, `publishers/google/models/`).
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let Some(rest) = name.strip_prefix("gemini-") else { return Self::Older };
        let version = rest.split('-').next().unwrap_or(rest);
        let mut numbers = version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(0 | 1)), _) => Self::Older,
            (Some(Ok(2)), Some(Ok(minor))) if minor >= 5 => Self::V2_5,
            (Some(Ok(2)), _) => Self::Older,
            (Some(Ok(_)), _) => Self::V3,
            _ if rest == "pro" || rest == "pro-vision" => Self::Older,
            _ => Self::V3,
        }
    }
}

/// The thinking members for `reasoning`; `None` leaves the model's default.
pub(super) fn config(model: &str, reasoning: &Reasoning, warnings: &mut Warnings) -> Option<ThinkingConfig> {
    match Generation::of(model) {
        Generation::Older => {
            if !matches!(wanted(reasoning), Wanted::Effort(Effort::None)) {
                warnings.dropped("reasoning_effort");
            }
            None
        }
        Generation::V2_5 => Some(with_budget(model, reasoning, warnings)),
        Generation::V3 => Some(with_level(model, reasoning, warnings)),
    }
}

enum Wanted {
    Budget(u64),
    Effort(Effort),
    /// Thinking without a bound (`{"type": "adaptive"}`).
    Default,
}

fn wanted(reasoning: &Reasoning) -> Wanted {
    let off =
        || reasoning.raw.as_ref().and_then(|raw| raw.get("type")).is_some_and(|kind| kind == "disabled");
    match (reasoning.budget_tokens, reasoning.effort) {
        (Some(0), _) | (None, Some(Effort::None)) => Wanted::Effort(Effort::None),
        (Some(tokens), _) => Wanted::Budget(tokens),
        (None, Some(effort)) => Wanted::Effort(effort),
        (None, None) if off() => Wanted::Effort(Effort::None),
        (None, None) => Wanted::Default,
    }
}

fn with_budget(model: &str, reasoning: &Reasoning, warnings: &mut Warnings) -> ThinkingConfig {
    let (least, most) = budget_bounds(model);
    let (asked, param) = match wanted(reasoning) {
        Wanted::Default => return ThinkingConfig { include_thoughts: true, ..ThinkingConfig::default() },
        Wanted::Budget(tokens) => (tokens, "thinking.budget_tokens"),
        Wanted::Effort(effort) => (budget_of(effort, most), "reasoning_effort"),
    };
    let can_be_off = !model.contains("pro");
    if asked == 0 && can_be_off {
        return ThinkingConfig { thinking_budget: Some(0), ..ThinkingConfig::default() };
    }
    let budget = asked.clamp(least, most);
    if budget != asked {
        warnings.push_note(Verdict::Shaped, param, budget.to_string());
    }
    ThinkingConfig { include_thoughts: asked > 0, thinking_budget: Some(budget), thinking_level: None }
}

/// Least and most thinking tokens of a 2.5 model, 0 aside.
fn budget_bounds(model: &str) -> (u64, u64) {
    if model.contains("flash-lite") {
        (512, 24_576)
    } else if model.contains("pro") {
        (128, 32_768)
    } else {
        (1, 24_576)
    }
}

/// The budgets of Google's own OpenAI-compatible surface.
fn budget_of(effort: Effort, most: u64) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal | Effort::Low => 1_024,
        Effort::Medium => 8_192,
        Effort::High => 24_576,
        Effort::XHigh | Effort::Max => most,
    }
}

fn with_level(model: &str, reasoning: &Reasoning, warnings: &mut Warnings) -> ThinkingConfig {
    let (effort, mut changed, param) = match wanted(reasoning) {
        Wanted::Default => return ThinkingConfig { include_thoughts: true, ..ThinkingConfig::default() },
        Wanted::Budget(tokens) => (Effort::of_budget(tokens), true, "thinking.budget_tokens"),
        Wanted::Effort(effort) => (effort, false, "reasoning_effort"),
    };
    let level = match effort {
        // Thinking cannot be turned off, and Pro has no minimal level.
        Effort::None | Effort::Minimal if model.contains("pro") => {
            changed = true;
            "LOW"
        }
        Effort::None => {
            changed = true;
            "MINIMAL"
        }
        Effort::Minimal => "MINIMAL",
        Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High => "HIGH",
        Effort::XHigh | Effort::Max => {
            changed = true;
            "HIGH"
        }
    };
    if changed {
        warnings.push_note(Verdict::Shaped, param, level.to_ascii_lowercase());
    }
    ThinkingConfig {
        include_thoughts: effort != Effort::None,
        thinking_budget: None,
        thinking_level: Some(level),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_tell_the_generation() {
        for (model, generation) in [
            ("gemini-1.5-pro", Generation::Older),
            ("gemini-2.0-flash-001", Generation::Older),
            ("gemini-pro", Generation::Older),
            ("gemma-3-27b-it", Generation::Older),
            ("gemini-2.5-flash", Generation::V2_5),
            ("models/gemini-2.5-pro-preview-05-06", Generation::V2_5),
            ("gemini-3-pro-preview", Generation::V3),
            ("gemini-3.1-flash", Generation::V3),
            ("publishers/google/models/gemini-4", Generation::V3),
            ("gemini-flash-latest", Generation::V3),
        ] {
            assert_eq!(Generation::of(model), generation, "{model}");
        }
    }

    #[test]
    fn effort_becomes_a_budget_or_a_level() {
        use Effort::{High, Low, Max, Medium, Minimal, None as Off};
        let budget = |tokens| json!({"includeThoughts": true, "thinkingBudget": tokens});
        let level = |word: &str| json!({"includeThoughts": true, "thinkingLevel": word});
        for (model, effort, expected, warned) in [
            ("gemini-2.5-flash", Off, json!({"thinkingBudget": 0}), ""),
            ("gemini-2.5-pro", Off, json!({"thinkingBudget": 128}), "shaped;reasoning_effort=128"),
            ("gemini-2.5-flash", Minimal, budget(1_024), ""),
            ("gemini-2.5-flash", Low, budget(1_024), ""),
            ("gemini-2.5-flash", Medium, budget(8_192), ""),
            ("gemini-2.5-flash", High, budget(24_576), ""),
            ("gemini-2.5-pro", Max, budget(32_768), ""),
            ("gemini-3-flash", Off, json!({"thinkingLevel": "MINIMAL"}), "shaped;reasoning_effort=minimal"),
            ("gemini-3-pro", Minimal, level("LOW"), "shaped;reasoning_effort=low"),
            ("gemini-3-flash", Minimal, level("MINIMAL"), ""),
            ("gemini-3-flash", Low, level("LOW"), ""),
            ("gemini-3-flash", Medium, level("MEDIUM"), ""),
            ("gemini-3-flash", High, level("HIGH"), ""),
            ("gemini-3-flash", Max, level("HIGH"), "shaped;reasoning_effort=high"),
        ] {
            let reasoning = Reasoning { effort: Some(effort), ..Reasoning::default() };
            let mut warnings = Warnings::default();
            let config = config(model, &reasoning, &mut warnings).expect("a thinking model");
            assert_eq!(serde_json::to_value(config).unwrap(), expected, "{model} {effort:?}");
            assert_eq!(warnings.header_value(), warned, "{model} {effort:?}");
        }
    }

    #[test]
    fn budgets_keep_to_the_bounds_of_the_model() {
        for (model, tokens, expected, warned) in [
            (
                "gemini-2.5-flash-lite",
                100,
                json!({"includeThoughts": true, "thinkingBudget": 512}),
                "shaped;thinking.budget_tokens=512",
            ),
            ("gemini-2.5-pro", 4_000, json!({"includeThoughts": true, "thinkingBudget": 4_000}), ""),
            (
                "gemini-2.5-flash",
                50_000,
                json!({"includeThoughts": true, "thinkingBudget": 24_576}),
                "shaped;thinking.budget_tokens=24576",
            ),
            ("gemini-2.5-flash", 0, json!({"thinkingBudget": 0}), ""),
            (
                "gemini-3-flash",
                4_000,
                json!({"includeThoughts": true, "thinkingLevel": "MEDIUM"}),
                "shaped;thinking.budget_tokens=medium",
            ),
        ] {
            let reasoning = Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
            let mut warnings = Warnings::default();
            let config = config(model, &reasoning, &mut warnings).expect("a thinking model");
            assert_eq!(serde_json::to_value(config).unwrap(), expected, "{model} {tokens}");
            assert_eq!(warnings.header_value(), warned, "{model} {tokens}");
        }
    }

    #[test]
    fn models_without_thinking_are_reported() {
        let mut warnings = Warnings::default();
        let low = Reasoning { effort: Some(Effort::Low), ..Reasoning::default() };
        assert_eq!(config("gemini-2.0-flash", &low, &mut warnings), None);
        assert_eq!(warnings.header_value(), "dropped;reasoning_effort");

        let mut warnings = Warnings::default();
        let off = Reasoning { raw: Some(json!({"type": "disabled"})), ..Reasoning::default() };
        assert_eq!(config("gemini-2.0-flash", &off, &mut warnings), None);
        assert!(warnings.is_empty());
    }

    #[test]
    fn thinking_without_a_bound_only_shows_thoughts() {
        let adaptive = Reasoning { raw: Some(json!({"type": "adaptive"})), ..Reasoning::default() };
        for model in ["gemini-2.5-pro", "gemini-3-pro"] {
            let config = config(model, &adaptive, &mut Warnings::default()).expect("a thinking model");
            assert_eq!(serde_json::to_value(config).unwrap(), json!({"includeThoughts": true}));
        }
    }
}
