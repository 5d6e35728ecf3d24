//! Users, invitations and sign-ins.

use serde_json::{Value, json};
use tidegate_control::{ApiOptions, sign_in_link};

use crate::world::{Credential, Got, NOBODY, World};

const USERS: &str = "/v1/admin/users";
const INVITES: &str = "/v1/admin/users/invites";

fn token(link: &Value) -> String {
    let link = link.as_str().unwrap();
    assert!(link.starts_with("http://localhost:8787/sign-in?token=tgl_"), "{link}");
    link.split_once("token=").unwrap().1.to_owned()
}

fn cookie(got: &Got) -> Credential {
    let header = got.headers["set-cookie"].to_str().unwrap();
    assert!(header.contains("; HttpOnly; SameSite=Lax; Max-Age=43200"), "{header}");
    let text = header.split(';').next().unwrap().strip_prefix("tidegate_session=").unwrap();
    Credential::Cookie(text.to_owned(), got.body["csrf_token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn users_are_listed_changed_and_removed() {
    let world = World::new().await;
    let id = |name: &str| world.users[name].to_string();
    let list =
        world.done("admin_key", "GET", &format!("{USERS}?pageSize=2&currentPage=0"), json!(null)).await;
    assert_eq!((&list["total"], &list["object"]), (&json!(6), &json!("list")));
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let list = world.done("admin_key", "GET", &format!("{USERS}?role=owner"), json!(null)).await;
    assert_eq!(list["data"][0]["email"], "owner@example.org");
    let uri = format!("{USERS}/{}", id("ws_member"));
    let row = world.done("admin_key", "GET", &uri, json!(null)).await;
    let want = json!({
        "object": "user", "id": id("ws_member"), "first_name": "ws_member", "last_name": "", "role": "member",
        "email": "ws_member@example.org", "created_at": "2027-01-15T07:59:59.002Z",
        "last_updated_at": "2027-01-15T07:59:59.002Z", "workspace_ids": [world.a.to_string()],
    });
    assert_eq!(row, want);
    for (who, name, body, status) in [
        ("admin", "owner", json!({"role": "member"}), 403),
        ("admin", "ws_admin", json!({"role": "owner"}), 403),
        ("admin", "admin", json!({"role": "member"}), 403),
        ("organisation_key", "ws_admin", json!({"role": "owner"}), 403),
        ("admin_key", "owner", json!({"role": "admin"}), 409),
        ("admin_key", "org_member", json!({"role": "king"}), 400),
        ("admin_key", "org_member", json!({"role": "owner", "user_id": "x"}), 200),
        ("admin_key", "owner", json!({"role": "admin"}), 200),
        ("admin", "ws_manager", json!({"role": "admin"}), 200),
        ("ws_manager", "admin", json!({"first_name": "Ada"}), 200),
    ] {
        let got = world.ask(who, "PUT", &format!("{USERS}/{}", id(name)), Some(&body)).await;
        assert_eq!(got.status, status, "{who} {name} {body}: {}", got.text);
    }
    assert_eq!(world.done("admin_key", "DELETE", &uri, json!(null)).await, json!({}));
    assert_eq!(world.get("admin_key", &uri).await.status, 404);
    // The person's keys and sign-ins went along.
    assert_eq!(world.get("user_key", "/v1/api-keys").await.status, 401);
    assert_eq!(world.get("ws_member", "/v1/api-keys").await.status, 401);
    assert_eq!(world.ask("admin", "DELETE", &format!("{USERS}/{}", id("admin")), None).await.status, 403);
    let last = world.ask("admin_key", "DELETE", &format!("{USERS}/{}", id("org_member")), None).await;
    assert_eq!(last.status, 409, "the last owner: {}", last.text);
}

#[tokio::test]
async fn an_invitation_makes_a_user_with_places_and_keys() {
    let world = World::new().await;
    let body = json!({
        "email": "New@Example.org", "role": "member", "workspaces": [{"id": "ws-a", "role": "manager"}],
        "workspace_api_key_details": {"scopes": ["completions.write", "logs.view"]},
    });
    let made = world.done("admin", "POST", INVITES, body.clone()).await;
    let first = token(&made["invite_link"]);
    let uri = format!("{INVITES}/{}", made["id"].as_str().unwrap());
    let row = world.done("admin", "GET", &uri, json!(null)).await;
    let want = json!({
        "object": "invite", "id": made["id"], "email": "new@example.org", "role": "member",
        "created_at": "2027-01-15T08:00:00.000Z", "expires_at": "2027-01-22T08:00:00.000Z", "accepted_at": null,
        "status": "pending", "invited_by": world.users["admin"].to_string(),
        "workspaces": [{"workspace_id": world.a.to_string(), "role": "manager"}],
    });
    assert_eq!(row, want);
    assert_eq!(world.ask("admin", "POST", INVITES, Some(&body)).await.status, 409, "invited twice");
    let resent = world.done("admin", "POST", &format!("{uri}/resend"), json!(null)).await;
    let second = token(&resent["inviteLink"]);
    assert_ne!(first, second);
    let sign_in =
        async |token: &str| world.ask(NOBODY, "POST", "/v1/session", Some(&json!({"token": token}))).await;
    assert_eq!(sign_in(&first).await.status, 401);
    let got = sign_in(&second).await;
    assert_eq!((got.status, &got.body["user"]["email"]), (200, &json!("new@example.org")), "{}", got.text);
    assert_eq!(sign_in(&second).await.status, 401, "once");
    let key = Credential::Key(got.body["api_keys"][0]["key"].as_str().unwrap().to_owned());
    assert_eq!(world.ask_as(Some(&key), "GET", "/v1/api-keys", None).await.status, 403);
    let cookie = cookie(&got);
    let places = world.ask_as(Some(&cookie), "GET", "/v1/admin/workspaces/ws-a/users", None).await;
    assert_eq!((places.status, &places.body["total"]), (200, &json!(4)));
    let row = world.done("admin", "GET", &uri, json!(null)).await;
    let accepted = (&json!("accepted"), &json!("2027-01-15T08:00:00.000Z"));
    assert_eq!((&row["status"], &row["accepted_at"]), accepted);
    for (method, uri) in [("DELETE", uri.clone()), ("POST", format!("{uri}/resend"))] {
        assert_eq!(world.ask("admin", method, &uri, None).await.status, 409, "accepted already");
    }
    assert_eq!(world.ask("admin", "POST", INVITES, Some(&body)).await.status, 409, "a user already");

    let second = json!({"email": "b@example.org", "role": "admin"});
    let second = world.done("admin", "POST", INVITES, second).await;
    let list = world.done("admin", "GET", &format!("{INVITES}?status=pending&pageSize=5"), json!(null)).await;
    assert_eq!((&list["total"], &list["data"][0]["email"]), (&json!(1), &json!("b@example.org")));
    let uri = format!("{INVITES}/{}", second["id"].as_str().unwrap());
    assert_eq!(world.done("admin", "DELETE", &uri, json!(null)).await, json!({}));
    assert_eq!(sign_in(&token(&second["invite_link"])).await.status, 401, "cancelled");
    let row = world.done("admin", "GET", &uri, json!(null)).await;
    assert_eq!((&row["status"], &row["accepted_at"]), (&json!("cancelled"), &json!(null)));
    let again = json!({"email": "b@example.org", "role": "member"});
    world.done("admin", "POST", INVITES, again).await;
    for (who, body, status, param) in [
        ("admin", json!({"email": "x", "role": "member"}), 400, json!("email")),
        ("admin", json!({"email": "x@y", "role": "boss"}), 400, json!("role")),
        ("admin", json!({"email": "x@y", "role": "owner"}), 403, json!(null)),
        ("admin", json!({"role": "member"}), 400, json!("email")),
        (
            "admin",
            json!({"email": "x@y", "role": "member", "workspaces": [{"id": "ws-z", "role": "member"}]}),
            400,
            json!("workspaces[0].id"),
        ),
        (
            "admin",
            json!({"email": "x@y", "role": "member", "workspaces": [{"id": "ws-a", "role": "x"}]}),
            400,
            json!("workspaces[0].role"),
        ),
        (
            "admin",
            json!({"email": "x@y", "role": "member", "workspace_api_key_details": {"scopes": ["audit_logs.list"]}}),
            400,
            json!("scopes"),
        ),
        ("ws_admin", json!({"email": "x@y", "role": "member"}), 403, json!("organisation_users.create")),
    ] {
        let got = world.ask(who, "POST", INVITES, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (status, &param), "{body}: {}", got.text);
    }
}

#[tokio::test]
async fn signing_in_and_out() {
    let world = World::new().await;
    let link = sign_in_link(&world.store, world.org, world.users["owner"], 60_000).await.unwrap();
    let link = link.expose();
    let followed = world.get(NOBODY, &format!("/sign-in?token={link}")).await;
    assert_eq!(followed.status, 303);
    assert_eq!(followed.headers["location"], format!("/console/sign-in#token={link}").as_str());
    assert_eq!(followed.headers["referrer-policy"], "no-referrer");
    let body = json!({"token": link});
    let got = world.ask(NOBODY, "POST", "/v1/session", Some(&body)).await;
    assert_eq!(
        (got.status, &got.body["object"], &got.headers["cache-control"].to_str().unwrap()),
        (200, &json!("session"), &"no-store")
    );
    assert_eq!(got.body["expires_at"], "2027-01-15T20:00:00.000Z");
    let own = cookie(&got);
    let who = world.ask_as(Some(&own), "GET", "/v1/session", None).await;
    assert_eq!(who.body["csrf_token"], got.body["csrf_token"]);
    assert_eq!((&who.body["user"]["role"], who.body.get("api_keys")), (&json!("owner"), None));

    // Without the header a cookie reads, and changes nothing.
    let Credential::Cookie(text, _) = &own else { panic!("a cookie") };
    let bare = Credential::Cookie(text.clone(), String::new());
    assert_eq!(world.ask_as(Some(&bare), "GET", USERS, None).await.status, 200);
    let new = json!({"name": "n"});
    let refused = world.ask_as(Some(&bare), "POST", "/v1/admin/workspaces", Some(&new)).await;
    assert_eq!((refused.status, &refused.body["error"]["param"]), (403, &json!("x-tidegate-csrf")));
    let Credential::Cookie(_, others) = world.credential("admin") else { panic!("a cookie") };
    let crossed = Credential::Cookie(text.clone(), others.clone());
    assert_eq!(world.ask_as(Some(&crossed), "POST", "/v1/admin/workspaces", Some(&new)).await.status, 403);
    assert_eq!(world.ask_as(Some(&own), "POST", "/v1/admin/workspaces", Some(&new)).await.status, 200);

    assert_eq!(world.ask_as(Some(&bare), "DELETE", "/v1/session", None).await.status, 403);
    let out = world.ask_as(Some(&own), "DELETE", "/v1/session", None).await;
    assert!(out.status == 200 && out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    for (method, uri) in [("GET", "/v1/session"), ("DELETE", "/v1/session"), ("GET", USERS)] {
        assert_eq!(world.ask_as(Some(&own), method, uri, None).await.status, 401);
    }
    assert_eq!(world.get("owner", "/v1/session").await.status, 200, "another sign-in of the same person");
    world.clock.advance(86_400_000);
    assert_eq!(world.get("owner", "/v1/session").await.status, 401, "they end by themselves");
}

#[tokio::test]
async fn guessing_links_is_slow() {
    let world = World::with(ApiOptions { sign_ins_per_minute: 3, ..ApiOptions::default() }).await;
    let body = json!({"token": "tgl_guess"});
    let guess = async || world.ask(NOBODY, "POST", "/v1/session", Some(&body)).await;
    for _ in 0..3 {
        assert_eq!(guess().await.status, 401);
    }
    let got = guess().await;
    assert_eq!((got.status, &got.body["errorCode"]), (429, &json!("AB06")), "{}", got.text);
    assert_eq!(got.headers["retry-after"], "60");
    world.clock.advance(60_000);
    assert_eq!(guess().await.status, 401);
    let late = sign_in_link(&world.store, world.org, world.users["owner"], 1_000).await.unwrap();
    world.clock.advance(60_000);
    let body = json!({"token": late.expose()});
    assert_eq!(world.ask(NOBODY, "POST", "/v1/session", Some(&body)).await.status, 401, "too old");
}

/// Two owners who remove each other at the same moment: there is one afterwards, however often they try.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_stays_an_owner() {
    for round in 0..20 {
        let world = World::new().await;
        let id = |name: &str| world.users[name].to_string();
        let owner = json!({"role": "owner"});
        world.done("admin_key", "PUT", &format!("{USERS}/{}", id("org_member")), owner).await;
        let (one, other) = (format!("{USERS}/{}", id("owner")), format!("{USERS}/{}", id("org_member")));
        let member = json!({"role": "member"});
        let (first, second) = tokio::join!(world.ask("admin_key", "DELETE", &one, None), async {
            match round % 2 {
                0 => world.ask("admin_key", "DELETE", &other, None).await,
                _ => world.ask("admin_key", "PUT", &other, Some(&member)).await,
            }
        },);
        let owners = world.get("admin_key", &format!("{USERS}?role=owner")).await.body;
        assert_eq!(owners["total"], 1, "{} {}", first.text, second.text);
    }
}
