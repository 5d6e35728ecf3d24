//! What a gateway said that it had on record, and when: its own acknowledgement, for whatever load the machine is under.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_testkit::client;
use tokio::task::JoinHandle;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// The account of a request is closed after its answer is out.
const SETTLED: Duration = Duration::from_millis(250);

/// One look at `/metrics`.
#[derive(Debug, Clone, Copy)]
struct Look {
    asked: Instant,
    answered: Instant,
    /// Records that the process had taken, and those of them that would survive it.
    accepted: u64,
    kept: u64,
}

/// Looks until it is ended.
pub struct Watch {
    looks: Arc<Mutex<Vec<Look>>>,
    stopping: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Watch {
    pub fn start(url: String) -> Self {
        let (looks, stopping) = (Arc::<Mutex<Vec<Look>>>::default(), Arc::<AtomicBool>::default());
        let (seen, end) = (looks.clone(), stopping.clone());
        let task = tokio::spawn(async move {
            while !end.load(Ordering::SeqCst) {
                let found = look(&url).await;
                seen.lock().unwrap().extend(found);
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { looks, stopping, task }
    }

    pub async fn end(self) -> Seen {
        self.stopping.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        Seen(std::mem::take(&mut *self.looks.lock().unwrap()))
    }
}

async fn look(url: &str) -> Option<Look> {
    let asked = Instant::now();
    let page = client::open("GET", url, &[], Bytes::new()).await.ok()?.finish().await;
    let answered = Instant::now();
    let text = page.text();
    let value = |series: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        line.parse::<u64>().ok()
    };
    let (accepted, queued) = (value("tidegate_records_accepted_total")?, value("tidegate_records_queued")?);
    page.broken.is_none().then(|| Look { asked, answered, accepted, kept: accepted.saturating_sub(queued) })
}

/// All looks, in the order of time.
pub struct Seen(Vec<Look>);

impl Seen {
    /// Whether the process that lived from `born` to `died` acknowledged what it had answered by `received`. Records are
    /// taken and kept in one order.
    pub fn acknowledged(&self, born: Option<Instant>, died: Instant, received: Instant) -> bool {
        let of_its_life = |look: &&Look| born.is_none_or(|born| look.asked > born) && look.answered < died;
        let mut after = self.0.iter().filter(of_its_life).skip_while(|look| look.asked < received + SETTLED);
        let Some(first) = after.next() else { return false };
        first.kept >= first.accepted || after.any(|look| look.kept >= first.accepted)
    }
}
