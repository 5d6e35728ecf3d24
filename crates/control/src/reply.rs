//! What a handler gives back.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{Body, Flow};
use crate::problem::Problem;

/// What handlers return: a reply with a body of this type, or a problem.
pub(crate) type Answer<T> = Result<Reply<T>, Problem>;

/// `{}`: a body or a query that has no members, and the reply to a change that has nothing to say.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

#[derive(Debug)]
pub(crate) struct Reply<T> {
    status: StatusCode,
    headers: HeaderMap,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Json(T),
    Text(&'static str, String),
    Flow(&'static str, Flow),
}

impl<T> Reply<T> {
    pub(crate) fn json(body: T) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content: Content::Json(body) }
    }

    /// Text of another media type; the endpoint must say so with [`crate::endpoint::Endpoint::media`].
    pub(crate) fn text(media: &'static str, text: String) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content: Content::Text(media, text) }
    }

    /// As [`Reply::text`], of bytes that are made while they go out.
    pub(crate) fn flow(media: &'static str, flow: Flow) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content: Content::Flow(media, flow) }
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}

impl<T: Serialize> Reply<T> {
    pub(crate) fn into_response(self) -> Result<Response<Body>, Problem> {
        let (media, body) = match self.content {
            Content::Json(body) => {
                let body = serde_json::to_vec(&body)
                    .map_err(|error| Problem::internal(format!("a reply cannot be written: {error}")))?;
                ("application/json", Body::Whole(body.into()))
            }
            Content::Text(media, text) => (media, Body::Whole(Bytes::from(text))),
            Content::Flow(media, flow) => (media, Body::Flow(flow)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
        Ok(response)
    }
}

/// `Ok` with a JSON body.
pub(crate) fn ok<T>(body: T) -> Answer<T> {
    Ok(Reply::json(body))
}

/// `{}`.
pub(crate) fn done() -> Answer<Nothing> {
    ok(Nothing {})
}
