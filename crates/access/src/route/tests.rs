use std::collections::{BTreeMap, BTreeSet};

use super::path::{Part, parts};
use super::*;
use crate::refusal::Reason;
use crate::testing::Chance;

const ROUTES: &str = include_str!("../../fixtures/routes.tsv");

fn router() -> Router {
    Router::new(table()).unwrap()
}

fn listed() -> impl Iterator<Item = (Method, &'static str, &'static str)> {
    ROUTES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        (fields[0].parse().unwrap(), fields[1], fields[2])
    })
}

/// Everything that is published has a row of its own, and every row is published.
#[test]
fn the_table_is_the_published_list() {
    let router = router();
    let mut unseen: BTreeMap<_, _> = router
        .routes()
        .iter()
        .flat_map(|route| {
            let verbs = [Verbs::GET, Verbs::POST, Verbs::PUT, Verbs::DELETE];
            let verbs = verbs.into_iter().filter(|verb| route.verbs().overlaps(*verb));
            verbs.map(move |verb| ((route.template(), verb.0), route))
        })
        .filter(|(_, route)| route.verbs() != Verbs::ANY)
        .collect();
    for (method, path, group) in listed() {
        let found = router.find(&method, path).unwrap_or_else(|_| panic!("{method} {path} has no route"));
        let is_passed = found.route.template() == "/v1/{*rest}";
        assert_eq!(is_passed, path.starts_with("/v1/anything") || path.starts_with("/v1/threads"), "{path}");
        assert_eq!(matches!(found.route.access(), Access::Public(_)), group == "public", "{path}");
        unseen.remove(&(found.route.template(), Verbs::of(&method).0));
    }
    assert!(unseen.is_empty(), "not in the list: {unseen:?}");
}

/// Public is the exception, and nobody is let through to a provider uncounted.
#[test]
fn every_route_asks_and_counts() {
    let public: Vec<_> = table().filter(|route| matches!(route.access(), Access::Public(_))).collect();
    let templates: Vec<_> = public.iter().map(Route::template).collect();
    let want = ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"];
    assert_eq!(templates[..5], want);
    let want = ["/model-configs/pricing/{provider}/{model}", "/pricing/{file}", "/sign-in"];
    assert_eq!(templates[5..8], want);
    assert_eq!(templates[8..10], ["/sign-in/oidc", "/sign-in/oidc/callback"]);
    assert_eq!(templates[10..13], ["/v1/session"; 3]);
    // Its address carries the proof.
    assert_eq!(templates[13..], ["/v1/logs/exports/{id}/file"]);
    for route in table() {
        let by_address = route.metering() == Metering::ByAddress;
        assert_eq!(matches!(route.access(), Access::Public(_)), by_address, "{}", route.template());
    }
    let needs = |route: &Route| match route.access() {
        Access::Needs(permission) => permission.scopes(),
        Access::Public(_) => vec![],
    };
    for route in DATA {
        assert!(matches!(route.metering(), Metering::Data(_)), "{}", route.template());
        let scopes = needs(route);
        let spends = |scope: &crate::Scope| matches!(scope.action(), "write" | "invoke");
        assert!(scopes.iter().any(spends), "{}: {scopes:?}", route.template());
    }
}

