//! How much to think: from the neutral effort, budget or raw `thinking` object to what the model takes.
//!
//! Newer models think as much as they see fit (`adaptive`) within an effort; older ones are given a budget of tokens,
//! at least 1,024 and below `max_tokens`.

use std::borrow::Cow;

use serde_json::{Value, json};
use tidegate_core::{Verdict, Warnings};

use crate::DialectId;
use crate::anthropic_messages::models::{EffortWords, Model, Thinking};
use crate::chat::{ChatRequest, Effort, Reasoning};

const MIN_BUDGET: u64 = 1_024;

/// What a request says about thinking.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan<'a> {
    pub(super) thinking: Option<Cow<'a, Value>>,
    /// For `output_config`.
    pub(super) effort: Option<Effort>,
    /// The model will think: sampling and forced tools are not allowed then.
    pub(super) on: bool,
    /// Tokens of `max_tokens` that are set aside for thinking.
    pub(super) budget: u64,
}

/// `limit` is the bound on generated tokens, where one is known.
pub(super) fn plan<'a>(
    request: &'a ChatRequest,
    model: Model,
    limit: Option<u64>,
    warnings: &mut Warnings,
) -> Plan<'a> {
    let Some(reasoning) = &request.reasoning else { return Plan::default() };
    let mut planner = Planner { model, limit, param: param(request.origin, reasoning), warnings };
    match &reasoning.raw {
        Some(raw) => planner.plan_raw(raw, reasoning),
        // An Anthropic client that names an effort without `thinking` asks for no thinking.
        None if request.origin == DialectId::Anthropic => Plan {
            effort: reasoning.effort.and_then(|effort| planner.effort_word(effort)),
            ..Plan::default()
        },
        None => planner.plan_words(reasoning),
    }
}

/// The effort that a budget of thinking tokens amounts to; the inverse of the budgets given to older models.
pub(in crate::anthropic_messages) fn effort_of_budget(tokens: u64) -> Effort {
    match tokens {
        0..=2_047 => Effort::Low,
        2_048..=4_095 => Effort::Medium,
        4_096..=8_191 => Effort::High,
        _ => Effort::XHigh,
    }
}

fn budget_of_effort(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 2_048,
        Effort::High => 4_096,
        Effort::XHigh => 8_192,
        Effort::Max => 16_384,
    }
}

fn param(origin: DialectId, reasoning: &Reasoning) -> &'static str {
    match origin {
        _ if reasoning.raw.is_some() => "thinking",
        DialectId::Anthropic => "output_config.effort",
        DialectId::Gemini => "generationConfig.thinkingConfig",
        DialectId::OpenAi | DialectId::Cohere | DialectId::Ollama => "reasoning_effort",
    }
}

struct Planner<'w> {
    model: Model,
    limit: Option<u64>,
    param: &'static str,
    warnings: &'w mut Warnings,
}

