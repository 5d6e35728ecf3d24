//! The life of a request. Read this first.
//!
//! authenticate → accept → plan → admit → attempt (translate there and back) → reply, with a record that rides along and
//! closes itself. Each step is the module of its name, takes values, returns a value, and knows nothing of later ones. An
//! early end is a [`Refusal`](crate::refuse::Refusal) through `?`; one place turns it into bytes.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Response, header};

use crate::accept::{self, Inbound};
use crate::authenticate::Desk;
use crate::body::ClientBody;
use crate::policy::Review;
use crate::prepare::Scene;
use crate::realm::Ground;
use crate::record::Record;
use crate::refuse::{self, Refusal};
use crate::reply::{self, Reply};
use crate::route::Route;
use crate::state::Gateway;
use crate::{admit, attempt, authenticate, own, pages, plan, pretty, websocket};

/// Serves one request. Never fails: whatever happens has an answer.
///
/// `peer` is the other end of the connection.
pub async fn serve(gateway: Arc<Gateway>, peer: IpAddr, inbound: Inbound) -> Response<ClientBody> {
    let route = Route::of(inbound.method(), inbound.uri().path());
    if let Some(page) = pages::serve(&gateway, route, &inbound) {
        return page;
    }
    if route == Route::Own {
        return Box::pin(own::serve(&gateway, peer, inbound)).await;
    }
    let record = Record::open(&gateway, route.label(), inbound.method(), inbound.uri().path());
    if route == Route::Unknown {
        return refuse::not_found(record);
    }
    let wants_pretty = pretty::wanted(inbound.uri());
    // On the heap for as long as it takes to begin an answer: there is room for this future as long as a connection is open,
    // and a stream is mostly that.
    let response = Box::pin(run(gateway, peer, inbound, route, record)).await;
    if wants_pretty { Box::pin(pretty::print(response)).await } else { response }
}

async fn run(
    gateway: Arc<Gateway>,
    peer: IpAddr,
    inbound: Inbound,
    route: Route,
    mut record: Box<Record>,
) -> Response<ClientBody> {
    match steps(&gateway, peer, inbound, route, &mut record).await {
        Ok(reply) => reply.into_response(record),
        Err(refusal) => refuse::respond(&refusal, accept::client_of(route), record),
    }
}

async fn steps(
    gateway: &Arc<Gateway>,
    peer: IpAddr,
    mut inbound: Inbound,
    route: Route,
    record: &mut Record,
) -> Result<Box<Reply>, Refusal> {
    let snapshot = gateway.snapshot.load_full();
    let wants = route.permission(inbound.method(), inbound.uri().path())?; // what the caller must be allowed to do
    let mut asked = None;
    if inbound.headers().contains_key(header::UPGRADE) {
        asked = websocket::asked(&mut inbound, route)?.map(Box::new); // another protocol, and perhaps a key in its words
    }
    let desk = Desk::new(gateway, &snapshot, peer);
    let caller = authenticate::identify(&desk, inbound.headers(), wants).await?; // who, and with which credential
    record.caller(&caller, desk.now_ms);
    if asked.is_some() {
        websocket::judge_origin(&caller, inbound.headers())?;
    }
    let call = accept::read(inbound, asked, route, &snapshot.bounds).await?; // size, type, model, stream?
    record.call(&call);
    let realm = gateway.realms.of(&snapshot, caller.workspace.as_ref()); // what this caller can name
    if route == Route::Models && pages::is_own_list(&call.own) {
        return Ok(reply::own_json(&call, &pages::models(&realm, gateway.clock.unix_ms() / 1000)));
    }
    let ground = Ground { snapshot: &snapshot, realm: &realm };
    let resolved = plan::resolve(ground, caller.defaults(), &call)?; // every target resolved, nothing sent yet
    record.plan(&resolved);
    let review = Review::of(&caller, &call, &resolved); // the policies that may hold for it
    record.reviewed(review.as_ref());
    let permit = admit::enter(gateway, &snapshot, &caller, &call, review.as_deref(), record).await?; // loops and limits end here
    record.admitted(permit.charged);
    let scene = Scene {
        gateway,
        snapshot: &snapshot,
        realm: &realm,
        caller: &caller,
        resolved: &resolved,
        review: review.as_ref(),
        hops: &permit.hops,
        request: record.id(),
    };
    let answered = attempt::run(&scene, &call, record).await?; // targets, retries, fallback; translated there and back
    Ok(reply::of(&scene, &call, answered, record))
}
