//! The request log: one line per request, written by its own thread. The path of a request only pushes a small value
//! on a bounded queue; a full queue drops the line and counts it.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Lines that may wait; at 60,000 requests a second about a second's worth.
const CAPACITY: usize = 65_536;
/// Lines are gathered this long before they are written, so that a burst costs one write and one wake-up.
const GATHER: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What one line says. No header, key, query string or body ever gets in here.
#[derive(Debug, Clone)]
pub struct LogLine {
    pub unix_ms: u64,
    pub method: http::Method,
    pub path: Box<str>,
    pub provider: &'static str,
    pub model: Box<str>,
    pub status: u16,
    pub attempts: u32,
    pub ttfb_us: Option<u64>,
    pub duration_us: u64,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    /// How it ended when that is not told by the status: `client_gone`, `upstream_cut`, …
    pub end: &'static str,
    pub trace_id: Option<Box<str>>,
    /// The operator's side of an error: kind and cause, no secret.
    pub detail: Option<Box<str>>,
}

/// Handle to the log's queue. Clones share it; the thread ends when [`Log::close`] is called.
#[derive(Debug, Clone)]
pub struct Log(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    dropped: AtomicU64,
    enabled: bool,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<LogLine>,
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
            enabled: true,
        });
        let reader = queue.clone();
        let thread = std::thread::Builder::new().name("request-log".into()).spawn(move || {
            let mut text = Vec::with_capacity(64 * 1024);
            loop {
                let (lines, closed) = reader.take();
                text.clear();
                for line in &lines {
                    line.write(format, &mut text);
                }
                let _ = sink.write_all(&text).and_then(|()| sink.flush());
                text.shrink_to(256 * 1024);
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
            enabled: false,
        }))
    }

    pub fn enabled(&self) -> bool {
        self.0.enabled
    }

    pub fn push(&self, line: LogLine) {
        if !self.0.enabled {
            return;
        }
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.lines.len() >= CAPACITY {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.lines.push(line);
        if state.idle {
            state.idle = false;
            self.0.filled.notify_one();
        }
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
    /// Waits for lines, gathers a little, and takes all.
    fn take(&self) -> (Vec<LogLine>, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.lines.is_empty() && !state.closed {
            state.idle = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        if !state.closed {
            state = self
                .filled
                .wait_timeout_while(state, GATHER, |state| !state.closed)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        (std::mem::take(&mut state.lines), state.closed)
    }
}

impl LogLine {
    fn write(&self, format: LogFormat, out: &mut Vec<u8>) {
        match format {
            LogFormat::Text => self.write_text(out),
            LogFormat::Json => self.write_json(out),
        }
        out.push(b'\n');
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        let _ = write!(
            out,
            "{} {} {} {}",
            Timestamp(self.unix_ms),
            self.method,
            Printable(&self.path),
            self.status
        );
        if !self.provider.is_empty() {
            let _ = write!(out, " provider={} model={}", Printable(self.provider), Printable(&self.model));
        }
        let _ = write!(out, " attempts={} duration={}", self.attempts, Micros(self.duration_us));
        if let Some(ttfb) = self.ttfb_us {
            let _ = write!(out, " ttfb={}", Micros(ttfb));
        }
        if let (Some(input), Some(output)) = (self.input_tokens, self.output_tokens) {
            let _ = write!(out, " tokens={input}+{output}");
        }
        if self.end != "ok" {
            let _ = write!(out, " end={}", self.end);
        }
        if let Some(trace) = &self.trace_id {
            let _ = write!(out, " trace={}", Printable(trace));
        }
        if let Some(detail) = &self.detail {
            let _ = write!(out, " detail=\"{}\"", Printable(detail));
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        let value = serde_json::json!({
            "time": Timestamp(self.unix_ms).to_string(),
            "method": self.method.as_str(),
            "path": &*self.path,
            "status": self.status,
            "provider": self.provider,
            "model": &*self.model,
            "attempts": self.attempts,
            "ttfb_us": self.ttfb_us,
            "duration_us": self.duration_us,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "end": self.end,
            "trace_id": self.trace_id.as_deref(),
            "detail": self.detail.as_deref(),
        });
        let _ = serde_json::to_writer(out, &value);
    }
}

/// User text on a terminal: control characters and quotes become `?`, at most 200 characters.
struct Printable<'a>(&'a str);

impl std::fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for c in self.0.chars().take(200) {
            f.write_char(if c.is_control() || c == '"' { '?' } else { c })?;
        }
        Ok(())
    }
}

struct Micros(u64);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}ms", self.0 / 1000, self.0 % 1000)
    }
}

/// RFC 3339 in UTC, to the millisecond.
struct Timestamp(u64);

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, ms) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = civil(days);
        let (seconds, ms) = (ms / 1000, ms % 1000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
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
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_709_164_799_999).to_string(), "2024-02-28T23:59:59.999Z");
        assert_eq!(Timestamp(1_709_164_800_000).to_string(), "2024-02-29T00:00:00.000Z");
        assert_eq!(Timestamp(1_795_269_600_000).to_string(), "2026-11-21T14:00:00.000Z");
    }

    fn line(path: &str) -> LogLine {
        LogLine {
            unix_ms: 0,
            method: http::Method::POST,
            path: path.into(),
            provider: "openai",
            model: "gpt\u{1b}[31m".into(),
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
        for _ in 0..70_000 {
            log.push(line("/"));
        }
        log.close();
        thread.join().unwrap();
        let written: usize = receiver.iter().sum();
        assert_eq!(written as u64 + log.dropped(), 70_000);
    }
}
