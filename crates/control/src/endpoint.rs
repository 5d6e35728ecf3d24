//! A route and the function that serves it. What it reads and writes is in the function's types, and so is the
//! description of the API: neither can say what the other does not do.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use schemars::JsonSchema;
#[cfg(test)]
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::Body;
use crate::call::{Call, Visit};
use crate::find::Place;
use crate::problem::Problem;
use crate::read;
use crate::reply::Answer;

type Served = Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send>>;

/// What is left of a request when its sender is known.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) enum Run {
    /// For whoever may.
    Closed(Box<dyn Fn(Call, Content) -> Served + Send + Sync>),
    /// For everybody.
    Open(Box<dyn Fn(Visit, Content) -> Served + Send + Sync>),
}

/// One line of the table.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    /// For the description, which tests make.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests describe the API by it"))]
    pub(crate) summary: &'static str,
    pub(crate) run: Run,
    #[cfg(test)]
    pub(crate) shapes: fn(&mut SchemaGenerator) -> Shapes,
    /// Another media type than JSON.
    pub(crate) media: Option<&'static str>,
    /// Another status than 200.
    pub(crate) status: u16,
}

/// Schemas of what goes in and comes out.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) query: Schema,
    pub(crate) body: Schema,
    pub(crate) reply: Schema,
}

macro_rules! verbs {
    ($caller:ident $way:ident: $($name:ident $method:ident;)*) => {$(
        pub(crate) fn $name<Q, B, R, F, A>(template: &'static str, summary: &'static str, serve: F) -> Endpoint
        where
            Q: DeserializeOwned + JsonSchema + Send + 'static,
            B: DeserializeOwned + JsonSchema + Send + 'static,
            R: Serialize + JsonSchema + 'static,
            F: Fn($caller, Q, B) -> A + Send + Sync + Copy + 'static,
            A: Future<Output = Answer<R>> + Send + 'static,
        {
            let run = Run::$way(Box::new(move |caller, content| Box::pin(run(caller, content, serve))));
            endpoint::<Q, B, R>(Method::$method, template, summary, run)
        }
    )*};
}

// Functions of the call, its query and its body.
verbs! { Call Closed: get GET; post POST; put PUT; delete DELETE; }
// The same on public routes.
verbs! { Visit Open: open_get GET; open_post POST; open_delete DELETE; }

/// A function that reads its content itself, for bodies that are not one JSON object. `B` and `R` describe what goes in and
/// comes out.
pub(crate) fn whole<B, R, F, A, T>(
    method: Method,
    template: &'static str,
    summary: &'static str,
    serve: F,
) -> Endpoint
where
    B: JsonSchema,
    R: JsonSchema,
    F: Fn(Call, Content) -> A + Send + Sync + Copy + 'static,
    A: Future<Output = Result<Response<T>, Problem>> + Send + 'static,
    T: Into<Body>,
{
    let run = Run::Closed(Box::new(move |call, content| {
        let answer = serve(call, content);
        Box::pin(async move { Ok(answer.await?.map(Into::into)) })
    }));
    endpoint::<Place, B, R>(method, template, summary, run)
}

async fn run<C, Q, B, R, A>(
    caller: C,
    content: Content,
    serve: impl Fn(C, Q, B) -> A,
) -> Result<Response<Body>, Problem>
where
    Q: DeserializeOwned,
    B: DeserializeOwned,
    R: Serialize,
    A: Future<Output = Answer<R>>,
{
    let query = read::query(content.query.as_deref())?;
    let body = read::body(&content.headers, &content.body)?;
    serve(caller, query, body).await?.into_response()
}

#[cfg_attr(
    not(test),
    expect(clippy::extra_unused_type_parameters, reason = "tests describe the API by them")
)]
fn endpoint<Q: JsonSchema, B: JsonSchema, R: JsonSchema>(
    method: Method,
    template: &'static str,
    summary: &'static str,
    run: Run,
) -> Endpoint {
    Endpoint {
        method,
        template,
        summary,
        run,
        #[cfg(test)]
        shapes: |generator| Shapes {
            query: Q::json_schema(generator),
            body: generator.subschema_for::<B>(),
            reply: generator.subschema_for::<R>(),
        },
        media: None,
        status: 200,
    }
}

impl Endpoint {
    /// Of text that is not JSON.
    pub(crate) fn media(mut self, media: &'static str) -> Self {
        self.media = Some(media);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}
