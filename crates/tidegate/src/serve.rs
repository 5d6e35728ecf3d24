//! `tidegate serve`: listens, serves, reloads, drains.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tidegate_control::FirstStart;
use tidegate_core::{Clock, SystemClock};
use tidegate_gateway::Gateway;
use tidegate_gateway::log::{Log, LogFormat};
use tidegate_settings::Settings;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::cli::Options;
use crate::holdings::{self, Chores, Given, Holdings};
use crate::wire::Origin;
use crate::{banner, check, connection, reload, sinks, tokens};

/// For the error events of streams that are ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// For the tokens of the last answers that did not say theirs.
const LAST_COUNTS: Duration = Duration::from_secs(5);
/// For the collector that is told of requests, and for warehouses.
const LAST_SPANS: Duration = Duration::from_secs(5);
/// Waits between accepts that fail for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// # Errors
/// Settings, saved configs or an address that cannot be used.
pub fn run(options: &Options) -> Result<(), String> {
    let origin = Origin::new(options);
    let settings = origin.settings()?;
    let snapshot = origin.snapshot(&settings, None)?;
    let mistakes = check::saved(&settings, &snapshot);
    if !mistakes.is_empty() {
        return Err(format!("saved configs:\n{mistakes}"));
    }
    raise_descriptor_limit();
    let (log, writer) = start_log(&settings)?;
    let workers = settings.server.workers.or_else(|| std::thread::available_parallelism().ok());
    let mut runtime = match workers.map_or(1, NonZero::get) {
        // One worker has nobody to share its queue with, and saves what sharing costs.
        1 => tokio::runtime::Builder::new_current_thread(),
        workers => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(workers);
            runtime
        }
    };
    let runtime =
        runtime.enable_all().build().map_err(|error| format!("cannot start the runtime: {error}"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let opened = runtime.block_on(holdings::open(&settings, &Given::of(&origin.env), &snapshot, &clock));
    let Holdings { control, keeper, first, pool, changes, notifier, node, told, lookout, exporter, ships } =
        opened?;
    let gateway = Gateway::new(snapshot, control, log, clock);
    let keys = tokens::source(&settings.access)?;
    let shared = pool.clone().map(|pool| (pool, notifier.clone()));
    let chores = Chores { keeper, changes, keys, node, told, shared, lookout };
    let tending = runtime.spawn(holdings::tend(chores, gateway.clone()));
    let mut telling = vec![runtime.spawn(holdings::export(exporter, gateway.clone()))];
    telling.extend(ships.into_iter().map(|ship| runtime.spawn(sinks::ship(ship, gateway.clone()))));
    let served = runtime.block_on(listen(origin, &settings, &first, gateway.clone()));
    tending.abort();
    gateway.close_accounts(LAST_COUNTS);
    runtime.block_on(holdings::close(&gateway.control, pool, notifier));
    // The records are closed: what waits for the collector and the warehouses is the last of it.
    let last = async {
        for one in telling {
            let _ = one.await;
        }
    };
    let _ = runtime.block_on(async { tokio::time::timeout(LAST_SPANS, last).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    gateway.log.close();
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    served
}

async fn listen(
    origin: Origin,
    settings: &Settings,
    first: &FirstStart,
    gateway: Arc<Gateway>,
) -> Result<(), String> {
    let asked = (settings.server.host, settings.server.port);
    let listener = TcpListener::bind(asked)
        .await
        .map_err(|error| format!("cannot listen on {}:{}: {error}", asked.0, asked.1))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let file = origin.file.clone();
    // Asked for before anyone can know that the gateway runs: a signal that comes unasked would end it.
    let reloads = reload::Watch::begin(origin, settings.clone())?;
    let mut stop = StopSignals::begin()?;
    banner::show(settings, first, address, file.as_deref());
    let (drain, draining) = watch::channel(false);
    // Every connection holds a sender; the receiver ends when the last is gone.
    let (alive, mut gone) = mpsc::channel::<()>(1);
    let reloads = tokio::spawn(reloads.run(gateway.clone()));
    tokio::select! {
        () = accept(listener, settings, &gateway, &draining, &alive) => {}
        () = stop.wait() => {}
    }
    // The listener is dropped with `accept`: no new connections from here on.
    gateway.drain();
    reloads.abort();
    let _ = drain.send(true);
    drop(alive);
    tokio::select! {
        _ = gone.recv() => return Ok(()),
        () = stop.wait() => banner::note("asked to stop a second time; requests still under way are ended"),
        () = tokio::time::sleep(settings.server.grace_period) => {
            banner::note("the grace period is over; requests still under way are ended");
        }
    }
    gateway.cut();
    let _ = tokio::time::timeout(LAST_WORDS, gone.recv()).await;
    Ok(())
}

async fn accept(
    listener: TcpListener,
    settings: &Settings,
    gateway: &Arc<Gateway>,
    draining: &watch::Receiver<bool>,
    alive: &mpsc::Sender<()>,
) {
    let limits = connection::limits(settings.limits.max_header_bytes);
    let room = Arc::new(Semaphore::new(settings.limits.max_connections as usize));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Out of descriptors, or a client that left between the handshake and here.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let Ok(permit) = room.clone().try_acquire_owned() else {
            gateway.metrics.refusal("connections");
            tokio::spawn(connection::refuse(stream));
            continue;
        };
        let (gateway, draining, alive) = (gateway.clone(), draining.clone(), alive.clone());
        tokio::spawn(async move {
            connection::serve(stream, limits, gateway, draining).await;
            drop((permit, alive));
        });
    }
}

/// The orders to stop.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn begin() -> Result<Self, String> {
        let listen =
            |kind| signal(kind).map_err(|error| format!("cannot listen for signals to stop: {error}"));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn start_log(settings: &Settings) -> Result<(Log, Option<std::thread::JoinHandle<()>>), String> {
    if !settings.log.requests {
        return Ok((Log::off(), None));
    }
    let format = match settings.log.format {
        tidegate_settings::LogFormat::Text => LogFormat::Text,
        tidegate_settings::LogFormat::Json => LogFormat::Json,
    };
    let (log, writer) = Log::start(format, std::io::stdout())
        .map_err(|error| format!("cannot start the request log: {error}"))?;
    Ok((log, Some(writer)))
}

/// Two descriptors a stream: the usual soft limit of 1,024 would end at 500 streams.
fn raise_descriptor_limit() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}
