use serde_json::json;

use super::*;

fn validate(schema: &Value, instance: &Value) -> Errors {
    Validator::new(schema).validate(instance)
}

/// (schema, instance, errors)
#[test]
fn each_keyword_decides_and_says_why() {
    let required = "Instance does not have required property \"b\".";
    let cases = [
        (json!({}), json!(1), vec![]),
        (json!(false), json!(1), vec!["False boolean schema."]),
        (json!({"type": "integer"}), json!(1.0), vec![]),
        (
            json!({"type": ["string", "null"]}),
            json!(1),
            vec!["Instance type \"number\" is invalid. Expected \"string\", \"null\"."],
        ),
        (json!({"const": {"x": 1}}), json!({"x": 1.0}), vec![]),
        (json!({"const": {"x": 1}}), json!(1), vec!["Instance does not match {\"x\":1}."]),
        (json!({"enum": [1, 2]}), json!(3), vec!["Instance does not match any of [1,2]."]),
        (json!({"required": ["a", "b"]}), json!({"a": null}), vec![required]),
        (json!({"required": ["b"]}), json!("not an object"), vec![]),
        (json!({"minProperties": 2}), json!({"a": 1}), vec!["Instance does not have at least 2 properties."]),
        (json!({"maxProperties": 0}), json!({"a": 1}), vec!["Instance does not have at most 0 properties."]),
        (
            json!({"propertyNames": {"maxLength": 2}}),
            json!({"abc": 1}),
            vec!["Property name \"abc\" does not match schema.", "String is too long (3 > 2)."],
        ),
        (
            json!({"dependentRequired": {"a": ["q"]}}),
            json!({"a": 1}),
            vec!["Instance has \"a\" but does not have \"q\"."],
        ),
        (
            json!({"dependentSchemas": {"a": {"required": ["b"]}}}),
            json!({"a": 1}),
            vec!["Instance has \"a\" but does not match dependent schema.", required],
        ),
        (
            json!({"properties": {"a": {"minLength": 3}}}),
            json!({"a": "x"}),
            vec!["Property \"a\" does not match schema.", "String is too short (1 < 3)."],
        ),
        (
            json!({"patternProperties": {"^x": {"type": "number"}}, "additionalProperties": false}),
            json!({"xx": "s", "y": 1}),
            vec![
                "Property \"xx\" matches pattern \"^x\" but does not match associated schema.",
                "Instance type \"string\" is invalid. Expected \"number\".",
                "Property \"y\" does not match additional properties schema.",
                "False boolean schema.",
            ],
        ),
        (
            json!({"minItems": 2, "items": {"minimum": 3, "multipleOf": 2}}),
            json!([1]),
            vec![
                "Array has too few items (1 < 2).",
                "Items did not match schema.",
                "1 is less than 3.",
                "1 is not a multiple of 2.",
            ],
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false, "maxItems": 1}),
            json!(["a", 2]),
            vec!["Array has too many items (2 > 1).", "Items did not match schema.", "False boolean schema."],
        ),
        (json!({"uniqueItems": true}), json!([1, 2, 1.0]), vec!["Duplicate items at indexes 0 and 2."]),
        (
            json!({"contains": {"type": "number"}}),
            json!(["a"]),
            vec!["Array has too few items matching \"contains\" (0 < 1)."],
        ),
        (
            json!({"contains": true, "maxContains": 1}),
            json!([1, 2]),
            vec!["Array has too many items matching \"contains\" (2 > 1)."],
        ),
        (json!({"maximum": 3, "multipleOf": 0.1}), json!(0.3), vec![]),
        (json!({"maximum": 3}), json!(5), vec!["5 is greater than 3."]),
        (json!({"exclusiveMinimum": 3}), json!(3), vec!["3 is not greater than 3."]),
        (json!({"exclusiveMaximum": 3}), json!(3), vec!["3 is not less than 3."]),
        (json!({"pattern": "^x$"}), json!("y"), vec!["String does not match pattern."]),
        (json!({"format": "email"}), json!("zz"), vec!["String does not match format \"email\"."]),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            vec![
                "Instance does not match any subschemas.",
                "Instance type \"number\" is invalid. Expected \"string\".",
                "Instance type \"number\" is invalid. Expected \"null\".",
            ],
        ),
        (
            json!({"oneOf": [{"type": "number"}, {"type": "integer"}]}),
            json!(2),
            vec!["Instance does not match exactly one subschema (2 matches)."],
        ),
        (
            json!({"allOf": [{"required": ["b"]}]}),
            json!({}),
            vec!["Instance does not match every subschema.", required],
        ),
        (json!({"not": {"type": "string"}}), json!("x"), vec!["Instance matched \"not\" schema."]),
        (
            json!({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": false}),
            json!({"a": 1}),
            vec!["Instance does not match \"then\" schema.", required],
        ),
        (
            json!({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"required": ["b"]}}}),
            json!({}),
            vec!["A subschema had errors.", required],
        ),
    ];
    for (schema, instance, expected) in cases {
        assert_eq!(validate(&schema, &instance).unwrap(), expected, "{schema} on {instance}");
    }
}

#[test]
fn schemas_that_cannot_be_applied_say_why() {
    // Each level asks the next one twice.
    let mut doubling = json!({"$ref": "#/$defs/0", "$defs": {}});
    for level in 0..30 {
        let next = json!({"$ref": format!("#/$defs/{}", level + 1)});
        doubling["$defs"][level.to_string()] = json!({"allOf": [next, next]});
    }
    doubling["$defs"]["30"] = json!({});
    let cases = [
        (json!({"$ref": "#"}), "the schema nests too deeply"),
        (json!({"$ref": "#/$defs/none"}), "Unresolved $ref \"#/$defs/none\"."),
        (json!({"$ref": "https://example.com/s"}), "Unresolved $ref \"https://example.com/s\"."),
        (json!({"pattern": "("}), "Invalid regular expression: /(/u: Unterminated group"),
        (json!({"unevaluatedProperties": false}), "the keyword \"unevaluatedProperties\" is not supported"),
        (json!({"required": "x"}), "the keyword \"required\" must be an array"),
        (json!({"properties": []}), "the keyword \"properties\" must be an object"),
        (json!({"exclusiveMinimum": true}), "the keyword \"exclusiveMinimum\" must be a number"),
        (json!({"pattern": 5}), "the keyword \"pattern\" must be a string"),
        (json!({"allOf": [5]}), "a schema must be an object or a boolean"),
        (doubling, "the schema takes too many steps"),
    ];
    for (schema, expected) in cases {
        assert_eq!(validate(&schema, &json!("x")).unwrap_err().to_string(), expected);
    }
    let many = Value::Array((0..1_000).map(Value::from).collect());
    assert_eq!(
        validate(&json!({"uniqueItems": true}), &many).unwrap_err().to_string(),
        "the schema takes too many steps"
    );
}
