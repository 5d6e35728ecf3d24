//! The request log: one line per request, written by its own thread. The path of a request only puts the line's text
//! into a bounded buffer; when that is full the line is dropped and counted.
//!
//! The text is made where the request ends: it is shorter than what it is made of, and what it is made of need not travel
//! to another thread to be freed there.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of text that may wait; at 60,000 requests a second about a second's worth.
const CAPACITY: usize = 8 * 1024 * 1024;
/// Room that the buffer keeps between bursts.
const KEPT: usize = 256 * 1024;
/// Lines are gathered this long before they are written, so that a burst costs one write and one wake-up.
const GATHER: Duration = Duration::from_millis(20);
/// Rounds without a line after which the writer sleeps until it is woken. Before that it looks by itself: being woken costs
/// the request that does it more than its line, and on one core the time that the writer takes.
const QUIET_ROUNDS: u32 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What one line says. No header, key, query string or body ever gets in here.
#[derive(Debug, Clone)]
pub struct LogLine<'a> {
    pub unix_ms: u64,
    pub method: &'a str,
    pub path: &'a str,
    pub provider: &'static str,
    pub model: &'a str,
    pub status: u16,
    pub attempts: u32,
    pub ttfb_us: Option<u64>,
    pub duration_us: u64,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    /// How it ended when that is not told by the status: `client_gone`, `upstream_cut`, …
    pub end: &'static str,
    pub trace_id: Option<&'a str>,
    /// The operator's side of an error: kind and cause, no secret.
    pub detail: Option<&'a str>,
}

/// Handle to the log's queue. Clones share it; the thread ends when [`Log::close`] is called.
#[derive(Debug, Clone)]
pub struct Log(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    dropped: AtomicU64,
    /// How lines are written; `None` keeps none.
    format: Option<LogFormat>,
}

#[derive(Debug, Default)]
struct State {
    text: Vec<u8>,
    idle: bool,
    closed: bool,
}

impl Log {
    /// Starts the writer. `sink` gets whole lines; its errors are ignored (a full disk must not stop traffic).
    pub fn start(
        format: LogFormat,
        mut sink: impl std::io::Write + Send + 'static,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            filled: Condvar::new(),
            dropped: AtomicU64::new(0),
            format: Some(format),
        });
        let reader = queue.clone();
        let thread = std::thread::Builder::new().name("request-log".into()).spawn(move || {
            let mut text = Vec::new();
            loop {
                let closed = reader.take(&mut text);
                let _ = sink.write_all(&text).and_then(|()| sink.flush());
                text.clear();
                text.shrink_to(KEPT);
                if closed {
                    return;
                }
            }
        })?;
        Ok((Self(queue), thread))
    }

    /// A log that keeps nothing.
    pub fn off() -> Self {
        Self(Arc::new(Queue {
            state: Mutex::default(),
            filled: Condvar::new(),
            dropped: AtomicU64::new(0),
            format: None,
        }))
    }

    pub fn enabled(&self) -> bool {
        self.0.format.is_some()
    }

    pub fn push(&self, line: &LogLine<'_>) {
        thread_local! {
            static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let Some(format) = self.0.format else { return };
        TEXT.with_borrow_mut(|text| {
            text.clear();
            line.write(format, text);
            self.0.push(text);
        });
    }

    /// Lines dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Lets the writer finish what is queued and end.
    pub fn close(&self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.filled.notify_one();
    }
}

impl Queue {
    fn push(&self, line: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.text.len() + line.len() > CAPACITY {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.text.extend_from_slice(line);
        if state.idle {
            state.idle = false;
            self.filled.notify_one();
        }
    }

    /// Waits for lines, gathers a little, and takes all in exchange for `text`, which is empty. Says whether they are the
    /// last.
    fn take(&self, text: &mut Vec<u8>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quiet = 0;
        loop {
            if state.closed {
                break;
            }
            if quiet == QUIET_ROUNDS {
                state.idle = true;
                state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle = false;
                quiet = 0;
            }
            state = self
                .filled
                .wait_timeout_while(state, GATHER, |state| !state.closed)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if !state.text.is_empty() {
                break;
            }
            quiet += 1;
        }
        std::mem::swap(&mut state.text, text);
        state.closed
    }
}

impl LogLine<'_> {
    fn write(&self, format: LogFormat, out: &mut Vec<u8>) {
        match format {
            LogFormat::Text => self.write_text(out),
            LogFormat::Json => self.write_json(out),
        }
        out.push(b'\n');
    }

