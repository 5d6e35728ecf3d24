//! Protobuf by the tables of the published definition (`opentelemetry-proto` 1.9, `collector/trace/v1`): what has no place in
//! them is a mistake. Written apart from the gateway's own messages, so that both cannot be wrong together.

use serde_json::{Map, Value};

/// Number, name, form.
type Field = (u64, &'static str, Form);
pub(super) type Message = &'static [Field];

#[derive(Clone, Copy)]
pub(super) enum Form {
    Text,
    Bytes,
    Fixed64,
    Fixed32,
    Varint,
    Bool,
    /// Two's complement.
    Int64,
    Double,
    One(fn() -> Message),
    Many(fn() -> Message),
    Texts,
}

use Form::{Bool, Bytes, Double, Fixed32, Fixed64, Int64, Many, One, Text, Texts, Varint};

pub(super) const REQUEST: Message = &[(1, "resource_spans", Many(|| RESOURCE_SPANS))];
const RESOURCE_SPANS: Message =
    &[(1, "resource", One(|| RESOURCE)), (2, "scope_spans", Many(|| SCOPE_SPANS)), (3, "schema_url", Text)];
const RESOURCE: Message = &[
    (1, "attributes", Many(|| KEY_VALUE)),
    (2, "dropped_attributes_count", Varint),
    (3, "entity_refs", Many(|| ENTITY_REF)),
];
const ENTITY_REF: Message =
    &[(1, "schema_url", Text), (2, "type", Text), (3, "id_keys", Texts), (4, "description_keys", Texts)];
const SCOPE_SPANS: Message =
    &[(1, "scope", One(|| SCOPE)), (2, "spans", Many(|| SPAN)), (3, "schema_url", Text)];
const SCOPE: Message = &[
    (1, "name", Text),
    (2, "version", Text),
    (3, "attributes", Many(|| KEY_VALUE)),
    (4, "dropped_attributes_count", Varint),
];
const SPAN: Message = &[
    (1, "trace_id", Bytes),
    (2, "span_id", Bytes),
    (3, "trace_state", Text),
    (4, "parent_span_id", Bytes),
    (5, "name", Text),
    (6, "kind", Varint),
    (7, "start_time_unix_nano", Fixed64),
    (8, "end_time_unix_nano", Fixed64),
    (9, "attributes", Many(|| KEY_VALUE)),
    (10, "dropped_attributes_count", Varint),
    (11, "events", Many(|| EVENT)),
    (12, "dropped_events_count", Varint),
    (13, "links", Many(|| LINK)),
    (14, "dropped_links_count", Varint),
    (15, "status", One(|| STATUS)),
    (16, "flags", Fixed32),
];
const EVENT: Message = &[
    (1, "time_unix_nano", Fixed64),
    (2, "name", Text),
    (3, "attributes", Many(|| KEY_VALUE)),
    (4, "dropped_attributes_count", Varint),
];
const LINK: Message = &[
    (1, "trace_id", Bytes),
    (2, "span_id", Bytes),
    (3, "trace_state", Text),
    (4, "attributes", Many(|| KEY_VALUE)),
    (5, "dropped_attributes_count", Varint),
    (6, "flags", Fixed32),
];
const STATUS: Message = &[(2, "message", Text), (3, "code", Varint)];
const KEY_VALUE: Message = &[(1, "key", Text), (2, "value", One(|| ANY))];
const ANY: Message = &[
    (1, "string", Text),
    (2, "bool", Bool),
    (3, "int", Int64),
    (4, "double", Double),
    (5, "array", One(|| ARRAY)),
    (6, "kvlist", One(|| KEY_VALUES)),
    (7, "bytes", Bytes),
];
const ARRAY: Message = &[(1, "values", Many(|| ANY))];
const KEY_VALUES: Message = &[(1, "values", Many(|| KEY_VALUE))];

/// Members under their names; bytes as hexadecimal digits.
pub(super) fn decode(message: Message, mut bytes: &[u8]) -> Result<Value, String> {
    let mut members = Map::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let (number, wire) = (tag >> 3, tag & 7);
        let Some((_, name, form)) = message.iter().find(|field| field.0 == number) else {
            return Err(format!(
                "field {number} has no place beside {:?}",
                message.first().map(|field| field.1)
            ));
        };
        let value = value(*form, wire, &mut bytes).map_err(|why| format!("{name}: {why}"))?;
        match form {
            Many(_) | Texts => {
                let list = members.entry(*name).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
            }
            _ if members.insert((*name).to_owned(), value).is_some() => {
                return Err(format!("{name} is there twice"));
            }
            _ => {}
        }
    }
    Ok(Value::Object(members))
}

