//! `POST /v1/embeddings`: unit vectors that depend on the text alone, as numbers or as base64 of little-endian `f32`.
//! Equal texts have equal vectors; nothing else about them means anything.

use crate::fields::{BadRequest, Fields, invalid, parse};
use crate::{Reply, words};
use serde_json::{Value, json};

const DEFAULT_DIMENSIONS: usize = 64;
const MAX_INPUTS: usize = 2_048;
/// Inputs times dimensions.
const MAX_NUMBERS: usize = 1_000_000;

pub(crate) fn answer(body: &[u8]) -> Result<Reply, BadRequest> {
    let body = parse(body)?;
    let fields = Fields::of(&body, "")?;
    let model = fields.required_text("model")?;
    let inputs = inputs(&fields)?;
    let dimensions = fields.count("dimensions", 1..=4_096)?.unwrap_or(DEFAULT_DIMENSIONS);
    if inputs.len() * dimensions > MAX_NUMBERS {
        return Err(invalid("input", &format!("inputs times dimensions must be at most {MAX_NUMBERS}")));
    }
    let base64 = match fields.text("encoding_format")? {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(invalid("encoding_format", "must be 'float' or 'base64'")),
    };
    let data: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(&input.seed, dimensions);
            let embedding = if base64 { json!(encode(&vector)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: usize = inputs.iter().map(|input| input.tokens).sum();
    Ok(Reply::json(&json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })))
}

/// One thing to embed: a text, or a list of token ids.
struct Input {
    seed: String,
    tokens: usize,
}

impl Input {
    fn text(text: &str) -> Self {
        Self { seed: text.to_owned(), tokens: words::count(text) }
    }

    fn ids(list: &[Value]) -> Option<Self> {
        let ids: Vec<_> = list.iter().map(Value::as_u64).collect::<Option<_>>()?;
        Some(Self { seed: format!("{ids:?}"), tokens: ids.len() })
    }
}

/// A string, a list of token ids, or a list of either.
fn inputs(fields: &Fields<'_>) -> Result<Vec<Input>, BadRequest> {
    let inputs = match fields.get("input") {
        None => return Err(fields.missing("input")),
        Some(Value::String(text)) => Some(vec![Input::text(text)]),
        Some(Value::Array(list)) if list.first().is_some_and(Value::is_u64) => {
            Input::ids(list).map(|ids| vec![ids])
        }
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| match item {
                Value::String(text) => Some(Input::text(text)),
                Value::Array(ids) => Input::ids(ids),
                _ => None,
            })
            .collect(),
        Some(_) => None,
    };
    inputs.filter(|inputs| (1..=MAX_INPUTS).contains(&inputs.len())).ok_or_else(|| {
        invalid(
            "input",
            &format!("must be a string, a list of token ids, or a list of 1 to {MAX_INPUTS} of these"),
        )
    })
}

/// `dimensions` numbers of length 1 together, from a generator seeded by `text`.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut state = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut vector: Vec<f32> = (0..dimensions)
        .map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            // The upper 16 bits are the random ones; they fit an f32 exactly.
            let [.., low, high] = state.to_le_bytes();
            f32::from(u16::from_le_bytes([low, high])) / 32_767.5 - 1.0
        })
        .collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut vector {
        *x = if length > 0.0 { *x / length } else { 1.0 };
    }
    vector
}

fn encode(vector: &[f32]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[six as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    fn ask(body: &Value) -> (u16, Value) {
        let reply = crate::answer(Endpoint::Embeddings, body.to_string().as_bytes(), 0);
        (reply.status, serde_json::from_slice(&reply.chunks[0]).unwrap())
    }

    #[test]
    fn vectors_have_length_one_and_depend_on_the_text() {
        for dimensions in [1, 2, 64, 1_536] {
            let a = vector("a", dimensions);
            assert_eq!(a.len(), dimensions);
            assert!((a.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-4, "{dimensions}");
        }
        assert_eq!(vector("a", 8), vector("a", 8));
        assert_ne!(vector("a", 8), vector("b", 8));
    }

    #[test]
    fn base64_is_padded() {
        assert_eq!(encode(&[1.0]), "AACAPw==");
        assert_eq!(encode(&[1.0, 1.0]), "AACAPwAAgD8=");
        assert_eq!(encode(&[1.0, 1.0, 1.0]), "AACAPwAAgD8AAIA/");
    }

    #[test]
    fn answers_every_form_of_input() {
        for (input, count, tokens) in [
            (json!("two words"), 1, 2),
            (json!(["a", "b c"]), 2, 3),
            (json!([5, 6, 7]), 1, 3),
            (json!([[5], [6, 7]]), 2, 3),
        ] {
            let (status, body) = ask(&json!({"model": "m", "input": input}));
            assert_eq!((status, body["data"].as_array().unwrap().len()), (200, count), "{input}");
            assert_eq!(body["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}), "{input}");
            assert_eq!(body["data"][0]["embedding"].as_array().unwrap().len(), DEFAULT_DIMENSIONS);
        }
        let (_, body) =
            ask(&json!({"model": "m", "input": "x", "dimensions": 3, "encoding_format": "base64"}));
        assert_eq!(body["data"][0]["embedding"].as_str().unwrap().len(), 16);
    }

    #[test]
    fn bad_requests_name_the_parameter() {
        for (body, param) in [
            (json!({"input": "x"}), "model"),
            (json!({"model": "m"}), "input"),
            (json!({"model": "m", "input": []}), "input"),
            (json!({"model": "m", "input": [1, "x"]}), "input"),
            (json!({"model": "m", "input": vec!["x"; 2_049]}), "input"),
            (json!({"model": "m", "input": vec!["x"; 2_000], "dimensions": 1_000}), "input"),
            (json!({"model": "m", "input": "x", "dimensions": 0}), "dimensions"),
            (json!({"model": "m", "input": "x", "encoding_format": "hex"}), "encoding_format"),
        ] {
            let (status, answer) = ask(&body);
            assert_eq!((status, answer["error"]["param"].as_str()), (400, Some(param)), "{body}");
        }
    }
}
