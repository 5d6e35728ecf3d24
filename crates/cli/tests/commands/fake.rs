//! The admin API in the shapes of its reference: objects in memory, one workspace, lists in pages.

use std::sync::Mutex;

use serde_json::{Map, Value, json};
use tidegate_testkit::{Handler, Reply, Seen};

use crate::stage::ADMIN_KEY;

/// What is there, by collection: `/configs` and the like.
#[derive(Debug, Default)]
pub struct Fake {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: Vec<(String, Value)>,
    versions: Vec<(String, Value)>,
    made: u64,
    /// Answers every request so, instead.
    always: Option<(u16, String)>,
}

impl Fake {
    pub fn put(&self, collection: &str, object: Value) {
        self.state.lock().unwrap().objects.push((collection.to_owned(), object));
    }

    pub fn always(&self, status: u16, body: &str) {
        self.state.lock().unwrap().always = Some((status, body.to_owned()));
    }

    pub fn all(&self, collection: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state
            .objects
            .iter()
            .filter(|(name, _)| name == collection)
            .map(|(_, object)| object.clone())
            .collect()
    }
}

impl Handler for Fake {
    fn answer(&self, request: &Seen) -> Reply {
        let mut state = self.state.lock().unwrap();
        if let Some((status, body)) = &state.always {
            return Reply::text(*status, "application/json", body.clone());
        }
        if request.header("x-portkey-api-key") != Some(ADMIN_KEY) {
            return error(401, "AB05", "Unauthorized: the API key is not valid");
        }
        let Some(path) = request.path().strip_prefix("/v1") else { return error(404, "AB08", "Not found") };
        let body = request.json();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["admin", "workspaces"]) if state.of("/admin/workspaces").is_empty() => Reply::json(
                200,
                &json!({"object": "list", "total": 1, "data": [{"id": "w-1", "slug": "ws-default", "name": "Default"}]}),
            ),
            ("GET", ["audit-logs"]) => {
                let rows = state.of("/audit-logs");
                Reply::json(200, &json!({"object": "list", "total": rows.len(), "records": rows}))
            }
            ("GET", ["logs", "exports", "field-restrictions"]) => Reply::json(
                200,
                &json!({"allowed_fields": ["id", "request", "response", "cost"], "denied_fields": []}),
            ),
            ("POST", ["logs", "exports"]) => {
                Reply::json(200, &json!({"id": "e-1", "total": 2, "object": "export"}))
            }
            ("POST", ["logs", "exports", "e-1", "start"]) => {
                state.made += 1;
                Reply::json(200, &json!({"message": "started", "object": "export"}))
            }
            ("GET", ["logs", "exports", "e-1"]) => state.job(),
            ("GET", ["logs", "exports", "e-1", "download"]) => Reply::json(
                200,
                &json!({"signed_url": "https://elsewhere.example/v1/logs/exports/e-1/file?token=t"}),
            ),
            ("GET", ["logs", "exports", "e-1", "file"]) => {
                assert!(request.url.ends_with("?token=t"), "{}", request.url);
                Reply::text(200, "application/vnd.apache.parquet", "PAR1 and so on")
            }
            ("POST", ["integrations"]) => state.integrate(&body),
            ("POST", ["api-keys", "workspace" | "organisation", kind]) => state.key(&body, kind),
            ("POST", ["api-keys", id, "rotate"]) => Reply::json(
                200,
                &json!({"id": id, "key": "tg-new-secret", "key_transition_expires_at": "2026-11-21T12:22:16.966Z"}),
            ),
            ("POST", ["configs"]) => state.save(&body),
            ("GET", ["configs", slug, "versions"]) => state.versions(slug),
            ("PUT", ["configs", slug]) => state.save_version(slug, &body),
            ("POST", ["admin", "users", "invites"]) => {
                Reply::json(200, &json!({"id": "i-1", "invite_link": "http://gate/invite/abc"}))
            }
            ("POST", ["admin", "workspaces"]) => {
                let mut object = body.clone();
                object["id"] = json!("w-2");
                object["slug"] = json!("ws-new");
                state.objects.push(("/admin/workspaces".to_owned(), object.clone()));
                Reply::json(200, &object)
            }
            ("POST", ["admin", "workspaces", _, "users"]) => Reply::json(200, &json!({})),
            ("GET", collection) if state.is_collection(collection) => {
                state.list(&joined(collection), request)
            }
            (method, [collection @ .., id]) => state.object(method, &joined(collection), id, &body),
            _ => error(404, "AB08", "Not found"),
        }
    }
}

impl State {
    /// An export that runs once before it is done; with an object in `/failing`, it fails.
    fn job(&mut self) -> Reply {
        self.made += 1;
        let job = |status: &str| json!({"status": status, "total_records": 2, "error": "too many logs"});
        Reply::json(
            200,
            &job(match (self.made, self.of("/failing").is_empty()) {
                (2, _) => "in_progress",
                (_, true) => "success",
                (_, false) => "failed",
            }),
        )
    }

    fn of(&self, collection: &str) -> Vec<Value> {
        self.objects.iter().filter(|(name, _)| name == collection).map(|(_, object)| object.clone()).collect()
    }

