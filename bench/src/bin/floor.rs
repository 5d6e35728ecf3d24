//! The least that a proxy made of hyper costs: requests and answers pass untouched, connections to the provider are
//! pooled, TCP_NODELAY is on on both sides. No routing, no keys, no limits, no records. Every figure of the benchmark is
//! a ratio to this program.
//!
//! `floor --port 9200 --upstream 127.0.0.1:9100`. One worker thread.

use std::error::Error;

use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tidegate_bench::args::Args;
use tidegate_bench::listen;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let (port, upstream) = (args.get("port")?, args.get::<Authority>("upstream")?);
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Spawned, so that it runs on the worker and not on the main thread.
    let serve = async move {
        let forward = move |request| forward(client.clone(), upstream.clone(), request);
        listen::serve(port, forward).await.map_err(|error| error.to_string())
    };
    Ok(runtime.block_on(runtime.spawn(serve))??)
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    upstream: Authority,
    mut request: Request<Incoming>,
) -> Response<Either<Incoming, Empty<Bytes>>> {
    let mut target = std::mem::take(request.uri_mut()).into_parts();
    target.scheme = Some(Scheme::HTTP);
    target.authority = Some(upstream);
    let Ok(target) = Uri::from_parts(target) else { return refuse(StatusCode::BAD_REQUEST) };
    *request.uri_mut() = target;
    match client.request(request).await {
        Ok(response) => response.map(Either::Left),
        Err(_) => refuse(StatusCode::BAD_GATEWAY),
    }
}

fn refuse(status: StatusCode) -> Response<Either<Incoming, Empty<Bytes>>> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response
}
