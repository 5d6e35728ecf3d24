//! What several gateways share: counters in Redis, budgets in PostgreSQL. Here the path's traits meet those who implement
//! them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_core::{Clock, Moment, Secret, id};
use tidegate_gateway::limiter::{Answer, Charged, SharedBooks, SharedLimits};
use tidegate_keeper::{PoolAway, Pooled};
use tidegate_ledger::{Budget, Demand as Reserve, Ledger, Reservation, SharedRefusal};
use tidegate_ledger_postgres::{Options as PoolOptions, Postgres};
use tidegate_limits::{Demand, Denial, Limits, Permit, Standing};
use tidegate_limits_redis::{Changes, Options, Redis, Shared, WhenAway};
use tidegate_postgres::{BadAddress, Server};
use tidegate_settings::Settings;

/// Counters in Redis.
#[derive(Debug)]
pub struct RedisLimits {
    limits: Limits<Shared>,
}

/// Opens the counters.
///
/// # Errors
/// An address that cannot be used. A Redis that is away is none.
pub async fn limits(
    settings: &Settings,
    url: &Secret,
    clock: &Arc<dyn Clock>,
) -> Result<(RedisLimits, Changes), String> {
    let options = Options {
        prefix: settings.redis.prefix.clone(),
        timeout: settings.redis.timeout,
        ..Options::new(url.clone())
    };
    let redis = Redis::open(options, clock.clone())
        .await
        .map_err(|error| format!("redis.{}: {}", error.field, error.problem))?;
    let changes = Changes::of(&redis);
    let when_away = match settings.redis.when_away {
        tidegate_settings::WhenAway::Local => WhenAway::Local,
        tidegate_settings::WhenAway::Refuse => WhenAway::Refuse,
    };
    Ok((RedisLimits { limits: Limits::new(Shared::new(redis, when_away, &**clock)) }, changes))
}

impl SharedLimits for RedisLimits {
    fn admit<'a>(
        &'a self,
        demand: &'a Demand<'a>,
        now: Moment,
    ) -> Answer<'a, Result<Box<dyn Charged>, Denial>> {
        Box::pin(async move {
            let permit = self.limits.admit(demand, now).await?;
            Ok(Box::new(RedisPermit(permit)) as Box<dyn Charged>)
        })
    }

    fn is_away(&self) -> bool {
        self.limits.store().is_away()
    }

    fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        let stats = self.limits.store().stats();
        let replicas = self.limits.store().redis().stats().replicas;
        vec![
            ("limits_replicas", "Replicas that the shared counters heard of last", u64::from(replicas)),
            ("limits_away_admitted", "Requests admitted while the shared counters were away", stats.admitted),
            ("limits_away_refused", "Requests refused while the shared counters were away", stats.refused),
        ]
    }

    fn tend(&self, _: Moment) {}
}

#[derive(Debug)]
struct RedisPermit(Permit<Shared>);

impl Charged for RedisPermit {
    fn standing(&self) -> Standing {
        self.0.standing()
    }

    fn settle(self: Box<Self>, tokens: u64, now: Moment) {
        self.0.settle(tokens, now);
    }

    fn cancel(self: Box<Self>, now: Moment) {
        self.0.cancel(now);
    }
}

/// Slices of budgets from PostgreSQL.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Postgres>);

impl Pool {
    /// `data` holds the books that the slices go to, and their name.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn open(url: &Secret, data: &Path) -> Result<Self, String> {
        let options = PoolOptions::new(holder(data)?);
        let pool = Postgres::open(server(url)?, options).await.map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(pool)))
    }

    /// Gives back what is free in these books: before a stop, others can use it.
    pub async fn give_back(&self, ledger: &Ledger) {
        /// More is not waited for: it stays claimed until its period is over.
        const PATIENCE: Duration = Duration::from_secs(5);
        let giving = async {
            for id in ledger.budgets() {
                if ledger.give_back(id, &*self.0).await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, giving).await;
    }
}

impl SharedBooks for Pool {
    fn reserve<'a>(
        &'a self,
        ledger: &'a Ledger,
        demand: &'a Reserve<'a>,
    ) -> Answer<'a, Result<Reservation, SharedRefusal>> {
        Box::pin(ledger.reserve_shared(demand, &*self.0))
    }
}

impl Pooled for Pool {
    fn put<'a>(&'a self, budget: &'a Budget, version: u64) -> tidegate_keeper::Answer<'a> {
        Box::pin(async move { self.0.put(budget, version).await.map_err(|_| PoolAway) })
    }

    fn reset<'a>(&'a self, budget: &'a Budget, epoch: u64) -> tidegate_keeper::Answer<'a> {
        Box::pin(async move { self.0.reset(budget, epoch).await.map_err(|_| PoolAway) })
    }
}

/// Reads the address of the database.
///
/// # Errors
/// What is wrong with it. The text is not shown: it holds a password.
pub fn server(url: &Secret) -> Result<Server, String> {
    url.expose().parse().map_err(|error: BadAddress| format!("database.url: {error}"))
}

/// The name of the books in a data directory: the same over restarts, and nobody else's.
fn holder(data: &Path) -> Result<String, String> {
    let path = data.join("holder");
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        _ => {
            let name = id::random("books-", 20);
            std::fs::write(&path, &name).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(name)
        }
    }
}
