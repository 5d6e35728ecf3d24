//! Usage that a provider did not say: counted here, on a thread of its own, from the text that passed.
//!
//! What was set aside for the request rides along and is settled when the count is there. Nobody waits for it: when the
//! thread has too much to do, the length has to do.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tidegate_core::Usage;

use crate::account::{Account, Closing};

/// Requests that may wait to be counted. Each holds its text.
const MOST_WAITING: usize = 64;
/// Of a request, and of an answer; of longer ones the length is taken.
const MOST_BYTES: usize = 1024 * 1024;
/// Pieces of an answer: each holds on to the buffer that it came in.
const MOST_FRAMES: usize = 8 * 1024;

/// The text of a request and its answer, by reference.
#[derive(Debug, Default)]
pub struct Kept {
    request: Option<Arc<[Bytes]>>,
    answer: Vec<Bytes>,
    answer_bytes: usize,
    /// The answer went on after what is kept of it.
    is_cut: bool,
}

/// A request that is over and waits to be counted.
#[derive(Debug)]
pub struct Unsaid {
    pub account: Box<Account>,
    pub closing: Box<Closing>,
    pub kept: Kept,
}

/// The thread that counts. It starts with the first request that it is needed for.
#[derive(Debug, Default)]
pub struct Counting(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Running(SyncSender<Box<Unsaid>>, Receiver<()>),
    Closed,
}

impl Kept {
    pub fn of_request(frames: &Arc<[Bytes]>) -> Self {
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        let request = (bytes <= MOST_BYTES).then(|| frames.clone());
        Self { request, ..Self::default() }
    }

    /// The next bytes of the answer.
    pub fn sent(&mut self, bytes: &Bytes) {
        self.is_cut |= self.answer_bytes + bytes.len() > MOST_BYTES || self.answer.len() == MOST_FRAMES;
        if !self.is_cut {
            self.answer_bytes += bytes.len();
            self.answer.push(bytes.clone());
        }
    }

    /// What the text is in tokens of `model`; by the length, `guess`, what cannot be counted.
    pub fn count(&self, model: &str, guess: &Usage, all_bytes: u64) -> Usage {
        let input = tidegate_tokens::prompt(model, self.request.as_deref().unwrap_or_default())
            .unwrap_or(guess.input);
        let counted = tidegate_tokens::answer(model, &self.answer);
        let output = match counted {
            // The rest is taken to be like what was kept.
            Some(counted) if self.is_cut => {
                counted.saturating_mul(all_bytes) / (self.answer_bytes as u64).max(1)
            }
            Some(counted) => counted,
            None => guess.output,
        };
        Usage { input, output, ..Usage::default() }
    }
}

impl Counting {
    /// Hands a request over, or gives it back when nobody can count it.
    pub fn offer(&self, unsaid: Box<Unsaid>) -> Result<(), Box<Unsaid>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Idle) {
            let (sender, receiver) = sync_channel(MOST_WAITING);
            let (over, ended) = sync_channel(1);
            let thread = std::thread::Builder::new().name("token-count".into()).spawn(move || {
                count_all(&receiver);
                drop(over);
            });
            if thread.is_ok() {
                *state = State::Running(sender, ended);
            }
        }
        let State::Running(sender, _) = &*state else { return Err(unsaid) };
        match sender.try_send(unsaid) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(unsaid)) => Err(unsaid),
            Err(TrySendError::Disconnected(unsaid)) => {
                *state = State::Idle; // it broke; the next request starts another
                Err(unsaid)
            }
        }
    }

    /// Lets what waits be counted, for at most `most`. Later requests go by their length.
    pub fn close(&self, most: Duration) {
        let before =
            std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), State::Closed);
        if let State::Running(sender, ended) = before {
            drop(sender);
            // It never sends: it is over when its end is gone.
            let _ = ended.recv_timeout(most);
        }
    }
}

fn count_all(receiver: &Receiver<Box<Unsaid>>) {
    while let Ok(unsaid) = receiver.recv() {
        let Unsaid { account, closing, kept } = *unsaid;
        account.counted(closing, &kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess() -> Usage {
        Usage { input: 7, output: 9, ..Usage::default() }
    }

    #[test]
    fn text_is_counted_and_what_is_no_text_goes_by_its_length() {
        let request = Bytes::from_static(br#"{"messages":[{"role":"user","content":"hello world"}]}"#);
        let mut kept = Kept::of_request(&[request].into());
        kept.sent(&Bytes::from_static(br#"{"choices":[{"message":{"content":"hello world"}}]}"#));
        let usage = kept.count("gpt-4o", &guess(), 50);
        // "user", two words and two ends of lines, and what is around a message.
        assert_eq!((usage.input, usage.output), (12, 2));
        let mut kept = Kept::of_request(&[Bytes::from_static(b"no JSON")].into());
        kept.sent(&Bytes::from_static(b"\x1f\x8b"));
        assert_eq!(kept.count("gpt-4o", &guess(), 2), guess());
    }

    #[test]
    fn what_is_kept_of_an_answer_is_bounded_and_stands_for_the_rest() {
        let mut kept = Kept::of_request(&[].into());
        let event =
            Bytes::from(format!("data: {{\"choices\":[{{\"text\":\"{}\"}}]}}\n\n", " tide".repeat(100)));
        let most = MOST_BYTES / event.len();
        (0..most * 2).for_each(|_| kept.sent(&event));
        assert!(kept.is_cut && kept.answer_bytes <= MOST_BYTES && kept.answer.len() <= MOST_FRAMES);
        let all = (event.len() * most * 2) as u64;
        let output = kept.count("gpt-4o", &guess(), all).output;
        assert!(output.abs_diff(most as u64 * 200) < most as u64, "{output} of {}", most * 200);
    }
}
