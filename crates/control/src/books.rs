//! Where feedback and told spans are kept. As [`crate::Records`]: asked on threads that may wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use tidegate_records::traces::{Book, BookError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::problem::Problem;

/// Questions that are asked at the same time.
const AT_ONCE: usize = 4;

/// Opens books, and keeps them for the next who asks.
#[derive(Clone)]
pub struct Books(Arc<Inner>);

struct Inner {
    open: Box<dyn Fn() -> Box<dyn Book> + Send + Sync>,
    idle: Mutex<Vec<Box<dyn Book>>>,
    turns: Arc<Semaphore>,
}

impl Books {
    pub fn new(open: impl Fn() -> Box<dyn Book> + Send + Sync + 'static) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { open: Box::new(open), idle: Mutex::default(), turns }))
    }

    /// # Errors
    /// 503: the books cannot be read or written now.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Book) -> Result<T, BookError> + Send + 'static,
    ) -> Result<T, Problem> {
        let away = |cause: String| {
            let message = "feedback and spans cannot be read or written now; try again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, message).after_seconds(1).because(cause)
        };
        let books = self.clone();
        let turn = Arc::clone(&self.0.turns).acquire_owned().await;
        let answer = spawn_blocking(move || {
            let _turn = turn;
            books.here(question)
        });
        answer.await.map_err(|error| away(error.to_string()))?.map_err(|error| away(error.to_string()))
    }

    /// On this thread, which may wait.
    ///
    /// # Errors
    /// [`BookError`]
    pub(crate) fn here<T>(
        &self,
        question: impl FnOnce(&mut dyn Book) -> Result<T, BookError>,
    ) -> Result<T, BookError> {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut book = idle.unwrap_or_else(|| (self.0.open)());
        let answer = question(&mut *book);
        // One that failed may be broken: the next one is opened anew.
        if answer.is_ok() {
            self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(book);
        }
        answer
    }

    /// Forgets what is older than this, in milliseconds since 1970: a part of it, so that nobody waits long. True: there may
    /// be more.
    ///
    /// # Errors
    /// What a log may say.
    pub async fn forget(&self, first_ms: u64) -> Result<bool, String> {
        let forgotten = self.ask(move |book| book.forget(first_ms)).await;
        forgotten.map_err(|problem| problem.to_string())
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Books")
    }
}