/// Two templates that fit the same path are told apart by a literal where the other has a name. These are all the
/// pairs there are: a new one is a decision.
#[test]
fn ambiguous_templates() {
    let all: Vec<_> = table().map(|route| (route, parts(route.template()).unwrap())).collect();
    let mut pairs = BTreeSet::new();
    for (at, (one, left)) in all.iter().enumerate() {
        for (other, right) in &all[at + 1..] {
            let open = left.contains(&Part::Rest) || right.contains(&Part::Rest);
            let fit = left.len() == right.len()
                && left.iter().zip(right).all(|(a, b)| a == b || *a == Part::One || *b == Part::One);
            if !open && fit && one.verbs().overlaps(other.verbs()) {
                pairs.insert((one.template(), other.template()));
            }
        }
    }
    let want = [
        ("/v1/admin/users/{id}", "/v1/admin/users/invites"),
        ("/v1/logs/{id}", "/v1/logs/exports"),
        ("/v1/logs/tail", "/v1/logs/{id}"),
        ("/v1/logs/exports/{id}", "/v1/logs/exports/field-restrictions"),
        ("/v1/prompts/{id}", "/v1/prompts/partials"),
        // A provider with this slug is found by its id.
        ("/v1/providers/health", "/v1/providers/{slug}"),
        ("/v1/prompts/{id}/makeDefault", "/v1/prompts/partials/{id}"),
        ("/v1/prompts/{id}/versions", "/v1/prompts/partials/{id}"),
        ("/v1/prompts/partials/{id}/makeDefault", "/v1/prompts/{id}/versions/{version}"),
        ("/v1/prompts/partials/{id}/versions", "/v1/prompts/{id}/versions/{version}"),
    ];
    assert_eq!(pairs, BTreeSet::from(want));
    let router = router();
    for (path, want) in [
        ("/v1/prompts/partials", "/v1/prompts/partials"),
        ("/v1/prompts/partials/versions", "/v1/prompts/partials/{id}"),
        ("/v1/prompts/partials/versions/versions", "/v1/prompts/partials/{id}/versions"),
        ("/v1/prompts/partials/versions/7", "/v1/prompts/{id}/versions/{version}"),
        ("/v1/prompts/pp/versions", "/v1/prompts/{id}/versions"),
        ("/v1/admin/users/invites", "/v1/admin/users/invites"),
    ] {
        assert_eq!(router.find(&Method::GET, path).unwrap().route.template(), want, "{path}");
    }
}

#[test]
fn a_table_with_two_answers_is_none() {
    let route = |verbs, template| Route::public(verbs, template, Public::Probe);
    let build = |routes: [Route; 2]| Router::new(routes).map(|_| ());
    let (get, post) = (Verbs::GET, Verbs::POST);
    let twice = Err(TableError::Twice("/a/{x}", "/a/{y}"));
    assert_eq!(build([route(get, "/a/{x}"), route(get, "/a/{y}")]), twice);
    assert_eq!(build([route(Verbs::ANY, "/a/{x}"), route(post, "/a/{y}")]), twice);
    assert_eq!(build([route(get, "/a/{x}"), route(post, "/a/{y}")]), Ok(()));
    assert_eq!(build([route(get, "/a/{x}"), route(get, "/a/b")]), Ok(()));
    assert!(build([route(get, "/a/{*x}"), route(get, "/a/{*y}")]).is_err());
    assert!(build([route(get, "/{a}/{b}/{c}/{d}/{e}"), route(get, "/a")]).is_err());
}

#[test]
fn names_are_handed_on_as_sent() {
    let router = router();
    let names = |method, path| router.find(&method, path).unwrap().names;
    assert_eq!(names(Method::GET, "/v1/configs/pc-a-1"), ["pc-a-1", "", "", ""]);
    assert_eq!(names(Method::PUT, "/v1/admin/workspaces/ws/users/u%20"), ["ws", "u%20", "", ""]);
    assert_eq!(names(Method::POST, "/v1/prompts/pp%4012/completions"), ["pp%4012", "", "", ""]);
    assert_eq!(names(Method::POST, "/v1/some/thing"), ["some/thing", "", "", ""]);
    assert_eq!(router.find(&Method::HEAD, "/healthz").unwrap().route.template(), "/healthz");
}