impl Planner<'_> {
    fn plan_raw<'a>(&mut self, raw: &'a Value, reasoning: &Reasoning) -> Plan<'a> {
        let kind = raw.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind == "disabled" {
            return Plan { thinking: Some(Cow::Borrowed(raw)), ..Plan::default() };
        }
        match (self.model.thinking, kind) {
            (Thinking::Unsupported, _) => self.unsupported(),
            (Thinking::Adaptive, "enabled") => {
                self.shaped("adaptive");
                let budget = reasoning.budget_tokens.unwrap_or(MIN_BUDGET);
                self.adaptive(reasoning.effort.unwrap_or_else(|| effort_of_budget(budget)))
            }
            (Thinking::Budget, "adaptive") => {
                let plan = self.enabled(budget_of_effort(reasoning.effort.unwrap_or(Effort::High)));
                self.shaped("enabled");
                plan
            }
            _ => {
                let said = reasoning.effort.filter(|&effort| Some(effort) != implied(kind, reasoning));
                Plan {
                    thinking: Some(Cow::Borrowed(raw)),
                    effort: said.and_then(|effort| self.effort_word(effort)),
                    on: true,
                    budget: reasoning.budget_tokens.unwrap_or(0),
                }
            }
        }
    }

    fn plan_words(&mut self, reasoning: &Reasoning) -> Plan<'static> {
        let effort = match (reasoning.effort, reasoning.budget_tokens) {
            (Some(Effort::None), _) | (None, Some(0)) => return self.off(),
            (Some(effort), _) => effort,
            (None, Some(budget)) => effort_of_budget(budget),
            (None, None) => return Plan::default(),
        };
        match self.model.thinking {
            Thinking::Unsupported => self.unsupported(),
            Thinking::Budget => {
                self.enabled(reasoning.budget_tokens.unwrap_or_else(|| budget_of_effort(effort)))
            }
            Thinking::Both | Thinking::Adaptive => self.adaptive(effort),
        }
    }

    /// Models that cannot think need not be told not to.
    fn off(&self) -> Plan<'static> {
        let can = self.model.thinking != Thinking::Unsupported;
        Plan { thinking: can.then(|| Cow::Owned(json!({"type": "disabled"}))), ..Plan::default() }
    }

    fn adaptive(&mut self, effort: Effort) -> Plan<'static> {
        let effort = self.effort_word(effort);
        Plan { thinking: Some(Cow::Owned(json!({"type": "adaptive"}))), effort, on: true, budget: 0 }
    }

    fn enabled(&mut self, wanted: u64) -> Plan<'static> {
        let budget = wanted.max(MIN_BUDGET);
        let fitting = match self.limit {
            Some(limit) if limit <= MIN_BUDGET => return self.unsupported(),
            // Half is left for the answer.
            Some(limit) if budget >= limit => (limit / 2).max(MIN_BUDGET),
            _ => budget,
        };
        if fitting != wanted {
            self.shaped(&fitting.to_string());
        }
        let thinking = json!({"type": "enabled", "budget_tokens": fitting});
        Plan { thinking: Some(Cow::Owned(thinking)), effort: None, on: true, budget: fitting }
    }

    /// The word the model takes that is nearest to `effort`.
    fn effort_word(&mut self, effort: Effort) -> Option<Effort> {
        let word = match (self.model.effort, effort) {
            (EffortWords::Unsupported, _) => {
                self.warnings.dropped(self.param);
                return None;
            }
            (_, Effort::None | Effort::Minimal) => Effort::Low,
            (EffortWords::UpToHigh, Effort::XHigh | Effort::Max) => Effort::High,
            (EffortWords::MaxWithoutXHigh, Effort::XHigh) => Effort::High,
            (_, effort) => effort,
        };
        if word != effort {
            self.shaped(word.as_str());
        }
        Some(word)
    }

    fn unsupported(&mut self) -> Plan<'static> {
        self.warnings.dropped(self.param);
        Plan::default()
    }

    fn shaped(&mut self, note: &str) {
        self.warnings.push_note(Verdict::Shaped, self.param, note);
    }
}

