//! Word of changes: replicas that follow a store hear at once that there is something new, and not at their next poll.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::RedisError;
use tidegate_limits::store::Away;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::dial::Dial;
use crate::link::{Link, State};
use crate::script::CHANGE;
use crate::store::Redis;

/// Between attempts to listen again. Until then those who follow poll on their timers.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the connection is asked whether it is still there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(15);
/// How long the number of the latest change is kept.
const KEEP_MS: u64 = 7 * 86_400_000;

/// The channel `<prefix>:changes`. Numbers only rise; what was missed while nobody listened is told afterwards.
#[derive(Debug)]
pub struct Changes {
    link: Arc<Link>,
    latest: watch::Sender<u64>,
    listener: JoinHandle<()>,
}

impl Changes {
    /// Begins to listen, until it is dropped.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn of(redis: &Redis) -> Self {
        let link = Arc::clone(redis.link());
        let latest = watch::Sender::new(0);
        let listener = tokio::spawn(follow(Arc::clone(&link), latest.clone()));
        Self { link, latest, listener }
    }

    /// Tells all replicas that there are changes up to `seq`.
    ///
    /// # Errors
    /// Redis is away; the others then hear of it from their own polls.
    pub async fn publish(&self, seq: u64) -> Result<(), Away> {
        let State::Up(mut up) = self.link.state() else {
            return Err(Away { reason: "it is away".to_owned() });
        };
        let (key, channel) = (self.link.key("changes"), channel(&self.link));
        let told = CHANGE.run(&mut up.connection, 1, |command| {
            command.arg(&key).arg(seq).arg(&channel).arg(KEEP_MS);
        });
        let reason = match timeout(self.link.options.timeout, told).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        self.link.fail(up.generation, &reason);
        Err(Away { reason })
    }

    /// The number of the latest change that was heard of; 0 while there is none.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn follow(link: Arc<Link>, latest: watch::Sender<u64>) {
    loop {
        // Why it ended is told to those who ask for something.
        drop(listen(&link, &latest).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(link: &Link, latest: &watch::Sender<u64>) -> Result<(), RedisError> {
    let (mut sink, mut messages) = link.dial.subscribe().await?.split();
    sink.subscribe(channel(link)).await?;
    // What was told before it listened.
    raise(latest, newest(&link.dial, &link.key("changes")).await?);
    let mut check = interval(ALIVE);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => raise(latest, message.get_payload()?),
                None => return Ok(()),
            },
            _ = check.tick() => match timeout(ALIVE, sink.ping::<redis::Value>()).await {
                Ok(answer) => answer.map(|_| ())?,
                Err(_) => return Ok(()),
            },
        }
    }
}

async fn newest(dial: &Dial, key: &str) -> Result<u64, RedisError> {
    let mut connection = dial.connect().await?;
    let known: Option<u64> = redis::cmd("GET").arg(key).query_async(&mut connection).await?;
    Ok(known.unwrap_or(0))
}

fn raise(latest: &watch::Sender<u64>, seq: u64) {
    latest.send_if_modified(|known| {
        let is_newer = seq > *known;
        *known = seq.max(*known);
        is_newer
    });
}

fn channel(link: &Link) -> String {
    format!("{}:changes", link.options.prefix)
}
