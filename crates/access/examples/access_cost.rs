//! What access costs a request: `cargo run --release -p tidegate-access --example access_cost`.
//!
//! The least of several rounds, so that a busy machine disturbs the figures little. 100,000 keys are in the map.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method};
use tidegate_access::key::{Validity, Which, generate};
use tidegate_access::route::table;
use tidegate_access::{
    Access, KeyHasher, KeyId, KeyKind, OrganisationId, Permission, Principal, Resource, Router, Scope,
    ScopeSet, TableError, Workspace, WorkspaceId, admit, authorize, carried,
};

const KEYS: u64 = 100_000;
const REQUESTS: u64 = 200_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), TableError> {
    let keys: Vec<_> = (0..KEYS).map(|number| generate(KeyKind::WorkspaceService, &random(number))).collect();
    for hasher in [KeyHasher::plain(), KeyHasher::peppered(&[7; 32])] {
        let scheme = hasher.scheme();
        let all: HashMap<_, _> =
            keys.iter().map(|key| (hasher.hash(key.expose()), Validity::default())).collect();
        let heads: Vec<_> = keys.iter().take(4_096).map(|key| head(key.expose())).collect();
        let at = |number: u64| &heads[number as usize % heads.len()];
        report(&format!("hash, {scheme}"), |number| {
            hasher.hash(at(number).get("x-portkey-api-key").and_then(|v| v.to_str().ok()).unwrap_or(""))
        });
        report(&format!("find the key among headers, hash it ({scheme}), look it up, judge it"), |number| {
            let key = carried(at(number)).ok().and_then(|carried| carried.key)?;
            all.get(&hasher.hash(key))?.judge(Which::Current, number).ok()
        });
    }
    let heads: Vec<_> = keys.iter().take(4_096).map(|key| head(key.expose())).collect();
    report("find the key among headers", |number| {
        carried(&heads[number as usize % heads.len()]).is_ok_and(|carried| carried.key.is_some())
    });

    let router = Router::new(table())?;
    for (method, path) in [
        (Method::POST, "/v1/chat/completions"),
        (Method::PUT, "/v1/admin/workspaces/ws-team-a1b2c3/users/0f4b2f0e-7f5e-4d5e"),
        (Method::GET, "/v1/files/s3%3A%2F%2Fbucket%2Fkey/content"),
    ] {
        report(&format!("route of {path}"), |_| {
            let found = router.find(black_box(&method), black_box(path));
            matches!(found.map(|found| found.route.access()), Ok(Access::Needs(_)))
        });
    }

    let (organisation, workspace) = (OrganisationId::new("o"), WorkspaceId::new("w"));
    let place = Workspace { id: workspace.clone(), slug: "ws-w".into() };
    let scopes = ScopeSet::of_kind(KeyKind::WorkspaceService);
    let principal = Principal::service_key(organisation.clone(), KeyId::new("k"), place, scopes);
    let permission = Permission::Needs(Scope::CompletionsWrite);
    report("admit", |_| admit(black_box(&principal), black_box(permission)).is_ok());
    let resource = Resource { organisation: &organisation, workspace: Some(&workspace), key: None };
    report("authorize", |_| authorize(black_box(&principal), black_box(permission), &resource).is_ok());
    Ok(())
}

fn report<T>(what: &str, mut one: impl FnMut(u64) -> T) {
    let mut least = u128::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for number in 0..REQUESTS {
            black_box(one(number));
        }
        least = least.min(begin.elapsed().as_nanos());
    }
    println!("{what}: {} ns", least / u128::from(REQUESTS));
}

fn head(key: &str) -> HeaderMap {
    let mut head = HeaderMap::new();
    for (name, value) in [
        ("x-portkey-api-key", key),
        ("authorization", "Bearer OPENAI_API_KEY"),
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/Python 2.30.0"),
        ("x-portkey-provider", "@openai-prod"),
        ("accept", "application/json"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            head.insert(name, value);
        }
    }
    head
}

/// Told apart is all that these have to be.
fn random(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ at as u64).to_le_bytes());
    }
    bytes
}