fn value(form: Form, wire: u64, bytes: &mut &[u8]) -> Result<Value, String> {
    let wanted = match form {
        Varint | Bool | Int64 => 0,
        Fixed64 | Double => 1,
        Fixed32 => 5,
        Text | Texts | Bytes | One(_) | Many(_) => 2,
    };
    if wire != wanted {
        return Err(format!("wire type {wire} in place of {wanted}"));
    }
    let text = |part: &[u8]| {
        let text = std::str::from_utf8(part).map_err(|_| "is no UTF-8")?;
        Ok::<_, String>(Value::from(text))
    };
    Ok(match form {
        Varint => varint(bytes)?.into(),
        Int64 => varint(bytes)?.cast_signed().into(),
        Bool => match varint(bytes)? {
            0 => false.into(),
            1 => true.into(),
            other => return Err(format!("{other} is no truth value")),
        },
        Fixed64 => u64::from_le_bytes(part(bytes, 8)?.try_into().map_err(|_| "is cut")?).into(),
        Double => f64::from_le_bytes(part(bytes, 8)?.try_into().map_err(|_| "is cut")?).into(),
        Fixed32 => u32::from_le_bytes(part(bytes, 4)?.try_into().map_err(|_| "is cut")?).into(),
        Text | Texts => text(sized(bytes)?)?,
        Bytes => sized(bytes)?.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        One(message) | Many(message) => decode(message(), sized(bytes)?)?,
    })
}

fn sized<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let length = usize::try_from(varint(bytes)?).map_err(|_| "is too long")?;
    part(bytes, length)
}

fn part<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (part, rest) = bytes.split_at_checked(length).ok_or("is cut")?;
    *bytes = rest;
    Ok(part)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0u64;
    for at in 0..10 {
        let (byte, rest) = bytes.split_first().ok_or("a number is cut")?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number has more than ten bytes".to_owned())
}

/// Attributes by name: each once, and each with one value.
pub(super) fn attributes(list: &Value) -> Result<Map<String, Value>, String> {
    let mut all = Map::new();
    for pair in super::list(list) {
        let key = pair["key"].as_str().unwrap_or_default();
        let value = plain(&pair["value"]).map_err(|why| format!("{key}: {why}"))?;
        if key.is_empty() || all.insert(key.to_owned(), value).is_some() {
            return Err(format!("the attribute {key:?} has no name, or is there twice"));
        }
    }
    Ok(all)
}

fn plain(value: &Value) -> Result<Value, String> {
    let members = value.as_object().filter(|members| members.len() == 1);
    let (name, value) = members.and_then(|members| members.iter().next()).ok_or("has not one value")?;
    match name.as_str() {
        "array" => super::list(&value["values"]).iter().map(plain).collect(),
        "kvlist" => attributes(&value["values"]).map(Value::Object),
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_is_a_mistake() {
        assert_eq!(decode(STATUS, &[0x18, 2]).unwrap()["code"], 2);
        for (message, bytes) in [
            (STATUS, &[0x08, 1][..]),   // reserved
            (STATUS, &[0x1a, 1, b'x']), // text in place of a number
            (STATUS, &[0x18, 2, 0x18, 2]),
            (STATUS, &[0x12, 5, b'x']),
            (KEY_VALUE, &[0x0a, 1, 0xff]),
            (REQUEST, &[0x0a, 2, 0x78, 1]),
        ] {
            assert!(decode(message, bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn an_attribute_has_one_value() {
        let pair = |value: &[u8]| [&[0x0a, 1, b'k', 0x12, value.len() as u8], value].concat();
        let read = |pair: Vec<u8>| attributes(&Value::Array(vec![decode(KEY_VALUE, &pair).unwrap()]));
        assert_eq!(read(pair(&[0x18, 7])).unwrap()["k"], 7);
        let minus = [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(read(pair(&minus)).unwrap()["k"], -1);
        assert!(read(pair(&[])).is_err());
        assert!(read(pair(&[0x18, 7, 0x10, 1])).is_err());
    }
}