/// CVE-2026-49468, Bifrost PR 5763 and their like: a path that one part reads as public and another as an
/// administrator's. Whatever the spelling, it comes to the administrator's route, to a provider's, or nowhere.
#[test]
fn hostile_paths_open_no_admin_route() {
    let router = router();
    let find = |path: &str| {
        let found = router.find(&Method::GET, path);
        found.map(|found| found.route.template()).map_err(|refusal| refusal.reason)
    };
    for (path, want) in [
        ("/v1/admin/users", Ok("/v1/admin/users")),
        ("/v1/admin/users/", Err(Reason::NotFound)),
        ("/v1/admin//users", Err(Reason::NotFound)),
        ("//v1/admin/users", Err(Reason::NotFound)),
        ("/v1//admin/users", Ok("/v1/{*rest}")),
        ("/v1/Admin/users", Ok("/v1/{*rest}")),
        ("/V1/admin/users", Err(Reason::NotFound)),
        ("/v1/%61dmin/users", Err(Reason::NotFound)),
        ("/v1/admin%2Fusers", Err(Reason::NotFound)),
        ("/v1/admin;x=/users", Ok("/v1/{*rest}")),
        ("/v1/chat/../admin/users", Err(Reason::BadPath)),
        ("/v1/chat/%2e%2e/admin/users", Err(Reason::BadPath)),
        ("/healthz/../v1/admin/users", Err(Reason::BadPath)),
        ("/v1/proxy/%2E%2E/admin/users", Err(Reason::BadPath)),
        ("/v1/admin\\users", Err(Reason::BadPath)),
        ("/v1/admin/users\0", Err(Reason::BadPath)),
        ("/healthz/", Err(Reason::NotFound)),
        ("/v1/", Err(Reason::NotFound)),
        ("/v1", Err(Reason::NotFound)),
        ("*", Err(Reason::BadPath)),
        ("", Err(Reason::BadPath)),
    ] {
        assert_eq!(find(path), want, "{path}");
    }
    // A mistyped path of the gateway's own API never goes to a provider: its body may hold a key.
    for path in [
        "/v1/session/",
        "/v1/session/x",
        "/v1/virtual-keys/",
        "/v1/integrations/i/keys",
        "/v1/api-keys/k/rotate/now",
        "/v1/logs/a/b",
    ] {
        assert_eq!(router.find(&Method::POST, path).unwrap_err().reason, Reason::NotFound, "{path}");
    }
    assert_eq!(router.find(&Method::PATCH, "/v1/configs/c").unwrap_err().reason, Reason::NotFound);
    // And one that is badly formed is refused in its words.
    for path in ["/v1/configs/%0F", "/v2/api-keys/%0F/rotate", "/pricing/%0F", "/model-configs/pricing/a/%0F"]
    {
        assert_eq!(router.find(&Method::GET, path).unwrap_err().reason, Reason::BadPath, "{path}");
        assert!(router.is_reserved(path), "{path}");
    }
    for path in ["/v1/chat/../configs", "/healthz/../v1/configs", "/pricings/%0F", "*", ""] {
        assert!(!router.is_reserved(path), "{path}");
    }
}

/// The search against the plainest reading of the templates.
#[test]
fn any_path_comes_to_what_its_template_says() {
    let router = router();
    let mut chance = Chance(4);
    let words: Vec<&str> = table()
        .flat_map(|route| route.template().split('/').collect::<Vec<_>>())
        .filter(|word| !word.contains('{'))
        .collect();
    let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "BREW"].map(|text| text.parse().unwrap());
    for _ in 0..20_000 {
        let mut path = String::from(if chance.index(2) == 0 { "/v1" } else { "" });
        for _ in 0..chance.index(6) {
            path.push('/');
            match chance.index(4) {
                0 => path.push_str(&chance.text(6)),
                _ => path.push_str(words[chance.index(words.len())]),
            }
        }
        let method: &Method = &methods[chance.index(methods.len())];
        let Ok(found) = router.find(method, &path) else { continue };
        assert!(found.route.verbs().overlaps(Verbs::of(method)));
        let mut names = found.names.into_iter();
        let mut rest = Some(&path[1..]);
        for part in parts(found.route.template()).unwrap() {
            let (segment, after) = match rest.unwrap().split_once('/') {
                Some((segment, after)) => (segment, Some(after)),
                None => (rest.unwrap(), None),
            };
            match part {
                Part::Literal(literal) => assert_eq!(segment, literal, "{path}"),
                Part::One => assert_eq!((Some(segment), segment.is_empty()), (names.next(), false), "{path}"),
                Part::Rest => assert_eq!(rest.take(), names.next(), "{path}"),
            }
            rest = rest.and(after);
        }
        assert!(rest.is_none_or(str::is_empty), "{path}");
        assert!(names.all(str::is_empty), "{path}");
    }
}
