//! The description made from the table of handlers and their types.

use http::Method;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use tidegate_access::{Access, Permission, Route, Verbs};

use crate::endpoint::Endpoint;

fn document(endpoints: &[Endpoint], routes: &[Route]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in endpoints {
        let route = routes.iter().find(|route| {
            route.template() == endpoint.template && Verbs::of(&endpoint.method).overlaps(route.verbs())
        });
        let access = route.map(Route::access);
        let operation = operation(endpoint, access, &mut generator);
        let path = paths.entry(endpoint.template).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "security": [{ "api_key": [] }, { "bearer": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "api_key": { "type": "apiKey", "in": "header", "name": "x-portkey-api-key" },
                "bearer": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": crate::authenticate::COOKIE_NAME },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, access: Option<Access>, generator: &mut SchemaGenerator) -> Value {
    let shapes = (endpoint.shapes)(generator);
    let mut parameters = path_parameters(endpoint.template);
    parameters.extend(query_parameters(shapes.query));
    let has_body = matches!(endpoint.method, Method::POST | Method::PUT | Method::DELETE);
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": responses(endpoint, &shapes.reply, access, has_body),
    });
    match access {
        Some(Access::Needs(permission)) => operation["x-tidegate-permission"] = permission_of(permission),
        Some(Access::Public(_)) | None => operation["security"] = json!([]),
    }
    if has_body {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": shapes.body } } });
    }
    operation
}

fn responses(endpoint: &Endpoint, reply: &Schema, access: Option<Access>, has_body: bool) -> Value {
    let mut responses = Map::new();
    let media = endpoint.media.unwrap_or("application/json");
    let schema = if endpoint.media.is_some() { json!({ "type": "string" }) } else { json!(reply) };
    let mut done = json!({ "description": "Done" });
    if endpoint.status != 303 {
        done["content"] = json!({ media: { "schema": schema } });
    }
    responses.insert(endpoint.status.to_string(), done);
    let mut problems = vec![(400, "Something in the request is not accepted: `error.param` names it")];
    let is_public = !matches!(access, Some(Access::Needs(_)));
    if !is_public {
        problems.push((401, "No credential, or none that is good"));
        problems.push((403, "The credential does not allow it"));
        problems.push((404, "Not there, or not the caller's"));
    }
    if has_body {
        problems.push((409, "It contradicts what is there"));
        problems.push((413, "The body is too large"));
        problems.push((415, "The body is not JSON"));
    }
    if endpoint.media == Some(crate::logs::tail::EVENTS) {
        problems.push((409, "No records of requests are kept"));
        problems.push((429, "Too many live tails are open"));
    }
    if is_public && endpoint.template.contains('{') {
        problems.push((404, "Not there"));
    }
    if is_public && endpoint.template.starts_with("/sign-in/oidc") {
        problems.push((404, "No identity provider is set up"));
        problems.push((409, "Somebody of the same address was made at this moment"));
    }
    if is_public {
        problems.push((401, "The cookie or the link is not good"));
        problems.push((403, "The CSRF header is missing or wrong, or the person is not let in"));
        problems.push((429, "Too many tries from this address"));
    }
    problems.push((500, "The gateway failed"));
    problems.push((503, "The database, or the identity provider, does not answer"));
    for (status, words) in problems {
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        responses.insert(status.to_string(), json!({ "description": words, "content": content }));
    }
    Value::Object(responses)
}

/// `getV1AdminWorkspacesSlug`.
fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.template.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(endpoint.method.as_str().to_ascii_lowercase(), |mut id, word| {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
        id
    })
}

fn path_parameters(template: &str) -> Vec<Value> {
    let names = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } });
    names.map(parameter).collect()
}

/// A member of the query's type is a parameter.
fn query_parameters(query: Schema) -> Vec<Value> {
    let query = query.to_value();
    let required: Vec<&str> =
        query["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(members) = query["properties"].as_object() else { return Vec::new() };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let words = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema });
        if let Some(words) = words {
            parameter["description"] = words;
        }
        parameter
    };
    members.iter().map(parameter).collect()
}

fn permission_of(permission: Permission) -> Value {
    let scopes: Vec<&str> = permission.scopes().into_iter().map(|scope| scope.text()).collect();
    let how = if matches!(permission, Permission::All(_)) { "all_of" } else { "any_of" };
    json!({ how: scopes })
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["success", "message", "errorCode", "error", "data"],
        "properties": {
            "success": { "const": false },
            "message": text,
            "errorCode": { "type": "string", "pattern": "^AB0[0-9]$" },
            "error": {
                "type": "object",
                "required": ["message", "type", "code", "param"],
                "properties": { "message": text, "type": text, "code": text, "param": { "type": ["string", "null"] } },
            },
            "data": {
                "type": "object",
                "required": ["message", "errorCode"],
                "properties": { "message": text, "errorCode": text, "missing_scope": text },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_description_is_of_the_api_as_it_is() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/openapi.json");
        let made = document(&crate::table::table(), tidegate_access::route::CONTROL);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, format!("{made:#}\n")).unwrap();
            return;
        }
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(
            kept == made,
            "handlers, types or routes have changed: UPDATE_SNAPSHOTS=1 cargo nextest run -p tidegate-control \
             the_description writes data/openapi.json anew"
        );
        assert_eq!(super::super::OPENAPI[0].text(), made.to_string());
    }
}
