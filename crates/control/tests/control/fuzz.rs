//! The description against the API: requests made from its schemas, right and wrong, get an answer that it lists, never
//! a failure of the gateway's own, and a success has the members that it promises.

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

use crate::world::{Credential, NOBODY, World};

const ROUNDS: usize = 80;

/// SplitMix64: the same requests on every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn text(&mut self) -> String {
        let texts = [
            "a",
            "",
            "ws-a",
            "ws-b",
            "logs.view",
            "member",
            "admin",
            "x@example.org",
            "active",
            "1",
            "0",
            "-1",
            "true",
            "2030-01-01T00:00:00Z",
            "18446744073709551615",
            "rpm",
            "requests",
            "tokens",
            "weekly",
            "\0",
            "é🦀",
            "%2F..",
            "00000000-0000-0000-0000-000000000000",
            "' OR 1=1 --",
            "${jndi:x}",
            "pc-a",
        ];
        match self.below(8) {
            0 => "x".repeat(300),
            1 => char::from_u32(u32::try_from(self.below(0xd7ff)).unwrap()).unwrap().to_string(),
            _ => (*self.one(&texts)).to_owned(),
        }
    }

    fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth > 2 { 5 } else { 7 }) {
            0 => json!(null),
            1 => json!(self.below(2) == 0),
            2 => (*self.one(&[json!(0), json!(-1), json!(u64::MAX), json!(1e300), json!(0.5), json!(7)]))
                .clone(),
            3 | 4 => json!(self.text()),
            5 => json!((0..self.below(3)).map(|_| self.any(depth + 1)).collect::<Vec<_>>()),
            _ => Value::Object((0..self.below(3)).map(|_| (self.text(), self.any(depth + 1))).collect()),
        }
    }

    /// Mostly what the schema says; sometimes something else.
    fn of(&mut self, schema: &Value, all: &Value, depth: usize) -> Value {
        if self.below(12) == 0 || depth > 6 {
            return self.any(depth);
        }
        if let Some(name) = schema["$ref"].as_str() {
            return self.of(&all[name.rsplit('/').next().unwrap()], all, depth + 1);
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(forms) = schema[several].as_array() {
                let form = self.one(forms).clone();
                return self.of(&form, all, depth + 1);
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return self.one(values).clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.one(kinds).as_str().unwrap_or("null").to_owned(),
            other => other.as_str().unwrap_or("object").to_owned(),
        };
        match kind.as_str() {
            "null" => json!(null),
            "boolean" => json!(self.below(2) == 0),
            "integer" | "number" => {
                let edges = [0, 1, 2, 100, 1_000, 3_600_000, 1_800_000, i64::MAX, -1];
                json!(*self.one(&edges))
            }
            "array" => json!(
                (0..self.below(4)).map(|_| self.of(&schema["items"], all, depth + 1)).collect::<Vec<_>>()
            ),
            "string" if schema["format"] == "uuid" => json!("01a3185c-5000-7ba7-b3b7-51d4744eb812"),
            "string" if schema["format"] == "date-time" => {
                json!(*self.one(&[
                    "2030-01-01T00:00:00Z",
                    "1970-01-01T00:00:00Z",
                    "9999-12-31T23:59:59Z",
                    "2030-02-31T25:00:00+99:99"
                ]))
            }
            "string" => json!(self.text()),
            _ => {
                let mut members = Map::new();
                for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                    let is_required =
                        schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
                    if (is_required && self.below(20) > 0) || self.below(3) == 0 {
                        members.insert(name.clone(), self.of(member, all, depth + 1));
                    }
                }
                if schema["additionalProperties"].is_object() {
                    let name = self.text();
                    members.insert(name, self.of(&schema["additionalProperties"], all, depth + 1));
                }
                Value::Object(members)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_in_the_description() {
    let world = World::new().await;
    let document = world.get(NOBODY, "/openapi.json").await.body;
    let schemas = &document["components"]["schemas"];
    let mut chance = Chance(7);
    let mut seen = std::collections::BTreeMap::<u16, usize>::new();
    let known = [world.a.to_string(), "ws-a".into(), "ws-b".into(), world.users["org_member"].to_string()];
    // What is taken away may not be what the others send with.
    let spare = ["ws-b".to_owned(), world.users["org_member"].to_string()];
    for _ in 0..ROUNDS {
        for (template, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let of = if method == "delete" { &spare[..] } else { &known[..] };
                let uri = uri(&mut chance, template, operation, schemas, of);
                let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(&uri);
                let is_sign_out = template == "/v1/session" && method == "delete";
                let senders =
                    ["admin_key", "admin_key", "owner", "service_key", "ws_manager", "user_key", NOBODY];
                let who = if is_sign_out { NOBODY } else { *chance.one(&senders) };
                if who != NOBODY {
                    request = match world.credential(who) {
                        Credential::Key(key) => request.header("authorization", format!("Bearer {key}")),
                        Credential::Cookie(cookie, csrf) => request
                            .header("cookie", format!("tidegate_session={cookie}"))
                            .header("x-tidegate-csrf", csrf),
                    };
                }
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let body = match (schema.is_null(), chance.below(30)) {
                    (true, _) | (_, 0) => String::new(),
                    (_, 1) => chance.text(),
                    _ => chance.of(schema, schemas, 0).to_string(),
                };
                let got = world.send(request.body(Bytes::from(body.clone())).unwrap()).await;
                let told = &operation["responses"][got.status.to_string()];
                assert!(told.is_object(), "{method} {uri} {body} as {who}: {} {}", got.status, got.text);
                assert!(got.status < 500, "{method} {uri} {body} as {who}: {}", got.text);
                let promised = &told["content"]["application/json"]["schema"];
                if !promised.is_null() {
                    check(&got.body, promised, schemas, &format!("{method} {uri}"));
                }
                *seen.entry(got.status).or_default() += 1;
            }
        }
    }
    // It is worth something only when requests also succeed.
    assert!(seen[&200] > 300 && seen[&400] > 200, "{seen:?}");
}

fn uri(chance: &mut Chance, template: &str, operation: &Value, schemas: &Value, known: &[String]) -> String {
    let escaped = |text: &str| {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || byte == b'-' {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect::<String>()
    };
    let parts = template.split('/').map(|part| {
        if !part.starts_with('{') {
            return part.to_owned();
        }
        let text = if chance.below(3) > 0 { chance.one(known).clone() } else { chance.text() };
        // A segment that is empty or all dots is another path.
        if text.is_empty() || text.contains("..") || text.contains(['/', '\\']) {
            "x".to_owned()
        } else {
            escaped(&text)
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let mut pairs = Vec::new();
    for parameter in
        operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query")
    {
        if chance.below(4) == 0 {
            let value = chance.of(&parameter["schema"], schemas, 0);
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{}={}", parameter["name"].as_str().unwrap(), escaped(&text)));
        }
    }
    if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) }
}

/// Members that are required are there, and types are those that are said.
fn check(value: &Value, schema: &Value, all: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return check(value, &all[name.rsplit('/').next().unwrap()], all, place);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check(value, part, all, place);
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        if !(value.is_null() && forms.iter().any(|form| form["type"] == "null")) {
            let form = forms.iter().find(|form| form["type"] != "null").unwrap();
            check(value, form, all, place);
        }
        return;
    }
    if let Some(values) = schema["enum"].as_array() {
        return assert!(values.contains(value), "{place}: {value} is none of {values:?}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |word: &Value| word == kind || (kind == "integer" && word == "number");
    match &schema["type"] {
        Value::Null => {}
        Value::Array(kinds) => assert!(kinds.iter().any(fits), "{place}: {value} is no {kinds:?}"),
        word => assert!(fits(word), "{place}: {value} is no {word}"),
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        check(member, &schema["properties"][name], all, &format!("{place}.{name}"));
    }
    for item in value.as_array().into_iter().flatten() {
        check(item, &schema["items"], all, place);
    }
    if kind == "object" {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(value.get(name.as_str().unwrap()).is_some(), "{place}: {name} is missing in {value}");
        }
    }
}
