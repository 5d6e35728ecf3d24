use super::*;

fn converted(schema: &Value) -> (Value, String) {
    let mut warnings = Warnings::default();
    let value = convert(schema, "s", &mut warnings).unwrap();
    (value, warnings.header_value())
}

#[test]
fn keywords_are_kept_renamed_or_reported() {
    for (schema, expected, warned) in [
        (json!({"type": "string", "minLength": 1}), json!({"type": "string", "minLength": 1}), ""),
        (json!({"$schema": "x", "$comment": "y", "type": "object"}), json!({"type": "object"}), ""),
        (json!({"type": ["string", "null"]}), json!({"nullable": true, "type": "string"}), ""),
        (
            json!({"type": ["string", "integer"], "description": "d"}),
            json!({"anyOf": [{"type": "string", "description": "d"}, {"type": "integer", "description": "d"}]}),
            "",
        ),
        (json!({"const": "a"}), json!({"type": "string", "enum": ["a"]}), ""),
        (json!({"type": "integer", "enum": [1, 2]}), json!({"type": "integer"}), "dropped;s=enum"),
        (json!({"enum": ["a", null]}), json!({"nullable": true, "type": "string", "enum": ["a"]}), ""),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "null"}], "title": "t"}),
            json!({"nullable": true, "type": "string", "title": "t"}),
            "",
        ),
        (
            json!({"allOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "number"}}, "required": ["b"]},
            ]}),
            json!({
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
                "required": ["a", "b"],
            }),
            "",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "ghost"]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
            "",
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0, "not": {}, "additionalProperties": false}),
            json!({"type": "number"}),
            "dropped;s=exclusiveMinimum, dropped;s=not, dropped;s=additionalProperties",
        ),
        (json!({"type": "object", "additionalProperties": true}), json!({"type": "object"}), ""),
        (json!({"type": "string", "format": "email"}), json!({"type": "string"}), "dropped;s=format"),
        (
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "date-time"}),
            "",
        ),
        (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}}), "shaped;s=items"),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}),
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}}),
            "dropped;s=prefixItems",
        ),
        (json!({"examples": [1, 2]}), json!({"example": 1}), ""),
        (json!({"type": "object", "properties": {}, "required": ["a"]}), json!({"type": "object"}), ""),
        (
            json!({
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "anyOf": [{"required": ["a"]}, {"anyOf": [{"required": ["b"]}, {"required": ["c"]}]}],
            }),
            json!({"anyOf": [
                {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]},
                {"anyOf": [
                    {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]},
                    {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
                ]},
            ]}),
            "",
        ),
        (json!({"properties": {"x": true}}), json!({"properties": {"x": {}}}), ""),
    ] {
        assert_eq!(converted(&schema), (expected, warned.to_owned()), "{schema}");
    }
}

#[test]
fn references_are_written_out() {
    let (value, warned) = converted(&json!({
        "type": "object",
        "properties": {"home": {"$ref": "#/$defs/place", "description": "where"}},
        "$defs": {"place": {"type": "object", "properties": {"port": {"type": "string"}}}},
    }));
    let place = json!({"type": "object", "properties": {"port": {"type": "string"}}, "description": "where"});
    assert_eq!(value, json!({"type": "object", "properties": {"home": place}}));
    assert_eq!(warned, "");
}

#[test]
fn recursion_becomes_an_open_object() {
    let (value, warned) = converted(&json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }));
    assert_eq!(value, json!({"type": "object", "properties": {"next": {"type": "object"}}}));
    assert_eq!(warned, "dropped;s=$ref_(recursive)");
}

#[test]
fn bombs_and_loose_references_are_refused() {
    let mut defs = Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        defs.insert(format!("l{level}"), json!({"properties": {"a": next, "b": next}}));
    }
    defs.insert("l40".into(), json!({"type": "string"}));
    let bomb = json!({"$ref": "#/$defs/l0", "$defs": defs});
    let properties: Map<String, Value> = (0..500).map(|i| (format!("p{i}"), json!({}))).collect();
    let variants: Vec<Value> = (0..500).map(|i| json!({"required": [format!("p{i}")]})).collect();
    let product = json!({"properties": properties, "anyOf": variants});
    let deep = (0..100).fold(json!({}), |inner, _| json!({"items": inner}));
    for (schema, text) in [
        (bomb, "too large"),
        (product, "too large"),
        (deep, "too large"),
        (json!({"$ref": "#/$defs/none"}), "points to nothing"),
        (json!({"$ref": "https://example.com/schema"}), "points to nothing"),
    ] {
        let error = convert(&schema, "s", &mut Warnings::default()).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("s"));
        assert!(error.message.contains(text), "{}", error.message);
    }
}

#[test]
fn empty_parameters_are_seen() {
    for (schema, empty) in [
        (json!({}), true),
        (json!({"type": "object", "properties": {}, "additionalProperties": false}), true),
        (json!({"type": "object", "properties": {"a": {}}}), false),
        (json!({"$ref": "#/$defs/x"}), false),
        (json!({"anyOf": [{"type": "object"}]}), false),
    ] {
        assert_eq!(is_empty_object(&schema), empty, "{schema}");
    }
}