/// The effort that the decoder read from a `thinking` object that came without one: not to be sent as if it were said.
fn implied(kind: &str, reasoning: &Reasoning) -> Option<Effort> {
    match (kind, reasoning.budget_tokens) {
        ("adaptive", _) => Some(Effort::High),
        (_, Some(budget)) => Some(effort_of_budget(budget)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(origin: DialectId, model: &str, reasoning: Reasoning, limit: Option<u64>) -> (Value, String) {
        let mut request = ChatRequest::new(origin, model);
        request.reasoning = Some(reasoning);
        let mut warnings = Warnings::default();
        let plan = plan(&request, Model::of(model), limit, &mut warnings);
        let said = json!([plan.thinking, plan.effort.map(Effort::as_str), plan.on]);
        (said, warnings.header_value())
    }

    fn effort(word: Effort) -> Reasoning {
        Reasoning { effort: Some(word), ..Reasoning::default() }
    }

    #[test]
    fn effort_words_for_each_family() {
        let enabled = |budget: u64| json!([{"type": "enabled", "budget_tokens": budget}, null, true]);
        let adaptive = |word: &str| json!([{"type": "adaptive"}, word, true]);
        let off = json!([{"type": "disabled"}, null, false]);
        let nothing = json!([null, null, false]);
        for (model, word, limit, expected, warned) in [
            ("claude-opus-4-8", Effort::High, None, adaptive("high"), ""),
            ("claude-opus-4-8", Effort::XHigh, None, adaptive("xhigh"), ""),
            ("claude-opus-4-8", Effort::Minimal, None, adaptive("low"), "shaped;reasoning_effort=low"),
            ("claude-opus-4-8", Effort::None, None, off.clone(), ""),
            ("claude-sonnet-4-6", Effort::XHigh, None, adaptive("high"), "shaped;reasoning_effort=high"),
            ("claude-sonnet-4-6", Effort::Max, None, adaptive("max"), ""),
            ("claude-sonnet-4-5", Effort::Low, None, enabled(1_024), ""),
            ("claude-sonnet-4-5", Effort::Max, Some(64_000), enabled(16_384), ""),
            ("claude-sonnet-4-5", Effort::High, Some(3_000), enabled(1_500), "shaped;reasoning_effort=1500"),
            ("claude-sonnet-4-5", Effort::High, Some(500), nothing.clone(), "dropped;reasoning_effort"),
            ("claude-sonnet-4-5", Effort::None, None, off, ""),
            ("claude-3-haiku-20240307", Effort::High, None, nothing.clone(), "dropped;reasoning_effort"),
            ("claude-3-haiku-20240307", Effort::None, None, nothing, ""),
        ] {
            let (said, header) = run(DialectId::OpenAi, model, effort(word), limit);
            assert_eq!((said, header.as_str()), (expected, warned), "{model} {word:?} {limit:?}");
        }
    }

    #[test]
    fn a_raw_object_goes_through_where_the_model_takes_it() {
        let raw = |value: Value, effort| {
            let budget_tokens = value["budget_tokens"].as_u64();
            Reasoning { raw: Some(value), effort, budget_tokens }
        };
        let enabled = json!({"type": "enabled", "budget_tokens": 9_000, "display": "omitted"});
        let adaptive = json!({"type": "adaptive", "display": "summarized"});
        for (model, reasoning, expected, warned) in [
            (
                "claude-sonnet-4-5",
                raw(enabled.clone(), Some(Effort::XHigh)),
                json!([enabled, null, true]),
                "",
            ),
            ("claude-opus-4-5", raw(enabled.clone(), Some(Effort::Low)), json!([enabled, "low", true]), ""),
            ("claude-opus-4-7", raw(adaptive.clone(), Some(Effort::High)), json!([adaptive, null, true]), ""),
            ("claude-opus-4-7", raw(adaptive.clone(), Some(Effort::Low)), json!([adaptive, "low", true]), ""),
            (
                "claude-opus-4-7",
                raw(enabled.clone(), Some(Effort::XHigh)),
                json!([{"type": "adaptive"}, "xhigh", true]),
                "shaped;thinking=adaptive",
            ),
            (
                "claude-sonnet-4-5",
                raw(adaptive, Some(Effort::Medium)),
                json!([{"type": "enabled", "budget_tokens": 2_048}, null, true]),
                "shaped;thinking=enabled",
            ),
            ("claude-3-opus-latest", raw(enabled, None), json!([null, null, false]), "dropped;thinking"),
        ] {
            let (said, header) = run(DialectId::Anthropic, model, reasoning, None);
            assert_eq!((said, header.as_str()), (expected, warned), "{model}");
        }
    }

    #[test]
    fn an_effort_alone_is_no_thinking_for_anthropic_clients() {
        let (said, header) = run(DialectId::Anthropic, "claude-opus-4-7", effort(Effort::Low), None);
        assert_eq!((said, header.as_str()), (json!([null, "low", false]), ""));
        let (said, header) = run(DialectId::Anthropic, "claude-sonnet-4-5", effort(Effort::Low), None);
        assert_eq!((said, header.as_str()), (json!([null, null, false]), "dropped;output_config.effort"));
    }

    #[test]
    fn a_budget_alone() {
        let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
        let (said, _) = run(DialectId::Gemini, "claude-sonnet-4-5", budget(5_000), None);
        assert_eq!(said, json!([{"type": "enabled", "budget_tokens": 5_000}, null, true]));
        let (said, _) = run(DialectId::Gemini, "claude-opus-5", budget(5_000), None);
        assert_eq!(said, json!([{"type": "adaptive"}, "high", true]));
        let (said, _) = run(DialectId::Gemini, "claude-opus-5", budget(0), None);
        assert_eq!(said, json!([{"type": "disabled"}, null, false]));
    }

    #[test]
    fn budgets_and_efforts_are_inverse() {
        for word in [Effort::Low, Effort::Medium, Effort::High, Effort::XHigh] {
            assert_eq!(effort_of_budget(budget_of_effort(word)), word);
        }
    }
}
