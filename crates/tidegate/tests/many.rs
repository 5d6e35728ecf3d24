//! Many requests over few connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stage::{CHAT, INDEX, Tidegate, chat};

/// Asks `count` times over eight connections; how often each target answered.
pub async fn ask_often(tidegate: &Tidegate, config: &Value, count: u32) -> BTreeMap<String, u32> {
    const CONNECTIONS: u32 = 8;
    let (config, body) = (Arc::new(config.to_string()), chat("txt:a").to_string());
    let mut asking = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (config, body, address) = (Arc::clone(&config), body.clone(), tidegate.address().to_owned());
        asking.spawn(async move {
            let stream = TokioIo::new(TcpStream::connect(&address).await.unwrap());
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            let _connection = tokio::spawn(connection);
            let mut answered = BTreeMap::new();
            for _ in 0..count / CONNECTIONS {
                let request = http::Request::post(CHAT)
                    .header("host", &address)
                    .header("content-type", "application/json")
                    .header("x-portkey-config", config.as_str())
                    .body(Full::<Bytes>::from(body.clone()))
                    .unwrap();
                let (head, body) = sender.send_request(request).await.unwrap().into_parts();
                body.collect().await.unwrap();
                assert_eq!(head.status, 200);
                *answered.entry(head.headers[INDEX].to_str().unwrap().to_owned()).or_insert(0) += 1;
            }
            answered
        });
    }
    let mut answered = BTreeMap::new();
    while let Some(part) = asking.join_next().await {
        for (index, count) in part.unwrap() {
            *answered.entry(index).or_insert(0) += count;
        }
    }
    answered
}
