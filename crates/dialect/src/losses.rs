//! What a dialect has no place for: members of requests that are left out or cut, and reported.
//!
//! For dialects that know neither marks for caching, nor names of speakers, nor members of other vendors. Paths are
//! those of the request as OpenAI writes it (`messages[0].content[1]`).

use tidegate_core::{Verdict, Warnings};

use crate::chat::{CacheMark, ChatRequest, FunctionTool, Message, Text};

/// Members at the top that none of these dialects has.
pub(crate) fn of_request(request: &ChatRequest, warnings: &mut Warnings) {
    let lost = [
        ("logit_bias", request.logit_bias.is_some()),
        ("user", request.user.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
    ];
    for (member, _) in lost.into_iter().filter(|(_, given)| *given) {
        warnings.dropped(member);
    }
}

/// Members beside the parts.
pub(crate) fn of_message(message: &Message, path: &str, warnings: &mut Warnings) {
    if message.name.is_some() {
        warnings.dropped(format!("{path}.name"));
    }
    for member in message.extra.keys() {
        warnings.dropped(format!("{path}.{member}"));
    }
}

/// All of a text but its words and its signature.
pub(crate) fn of_text(text: &Text, path: &str, warnings: &mut Warnings) {
    of_mark(text.cache.as_ref(), warnings);
    if !text.annotations.is_empty() || !text.citations.is_empty() {
        warnings.dropped(format!("{path}.annotations"));
    }
    for member in text.extra.keys() {
        warnings.dropped(format!("{path}.{member}"));
    }
}

/// All of a function but its name, description, parameters and strictness.
pub(crate) fn of_function(function: &FunctionTool, path: &str, warnings: &mut Warnings) {
    of_mark(function.cache.as_ref(), warnings);
    for member in function.extra.keys() {
        warnings.dropped(format!("{path}.{member}"));
    }
}

/// Once for the whole request, however many marks there are.
pub(crate) fn of_mark(mark: Option<&CacheMark>, warnings: &mut Warnings) {
    if mark.is_some() {
        warnings.dropped("cache_control");
    }
}

/// The first `most` of the stop sequences.
pub(crate) fn of_stops<'a>(stops: &'a [String], most: usize, warnings: &mut Warnings) -> &'a [String] {
    if stops.len() > most {
        warnings.push_note(Verdict::Shaped, "stop", format!("first_{most}"));
    }
    &stops[..stops.len().min(most)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::DialectId;
    use crate::chat::{Extra, Role};

    fn reported(report: impl FnOnce(&mut Warnings)) -> String {
        let mut warnings = Warnings::default();
        report(&mut warnings);
        warnings.header_value()
    }

    fn extra() -> Extra {
        Extra::from_iter([("x".to_owned(), Value::Null)])
    }

    #[test]
    fn every_loss_is_named() {
        let request = ChatRequest {
            logit_bias: Some(json!({})),
            user: Some("u".into()),
            service_tier: Some("flex".into()),
            parallel_tool_calls: Some(false),
            ..ChatRequest::new(DialectId::OpenAi, "m")
        };
        let lost = "dropped;logit_bias, dropped;user, dropped;service_tier, dropped;parallel_tool_calls";
        assert_eq!(reported(|warnings| of_request(&request, warnings)), lost);

        let message = Message { name: Some("n".into()), extra: extra(), ..Message::text(Role::User, "a") };
        assert_eq!(reported(|warnings| of_message(&message, "p", warnings)), "dropped;p.name, dropped;p.x");

        let mark = || Some(CacheMark(json!({"type": "ephemeral"})));
        let text = Text { cache: mark(), annotations: vec![Value::Null], extra: extra(), ..Text::default() };
        let lost = "dropped;cache_control, dropped;p.annotations, dropped;p.x";
        assert_eq!(reported(|warnings| of_text(&text, "p", warnings)), lost);

        let function = FunctionTool {
            name: "f".into(),
            description: None,
            parameters: None,
            strict: None,
            cache: mark(),
            extra: extra(),
        };
        let lost = "dropped;cache_control, dropped;p.x";
        assert_eq!(reported(|warnings| of_function(&function, "p", warnings)), lost);
    }

    #[test]
    fn what_loses_nothing_is_not_reported() {
        let parallel =
            ChatRequest { parallel_tool_calls: Some(true), ..ChatRequest::new(DialectId::OpenAi, "m") };
        let text = Text { text: "a".into(), signature: Some("s".into()), ..Text::default() };
        let nothing = reported(|warnings| {
            of_request(&parallel, warnings);
            of_text(&text, "p", warnings);
            of_message(&Message::text(Role::User, "a"), "p", warnings);
            of_stops(&["a".to_owned()], 1, warnings);
        });
        assert_eq!(nothing, "");
    }

    #[test]
    fn lists_of_stops_are_cut() {
        let stops = ["a", "b", "c"].map(str::to_owned);
        let cut = reported(|warnings| assert_eq!(of_stops(&stops, 2, warnings), &stops[..2]));
        assert_eq!(cut, "shaped;stop=first_2");
    }
}
