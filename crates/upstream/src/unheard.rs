//! Wakes that tell a task what it is about to do anyway.
//!
//! The parts of an HTTP connection of hyper's talk through channels, and each word wakes whoever is at the other end. Here
//! both ends are often in one task: the request that polls its upstream's connection ([`crate::Egress`]), the pipeline
//! that reads the body of a request inside its client's connection. Such a wake only makes the task run once more, through
//! all layers, to find nothing. Within [`unheard`] they are not passed on; wakes from other threads always are, and those
//! of sockets and timers never come from inside a task.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

thread_local! {
    static HEARING: Cell<Hearing> = const { Cell::new(Hearing::Hears) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Hears,
    Deaf,
    /// Deaf, and something was to be heard.
    Missed,
}

/// Whether a wake is to be passed on. One that is not is remembered.
pub(crate) fn is_heard() -> bool {
    if HEARING.get() == Hearing::Hears {
        return true;
    }
    HEARING.set(Hearing::Missed);
    false
}

/// Runs `action`. What it wakes on this thread goes unheard by [`Listening`] futures and upstream connections; says
/// whether anything did.
pub fn unheard<T>(action: impl FnOnce() -> T) -> (T, bool) {
    HEARING.set(Hearing::Deaf);
    let done = action();
    (done, HEARING.replace(Hearing::Hears) == Hearing::Missed)
}

/// A future whose wakes can go [`unheard`].
pub struct Listening<F> {
    future: Pin<Box<F>>,
    ear: Arc<Ear>,
    waker: Waker,
}

/// The task's own waker, once there is one.
#[derive(Default)]
struct Ear(Mutex<Option<Waker>>);

impl<F> Listening<F> {
    pub fn new(future: F) -> Self {
        let ear = Arc::new(Ear::default());
        Self { future: Box::pin(future), waker: Waker::from(ear.clone()), ear }
    }

    pub fn get(&mut self) -> Pin<&mut F> {
        self.future.as_mut()
    }
}

impl<F: Future> Future for Listening<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        {
            let mut task = this.ear.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *task {
                Some(task) => task.clone_from(cx.waker()), // does nothing for the same task
                task => *task = Some(cx.waker().clone()),
            }
        }
        this.future.as_mut().poll(&mut Context::from_waker(&this.waker))
    }
}

impl Wake for Ear {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !is_heard() {
            return;
        }
        if let Some(task) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            task.wake_by_ref();
        }
    }
}

impl<F> std::fmt::Debug for Listening<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_what_is_unheard_is_not_told() {
        let count = Arc::new(Count::default());
        let task = Waker::from(count.clone());
        let (told, mut tell) = (Arc::new(Mutex::new(None)), None);
        let mut listening = Listening::new(std::future::poll_fn({
            let told = told.clone();
            move |cx| {
                *told.lock().unwrap() = Some(cx.waker().clone());
                Poll::<()>::Pending
            }
        }));
        assert!(Pin::new(&mut listening).poll(&mut Context::from_waker(&task)).is_pending());
        std::mem::swap(&mut *told.lock().unwrap(), &mut tell);
        let inner: Waker = tell.unwrap();
        assert_eq!(unheard(|| inner.wake_by_ref()), ((), true));
        assert_eq!(unheard(|| 7), (7, false));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        let other = inner.clone();
        let elsewhere = || std::thread::spawn(move || other.wake()).join().unwrap();
        assert_eq!(unheard(elsewhere), ((), false), "another thread's news is news");
        inner.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
