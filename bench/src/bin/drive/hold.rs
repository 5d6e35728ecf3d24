//! Many streams open at once, for as long as standard input is: what run.py reads the memory of the gateway under.

use std::error::Error;
use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answer::{Progress, begin};
use crate::target::Target;

/// Opens the streams one after the other and says how many it got when each has had its first bytes; at the end, how
/// many are still open.
pub(crate) async fn hold(
    target: &Arc<Target>,
    connections: u32,
    show: &impl Fn(&Value),
) -> Result<(), Box<dyn Error>> {
    let mut streams = JoinSet::new();
    let mut refused = None;
    for _ in 0..connections {
        if let Err(why) = open(target, &mut streams).await {
            refused.get_or_insert(why);
        }
    }
    show(
        &json!({"open": streams.len(), "refused": connections as usize - streams.len(), "failure": refused}),
    );
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    while streams.try_join_next().is_some() {}
    show(&json!({"open": streams.len()}));
    Ok(())
}

async fn open(target: &Arc<Target>, streams: &mut JoinSet<()>) -> Result<(), String> {
    let mut sender = target.connect().await.map_err(|error| error.to_string())?;
    let mut body = begin(&mut sender, target).await?;
    let mut progress = Progress::default();
    if !progress.read(&mut body).await? {
        return Err("the stream ended at once".to_owned());
    }
    streams.spawn(async move {
        // The sender lives as long as its stream: without it the connection would close.
        let _open = sender;
        while matches!(progress.read(&mut body).await, Ok(true)) {}
    });
    Ok(())
}
