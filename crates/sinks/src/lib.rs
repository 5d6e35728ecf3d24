//! Records on their way to somebody's own warehouse: ClickHouse, or objects in S3.
//!
//! [`Tee`] stands before the store of records, on the writer's thread: what the store took goes into a bounded queue, and
//! nobody waits for more. [`Shipper::run`] brings it from there to a spool on disk (the journal of
//! [`tidegate_records::journal`]) and from the spool, a segment at a time, to the warehouse, in order, until the warehouse
//! has it. A segment never changes once it is sent, and its name is made of what it holds: whatever is sent again after a
//! lost answer or a restart is the same object, or a block that ClickHouse knows by its token.
//!
//! What does not get there is counted: [`Loss`].

mod batch;
mod clickhouse;
mod exchange;
mod line;
mod options;
mod row;
mod s3;
mod shipper;
mod spool;
mod tee;

pub use options::{ClickHouse, Format, S3, SpoolOptions};
pub use row::columns;
pub use shipper::{Loss, Shipper, Told};
pub use tee::Tee;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tidegate_core::{Clock, FieldError};
use tidegate_records::Sink;
use tidegate_upstream::Egress;
use tokio::sync::mpsc;

/// Where records go.
#[derive(Debug, Clone)]
pub enum Target {
    ClickHouse(ClickHouse),
    S3(S3),
}

impl Target {
    /// In metrics, and as the name of the spool's directory.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClickHouse(_) => "clickhouse",
            Self::S3(_) => "s3",
        }
    }
}

/// Both ends.
///
/// # Errors
/// An address or a name that is none, or a spool that cannot be opened.
pub fn channel(
    target: &Target,
    spool: SpoolOptions,
    egress: Egress,
    clock: Arc<dyn Clock>,
    store: Box<dyn Sink>,
) -> Result<(Tee, Shipper), FieldError> {
    let (sender, queue) = mpsc::channel(spool.queue.max(1));
    let unqueued = Arc::new(AtomicU64::new(0));
    let warehouse = match target {
        Target::ClickHouse(options) => {
            shipper::Warehouse::ClickHouse(clickhouse::Warehouse::new(options, egress)?)
        }
        Target::S3(options) => shipper::Warehouse::S3(s3::Warehouse::new(options, egress, clock)?),
    };
    let tee = Tee::new(store, sender, unqueued.clone());
    Ok((tee, Shipper::open(warehouse, spool, queue, unqueued)?))
}
