//! `GET /openapi.json`: the API described in OpenAPI 3.1. It is `data/openapi.json`, packed into the program; a test makes it from
//! the table of handlers and their types ([`make`]) and compares. So the program has no code that makes descriptions.

#[cfg(test)]
mod make;

use serde::Serialize;

use crate::call::Visit;
use crate::reply::{Answer, Nothing, Reply};

include!(concat!(env!("OUT_DIR"), "/openapi.rs"));

/// Any JSON object.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Document {}

pub(crate) async fn serve(_: Visit, _: Nothing, _: Nothing) -> Answer<Document> {
    Ok(Reply::text("application/json", OPENAPI[0].text().to_owned()))
}
