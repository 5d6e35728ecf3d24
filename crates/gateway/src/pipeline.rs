//! The life of a request. Read this first.
//!
//! accept → authenticate → plan → admit → attempt (translate there and back) → reply, with a record that rides along and
//! closes itself. Each step is the module of its name, takes values, returns a value, and knows nothing of later ones. An
//! early end is a [`Refusal`](crate::refuse::Refusal) through `?`; one place turns it into bytes.

use std::sync::Arc;

use http::Response;

use crate::accept::{self, Inbound};
use crate::body::ClientBody;
use crate::prepare::Scene;
use crate::record::Record;
use crate::refuse::{self, Refusal};
use crate::reply::{self, Reply};
use crate::route::Route;
use crate::state::Gateway;
use crate::{admit, attempt, authenticate, pages, plan, pretty};

/// Serves one request. Never fails: whatever happens has an answer.
pub async fn serve(gateway: Arc<Gateway>, inbound: Inbound) -> Response<ClientBody> {
    let route = Route::of(inbound.method(), inbound.uri().path());
    if let Some(page) = pages::serve(&gateway, route, &inbound) {
        return page;
    }
    let record = Record::open(&gateway, route.label(), inbound.method(), inbound.uri().path());
    if route == Route::Unknown {
        return refuse::not_found(record);
    }
    let wants_pretty = pretty::wanted(inbound.uri());
    // On the heap for as long as it takes to begin an answer: there is room for this future as long as a connection is open,
    // and a stream is mostly that.
    let response = Box::pin(run(gateway, inbound, route, record)).await;
    if wants_pretty { Box::pin(pretty::print(response)).await } else { response }
}

async fn run(
    gateway: Arc<Gateway>,
    inbound: Inbound,
    route: Route,
    mut record: Box<Record>,
) -> Response<ClientBody> {
    match steps(&gateway, inbound, route, &mut record).await {
        Ok(reply) => reply.into_response(record),
        Err(refusal) => refuse::respond(&refusal, accept::client_of(route), record),
    }
}

async fn steps(
    gateway: &Arc<Gateway>,
    inbound: Inbound,
    route: Route,
    record: &mut Record,
) -> Result<Box<Reply>, Refusal> {
    let snapshot = gateway.snapshot.load_full();
    let call = accept::read(inbound, route, &snapshot.bounds).await?; // size, type, model, stream?
    record.trace_id.clone_from(&call.own.trace_id);
    let caller = authenticate::identify(&call.parts.headers); // who, and with which credential
    let resolved = plan::resolve(&snapshot, &call)?; // every target resolved, nothing sent yet
    let permit = admit::enter(&call.own, snapshot.max_hops)?; // loops end here
    let scene =
        Scene { gateway, snapshot: &snapshot, caller: &caller, resolved: &resolved, hops: &permit.hops };
    let answered = attempt::run(&scene, &call, record).await?; // targets, retries, fallback; translated there and back
    Ok(reply::of(&scene, &call, answered))
}
