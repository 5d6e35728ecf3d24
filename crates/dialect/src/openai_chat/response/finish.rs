//! Why an answer ended: the words of OpenAI and of the vendors that have others.

use crate::chat::{Finish, FinishReason};

/// What a vendor's word for the end of an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ended {
    As(FinishReason),
    /// The vendor failed while answering.
    Failed,
    /// The vendor ran out of resources: an error when nothing was said yet, else a cut answer.
    Starved,
}

/// Reads a word. `calls` says that the answer holds tool calls: some vendors end those with `stop`.
pub(in super::super) fn ended(word: &str, calls: bool) -> Ended {
    let reason = match word.to_ascii_lowercase().as_str() {
        "length" | "model_length" | "max_tokens" => FinishReason::Length,
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" | "sensitive" => FinishReason::ContentFilter,
        "error" | "network_error" => return Ended::Failed,
        "insufficient_system_resource" => return Ended::Starved,
        _ if calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    Ended::As(reason)
}

/// OpenAI's word; for clients that may see more, the vendor's own.
pub(in super::super) fn word(finish: Option<&Finish>, strict: bool) -> &str {
    let Some(finish) = finish else { return "stop" };
    match &finish.raw {
        Some(raw) if !strict => raw,
        _ => match finish.reason {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::ContentFilter => "content_filter",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_vendors() {
        use FinishReason::*;
        for (word, calls, want) in [
            ("stop", false, Ended::As(Stop)),
            ("stop", true, Ended::As(ToolCalls)),
            ("eos", false, Ended::As(Stop)),
            ("unheard_of", false, Ended::As(Stop)),
            ("length", true, Ended::As(Length)),
            ("model_length", false, Ended::As(Length)),
            ("tool_calls", false, Ended::As(ToolCalls)),
            ("function_call", true, Ended::As(ToolCalls)),
            ("content_filter", true, Ended::As(ContentFilter)),
            ("sensitive", false, Ended::As(ContentFilter)),
            ("error", false, Ended::Failed),
            ("network_error", false, Ended::Failed),
            ("insufficient_system_resource", false, Ended::Starved),
        ] {
            assert_eq!(ended(word, calls), want, "{word} {calls}");
        }
    }

    #[test]
    fn clients_see_openais_word_unless_they_may_see_more() {
        let finish =
            Finish { reason: FinishReason::ToolCalls, raw: Some("tool_use".into()), stop_sequence: None };
        assert_eq!(word(Some(&finish), true), "tool_calls");
        assert_eq!(word(Some(&finish), false), "tool_use");
        assert_eq!(word(Some(&Finish::new(FinishReason::Length)), false), "length");
        assert_eq!(word(None, true), "stop");
    }
}
