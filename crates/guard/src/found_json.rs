//! JSON inside prose: what a model wraps in fences, or writes among its words.

use serde_json::Value;

/// Opening brackets tried in one text. Real answers hold a few; the bound keeps hostile ones cheap.
const MAX_TRIES: usize = 1_000;

/// What stands outside fences and may be a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loose {
    Objects,
    /// Arrays too, and the objects inside them.
    ObjectsAndArrays,
}

/// What a text holds that looks like JSON.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Candidates {
    /// There was a fence or a pair of braces, readable or not.
    pub(crate) seen: bool,
    /// The readable ones in the order of the text.
    pub(crate) values: Vec<Value>,
}

/// The contents of fences without a language or with `json`.
pub(crate) fn fenced(text: &str) -> Candidates {
    let mut found = Candidates::default();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```") {
        let Some((block, after)) = after.split_once("```") else { break };
        rest = after;
        let content = block.strip_prefix("json").unwrap_or(block);
        // `js` or `python` directly after the ticks: not said to be JSON.
        if content.starts_with(|c: char| c.is_alphabetic()) {
            continue;
        }
        found.seen = true;
        found.values.extend(serde_json::from_str(content.trim()).ok());
    }
    found
}

/// JSON anywhere in the text, with its brackets balanced.
pub(crate) fn loose(text: &str, wanted: Loose) -> Candidates {
    let mut found = Candidates { seen: has_braces(text), values: Vec::new() };
    // Inside an array that was read, only objects count: arrays in arrays would repeat the text at each level.
    let (mut at, mut array_end) = (0, 0);
    for _ in 0..MAX_TRIES {
        let opens = |(offset, c): &(usize, char)| match c {
            '{' => true,
            '[' => wanted == Loose::ObjectsAndArrays && at + offset >= array_end,
            _ => false,
        };
        let Some((offset, _)) = text[at..].char_indices().find(opens) else { break };
        let start = at + offset;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        at = start + 1;
        if let Some(Ok(value)) = values.next() {
            let end = start + values.byte_offset();
            if value.is_object() {
                at = end;
            } else {
                array_end = end;
            }
            found.values.push(value);
        }
    }
    found.seen |= !found.values.is_empty();
    found
}

fn has_braces(text: &str) -> bool {
    text.find('{').is_some_and(|open| text[open..].contains('}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fences_hold_json_when_they_do_not_say_otherwise() {
        let cases = [
            ("```json\n{\"a\":{\"b\":1}}\n```", true, vec![json!({"a": {"b": 1}})]),
            ("```\n[1]\n``` and ```5```", true, vec![json!([1]), json!(5)]),
            ("```json\n{bad\n```", true, vec![]),
            ("```js\n{\"a\":1}\n```", false, vec![]),
            ("```json\n{\"a\":1}", false, vec![]),
            ("{\"a\":1}", false, vec![]),
        ];
        for (text, seen, values) in cases {
            assert_eq!(fenced(text), Candidates { seen, values }, "{text}");
        }
    }

    #[test]
    fn loose_json_is_cut_where_its_brackets_balance() {
        let cases = [
            ("x {\"a\":{\"b\":\"}\"}} y {\"c\":1}", true, vec![json!({"a": {"b": "}"}}), json!({"c": 1})]),
            ("[{\"a\":1}]", true, vec![json!([{"a": 1}]), json!({"a": 1})]),
            ("[[[{\"a\":1}]],[2]] [3]", true, vec![json!([[[{"a": 1}]], [2]]), json!({"a": 1}), json!([3])]),
            ("see [1] {\"a\":1}", true, vec![json!([1]), json!({"a": 1})]),
            ("{bad} {\"a\":1}", true, vec![json!({"a": 1})]),
            ("{bad}", true, vec![]),
            ("} {", false, vec![]),
            ("none", false, vec![]),
        ];
        for (text, seen, values) in cases {
            assert_eq!(loose(text, Loose::ObjectsAndArrays), Candidates { seen, values }, "{text}");
        }
        assert_eq!(loose("[{\"a\":1}] [2]", Loose::Objects).values, [json!({"a": 1})]);
    }

    #[test]
    fn hostile_text_is_given_up_on() {
        assert_eq!(loose(&"[".repeat(100_000), Loose::ObjectsAndArrays).values.len(), 0);
        assert_eq!(loose(&"{} ".repeat(5_000), Loose::Objects).values.len(), MAX_TRIES);
    }
}