    /// Without the formatting machinery: at full load this line is written as often as requests are served.
    fn write_text(&self, out: &mut Vec<u8>) {
        push_timestamp(out, self.unix_ms);
        out.push(b' ');
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        push_printable(out, self.path);
        out.push(b' ');
        push_number(out, u64::from(self.status));
        if !self.provider.is_empty() {
            out.extend_from_slice(b" provider=");
            push_printable(out, self.provider);
            out.extend_from_slice(b" model=");
            push_printable(out, self.model);
        }
        out.extend_from_slice(b" attempts=");
        push_number(out, u64::from(self.attempts));
        out.extend_from_slice(b" duration=");
        push_micros(out, self.duration_us);
        if let Some(ttfb) = self.ttfb_us {
            out.extend_from_slice(b" ttfb=");
            push_micros(out, ttfb);
        }
        if let (Some(input), Some(output)) = (self.input_tokens, self.output_tokens) {
            out.extend_from_slice(b" tokens=");
            push_number(out, input);
            out.push(b'+');
            push_number(out, output);
        }
        if self.end != "ok" {
            out.extend_from_slice(b" end=");
            out.extend_from_slice(self.end.as_bytes());
        }
        if let Some(trace) = &self.trace_id {
            out.extend_from_slice(b" trace=");
            push_printable(out, trace);
        }
        if let Some(detail) = &self.detail {
            out.extend_from_slice(b" detail=\"");
            push_printable(out, detail);
            out.push(b'"');
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let mut time = Vec::with_capacity(24);
        push_timestamp(&mut time, self.unix_ms);
        let value = serde_json::json!({
            "time": String::from_utf8_lossy(&time),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "provider": self.provider,
            "model": self.model,
            "attempts": self.attempts,
            "ttfb_us": self.ttfb_us,
            "duration_us": self.duration_us,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "end": self.end,
            "trace_id": self.trace_id,
            "detail": self.detail,
        });
        let _ = serde_json::to_writer(out, &value);
    }
}

/// User text on a terminal: control characters and quotes become `?`, at most 200 characters.
fn push_printable(out: &mut Vec<u8>, text: &str) {
    if text.len() <= 200 && text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"') {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars().take(200) {
        let c = if c.is_control() || c == '"' { '?' } else { c };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Milliseconds with three decimals.
fn push_micros(out: &mut Vec<u8>, us: u64) {
    push_number(out, us / 1000);
    out.push(b'.');
    push_padded(out, us % 1000, 3);
    out.extend_from_slice(b"ms");
}

fn push_padded(out: &mut Vec<u8>, number: u64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (number / 10u64.pow(place) % 10) as u8);
    }
}

/// RFC 3339 in UTC, to the millisecond.
fn push_timestamp(out: &mut Vec<u8>, unix_ms: u64) {
    thread_local! {
        /// The last second written, and its text: many lines share theirs.
        static SECOND: Cell<(u64, [u8; 20])> = const { Cell::new((u64::MAX, [0; 20])) };
    }
    let (second, ms) = (unix_ms / 1000, unix_ms % 1000);
    let (known, mut text) = SECOND.get();
    if known != second {
        text = second_text(second);
        SECOND.set((second, text));
    }
    out.extend_from_slice(&text);
    push_padded(out, ms, 3);
    out.push(b'Z');
}

/// `2026-11-21T14:00:00.`
fn second_text(second: u64) -> [u8; 20] {
    let (year, month, day) = civil(second / 86_400);
    let second = second % 86_400;
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'.'),
    ];
    let mut text = Vec::with_capacity(20);
    for (number, width, end) in parts {
        push_padded(&mut text, number, width);
        text.push(end);
    }
    text.try_into().unwrap_or([b'?'; 20])
}

/// The Gregorian date of a day counted from 1970-01-01 (proleptic, era of 400 years).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (unix_ms, want) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_795_269_600_000, "2026-11-21T14:00:00.000Z"),
        ] {
            let mut out = Vec::new();
            push_timestamp(&mut out, unix_ms);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    fn line(path: &str) -> LogLine<'_> {
        LogLine {
            unix_ms: 0,
            method: "POST",
            path,
            provider: "openai",
            model: "gpt\u{1b}[31m",
            status: 200,
            attempts: 1,
            ttfb_us: Some(1500),
            duration_us: 2_000_001,
            input_tokens: Some(3),
            output_tokens: Some(4),
            end: "ok",
            trace_id: None,
            detail: None,
        }
    }

    #[test]
    fn text_line_is_printable() {
        let mut out = Vec::new();
        line("/v1/x").write(LogFormat::Text, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1970-01-01T00:00:00.000Z POST /v1/x 200 provider=openai model=gpt?[31m attempts=1 duration=2000.001ms ttfb=1.500ms tokens=3+4\n"
        );
    }

    #[test]
    fn every_line_is_written_or_counted() {
        const LINES: u64 = 70_000;
        let (sender, receiver) = std::sync::mpsc::channel();
        struct Sink(std::sync::mpsc::Sender<usize>);
        impl std::io::Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                let _ = self.0.send(bytes.iter().filter(|b| **b == b'\n').count());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (log, thread) = Log::start(LogFormat::Text, Sink(sender)).unwrap();
        for _ in 0..LINES {
            log.push(&line("/"));
        }
        log.close();
        thread.join().unwrap();
        let written: usize = receiver.iter().sum();
        assert_eq!(written as u64 + log.dropped(), LINES);
    }
}
