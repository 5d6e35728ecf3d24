//! Where the records of requests are read. Reading blocks, so it is done on threads that may wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_insight::Source;
use tidegate_records::{Pipe, ReadError, Reader};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::problem::Problem;

/// Reads that go on at the same time. More would only take memory and the writer's disk from each other.
const AT_ONCE: usize = 4;
/// How long a question waits for requests that were answered before it and are not written yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// What records are read from: one by one, and as figures of many.
pub trait Shelf: Reader + Source {}

impl<T: Reader + Source> Shelf for T {}

/// Opens readers, and keeps them for the next who asks.
#[derive(Clone)]
pub struct Records {
    inner: Arc<Inner>,
    pipe: Option<Pipe>,
}

struct Inner {
    open: Box<dyn Fn() -> Box<dyn Shelf> + Send + Sync>,
    idle: Mutex<Vec<Box<dyn Shelf>>>,
    turns: Arc<Semaphore>,
}

impl Records {
    pub fn new(open: impl Fn() -> Box<dyn Shelf> + Send + Sync + 'static) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let inner = Arc::new(Inner { open: Box::new(open), idle: Mutex::default(), turns });
        Self { inner, pipe: None }
    }

    /// What has been pushed there is written before anything is read: whoever was answered finds his request.
    #[must_use]
    pub fn written_by(self, pipe: Pipe) -> Self {
        Self { pipe: Some(pipe), ..self }
    }

    /// # Errors
    /// 503: the records cannot be read now.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Shelf) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (inner, pipe) = (Arc::clone(&self.inner), self.pipe.clone());
        let turn = Arc::clone(&inner.turns).acquire_owned().await;
        let answer = spawn_blocking(move || {
            let _turn = turn;
            // Late is better than never: what is written then is shown without the rest.
            let _ = pipe.is_none_or(|pipe| pipe.caught_up(PATIENCE));
            let idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = idle.unwrap_or_else(|| (inner.open)());
            let answer = question(&mut *reader);
            // One that failed may be broken: the next one is opened anew.
            if answer.is_ok() {
                inner.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            answer
        });
        let away = |cause: String| {
            let status = http::StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "the records of requests cannot be read now; try again").because(cause)
        };
        answer.await.map_err(|error| away(error.to_string()))?.map_err(|error| away(error.to_string()))
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}