    fn is_collection(&self, parts: &[&str]) -> bool {
        matches!(
            parts,
            ["configs" | "providers" | "api-keys" | "integrations" | "logs"]
                | ["admin", "users" | "workspaces"]
        ) || matches!(parts, ["admin", "users", "invites"] | ["admin", "workspaces", _, "users"])
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn list(&self, collection: &str, request: &Seen) -> Reply {
        let number =
            |names: [&str; 2]| names.iter().find_map(|name| request.query(name)?.parse::<usize>().ok());
        let (size, page) = (
            number(["page_size", "pageSize"]).unwrap_or(50),
            number(["current_page", "currentPage"]).unwrap_or(0),
        );
        let rows = self.of(collection);
        let data: Vec<_> = rows.iter().skip(size * page).take(size).collect();
        Reply::json(200, &json!({"object": "list", "total": rows.len(), "data": data}))
    }

    fn object(&mut self, method: &str, collection: &str, id: &str, body: &Value) -> Reply {
        let found = self
            .objects
            .iter()
            .position(|(name, object)| name == collection && (object["id"] == id || object["slug"] == id));
        let Some(at) = found else { return error(404, "AB08", &format!("there is no {id}")) };
        match method {
            "GET" => Reply::json(200, &self.objects[at].1),
            "PUT" => {
                merge(&mut self.objects[at].1, body);
                Reply::json(200, &json!({}))
            }
            "DELETE" => {
                self.objects.remove(at);
                Reply::json(200, &json!({}))
            }
            _ => error(405, "AB01", "this cannot be done"),
        }
    }

    fn integrate(&mut self, body: &Value) -> Reply {
        let n = self.next();
        let slug = format!("{}-{n:06x}", body["default_provider_slug"].as_str().unwrap());
        let integration = json!({"id": format!("int-{n}"), "slug": slug, "type": "workspace", "ai_provider_id": body["ai_provider_id"], "key": body["key"]});
        self.objects.push(("/integrations".to_owned(), integration));
        let provider = json!({"id": format!("p-{n}"), "slug": body["default_provider_slug"], "name": body["name"], "integration_id": format!("int-{n}"),
            "ai_provider_name": body["ai_provider_id"], "status": "active", "usage_limits": null, "rate_limits": null});
        self.objects.push(("/providers".to_owned(), provider));
        Reply::json(200, &json!({"id": format!("int-{n}"), "slug": slug}))
    }

    fn key(&mut self, body: &Value, kind: &str) -> Reply {
        if body["scopes"].as_array().is_none_or(Vec::is_empty) {
            return error(400, "AB01", "scopes: is missing");
        }
        let id = format!("k-{}", self.next());
        let mut row = body.clone();
        merge(
            &mut row,
            &json!({"id": id, "key": "tg-***abc", "type": format!("workspace-{kind}"), "status": "active"}),
        );
        self.objects.push(("/api-keys".to_owned(), row));
        Reply::json(200, &json!({"id": id, "key": "tg-secret-of-the-key", "object": "api-key"}))
    }

    fn save(&mut self, body: &Value) -> Reply {
        let n = self.next();
        let slug = format!("pc-{}-{n:06x}", body["name"].as_str().unwrap());
        let row = json!({"id": format!("c-{n}"), "slug": slug, "name": body["name"], "status": "active", "is_default": 0,
            "version_id": format!("v-{n}"), "last_updated_at": format!("2026-01-01T00:00:{n:02}.000Z"), "config": body["config"].to_string()});
        self.versions.push((slug.clone(), row.clone()));
        self.objects.push(("/configs".to_owned(), row));
        Reply::json(
            200,
            &json!({"id": format!("c-{n}"), "slug": slug, "version_id": format!("v-{n}"), "object": "config"}),
        )
    }

    fn save_version(&mut self, slug: &str, body: &Value) -> Reply {
        let n = self.next();
        let Some((_, row)) = self.objects.iter_mut().find(|(_, object)| object["slug"] == slug) else {
            return error(404, "AB08", "Not found");
        };
        let change = json!({"config": body["config"].to_string(), "version_id": format!("v-{n}"), "last_updated_at": format!("2026-01-01T00:00:{n:02}.000Z")});
        merge(row, &change);
        self.versions.push((slug.to_owned(), row.clone()));
        Reply::json(200, &json!({"version_id": format!("v-{n}"), "object": "config"}))
    }

    fn versions(&self, slug: &str) -> Reply {
        let rows: Vec<_> = self.versions.iter().filter(|(of, _)| of == slug).map(|(_, row)| row).collect();
        Reply::json(200, &json!({"object": "list", "total": rows.len(), "data": rows}))
    }
}

fn joined(parts: &[&str]) -> String {
    format!("/{}", parts.join("/"))
}

fn merge(object: &mut Value, change: &Value) {
    let (Some(object), Some(change)) = (object.as_object_mut(), change.as_object()) else { return };
    let change: Map<String, Value> = change.clone();
    object.extend(change);
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"success": false, "message": message, "errorCode": code, "error": {"message": message, "type": "client_error", "code": code, "param": null},
            "data": {"message": message, "errorCode": code}}),
    )
}
