//! Server-sent events, as browsers read them: LF, CR and CRLF line ends, several `data` lines joined with LF, comments
//! and unknown fields skipped, a byte-order mark at the start ignored, the space after the colon optional.
//!
//! An event that lies whole inside one pushed slice and has one `data` line is handed out without being copied.

use memchr::{memchr, memchr2};

use super::{FrameError, MAX_FRAME, keep};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Bytes a line may have beyond its value: a byte-order mark and `data: `.
const FIELD_NAME: usize = 9;

/// One event. `event` is the last `event:` field, if there was one; `data` is never absent (an event without a `data`
/// line is no event) but may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseEvent<'a> {
    pub event: Option<&'a str>,
    pub data: &'a [u8],
}

/// Splits a stream of server-sent events.
#[derive(Debug)]
pub struct Sse {
    max: usize,
    split_json: bool,
    /// Nothing but the first line may carry a byte-order mark.
    started: bool,
    /// The last byte was a CR that ended a line: an LF right after it belongs to it.
    after_cr: bool,
    /// The line under way, from slices before.
    line: Vec<u8>,
    /// The event under way, from slices before or from several `data` lines.
    name: Option<String>,
    data: Option<Vec<u8>>,
}

/// The part of the event under way that still lies in the slice being pushed.
#[derive(Default)]
struct Borrowed<'a> {
    name: Option<&'a str>,
    data: Option<&'a [u8]>,
}

enum Field<'a> {
    Blank,
    Name(Option<&'a str>),
    Data(&'a [u8]),
    Other,
}

impl Sse {
    pub fn new() -> Self {
        Self::with_max(MAX_FRAME)
    }

    /// A splitter whose events have at most `max` bytes of data.
    pub fn with_max(max: usize) -> Self {
        Self {
            max,
            split_json: false,
            started: false,
            after_cr: false,
            line: Vec::new(),
            name: None,
            data: None,
        }
    }

    /// Also ends an event where a line that opens a JSON object or array follows one that closed an object. No JSON
    /// text has such a place inside, so this only affects senders that leave out the blank lines between events.
    #[must_use]
    pub fn splitting_json(mut self) -> Self {
        self.split_json = true;
        self
    }

    /// Takes the next bytes and calls `on` with each event they complete.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub fn push(&mut self, bytes: &[u8], on: &mut dyn FnMut(SseEvent<'_>)) -> Result<(), FrameError> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        let mut here = Borrowed::default();
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let line = &rest[..end];
            let ending_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if ending_cr {
                if rest.is_empty() {
                    self.after_cr = true;
                }
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            if self.line.is_empty() {
                self.take_line(line, &mut here, on)?;
            } else {
                self.take_carried_line(line, on)?;
            }
        }
        self.keep_event(here)?;
        let mut line = std::mem::take(&mut self.line);
        self.keep_line(&mut line, rest)?;
        self.line = line;
        Ok(())
    }

    /// The body ended: a last event that lacks its blank line, or even its line end, is delivered.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub fn finish(&mut self, on: &mut dyn FnMut(SseEvent<'_>)) -> Result<(), FrameError> {
        if !self.line.is_empty() {
            self.take_carried_line(b"", on)?;
        }
        self.end_event(Borrowed::default(), on);
        Ok(())
    }

    /// A line whose beginning came in an earlier slice.
    fn take_carried_line(&mut self, tail: &[u8], on: &mut dyn FnMut(SseEvent<'_>)) -> Result<(), FrameError> {
        let mut line = std::mem::take(&mut self.line);
        self.keep_line(&mut line, tail)?;
        let mut borrowed = Borrowed::default();
        self.take_line(&line, &mut borrowed, on)?;
        self.keep_event(borrowed)?;
        line.clear();
        self.line = line;
        Ok(())
    }

    fn keep_line(&self, line: &mut Vec<u8>, bytes: &[u8]) -> Result<(), FrameError> {
        let held = line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held + bytes.len() > self.max.saturating_add(FIELD_NAME) {
            return Err(FrameError::TooLarge { max: self.max });
        }
        line.extend_from_slice(bytes);
        Ok(())
    }

    fn take_line<'a>(
        &mut self,
        line: &'a [u8],
        here: &mut Borrowed<'a>,
        on: &mut dyn FnMut(SseEvent<'_>),
    ) -> Result<(), FrameError> {
        let line = if self.started { line } else { line.strip_prefix(BOM).unwrap_or(line) };
        self.started = true;
        match field(line) {
            Field::Blank => self.end_event(std::mem::take(here), on),
            Field::Name(name) => {
                self.name = None;
                here.name = name;
            }
            Field::Data(data) => {
                if self.split_json && self.closes_before(here, data) {
                    self.end_event(std::mem::take(here), on);
                }
                self.add_data(data, here)?;
            }
            Field::Other => {}
        }
        Ok(())
    }

    fn add_data<'a>(&mut self, data: &'a [u8], here: &mut Borrowed<'a>) -> Result<(), FrameError> {
        if data.len() > self.max {
            return Err(FrameError::TooLarge { max: self.max });
        }
        if self.data.is_none() && here.data.is_none() {
            here.data = Some(data);
            return Ok(());
        }
        let mut joined = self.data.take().unwrap_or_default();
        if let Some(first) = here.data.take() {
            keep(&mut joined, first, self.max)?;
        }
        keep(&mut joined, b"\n", self.max)?;
        keep(&mut joined, data, self.max)?;
        self.data = Some(joined);
        Ok(())
    }

    fn closes_before(&self, here: &Borrowed<'_>, next: &[u8]) -> bool {
        let before = here.data.or(self.data.as_deref());
        before.is_some_and(|data| data.ends_with(b"}")) && matches!(next.first(), Some(b'{' | b'['))
    }

    fn end_event(&mut self, here: Borrowed<'_>, on: &mut dyn FnMut(SseEvent<'_>)) {
        let name = self.name.take();
        let data = self.data.take();
        if let Some(data) = here.data.or(data.as_deref()) {
            on(SseEvent { event: here.name.or(name.as_deref()), data });
        }
    }

    /// The slice is used up: what it holds of the event under way must be copied.
    fn keep_event(&mut self, here: Borrowed<'_>) -> Result<(), FrameError> {
        if let Some(name) = here.name {
            if name.len() > self.max {
                return Err(FrameError::TooLarge { max: self.max });
            }
            self.name = Some(name.to_owned());
        }
        if let Some(data) = here.data {
            self.data = Some(data.to_vec());
        }
        Ok(())
    }
}

impl Default for Sse {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends one event. Line ends inside `data` become further `data` lines, so the result is always one event.
pub fn write_event(out: &mut Vec<u8>, event: Option<&str>, data: &[u8]) {
    if let Some(name) = event {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    let mut rest = data;
    loop {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&rest[..end]);
        out.push(b'\n');
        if end == rest.len() {
            break;
        }
        let after = &rest[end..];
        rest = after.strip_prefix(b"\r\n").unwrap_or(&after[1..]);
    }
    out.push(b'\n');
}

fn field(line: &[u8]) -> Field<'_> {
    if line.is_empty() {
        return Field::Blank;
    }
    let (name, value) = match memchr(b':', line) {
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
        None => (line, &b""[..]),
    };
    match name {
        b"data" => Field::Data(value),
        b"event" => Field::Name(std::str::from_utf8(value).ok().filter(|name| !name.is_empty())),
        _ => Field::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Owned = (Option<String>, Vec<u8>);

    fn read(sse: &mut Sse, pieces: &[&[u8]]) -> Result<Vec<Owned>, FrameError> {
        let mut events = Vec::new();
        let mut on = |e: SseEvent<'_>| events.push((e.event.map(str::to_owned), e.data.to_vec()));
        for piece in pieces {
            sse.push(piece, &mut on)?;
        }
        sse.finish(&mut on)?;
        Ok(events)
    }

    fn data(text: &str) -> Owned {
        (None, text.as_bytes().to_vec())
    }

    fn named(name: &str, text: &str) -> Owned {
        (Some(name.to_owned()), text.as_bytes().to_vec())
    }

    fn cases() -> Vec<(&'static str, &'static [u8], Vec<Owned>)> {
        vec![
            ("lf", b"data: a\n\ndata: b\n\n", vec![data("a"), data("b")]),
            ("crlf", b"data: a\r\n\r\ndata: b\r\n\r\n", vec![data("a"), data("b")]),
            ("cr", b"data: a\r\rdata: b\r\r", vec![data("a"), data("b")]),
            (
                "mixed line ends",
                b"data: a\r\n\ndata: b\r\r\ndata: c\n\r\n",
                vec![data("a"), data("b"), data("c")],
            ),
            (
                "no space, one space, two spaces",
                b"data:a\n\ndata: b\n\ndata:  c\n\n",
                vec![data("a"), data("b"), data(" c")],
            ),
            ("several data lines", b"data: a\ndata:\ndata: b\n\n", vec![data("a\n\nb")]),
            (
                "comments and unknown fields",
                b": hi\nid: 7\nretry: 1\nwhat: x\ndata: a\n:\n\n: bye\n\n",
                vec![data("a")],
            ),
            ("event name", b"event: ping\ndata: {}\n\ndata: x\n\n", vec![named("ping", "{}"), data("x")]),
            ("name after data, last name wins", b"event: a\ndata: 1\nevent: b\n\n", vec![named("b", "1")]),
            ("name without data is no event", b"event: ping\n\ndata: a\n\n", vec![data("a")]),
            ("empty name is no name", b"event:\ndata: a\n\n", vec![data("a")]),
            ("byte-order mark", b"\xef\xbb\xbfdata: a\n\n", vec![data("a")]),
            ("empty data", b"data:\n\ndata\n\n", vec![data(""), data("")]),
            ("last event without blank line", b"data: a\n\ndata: b\n", vec![data("a"), data("b")]),
            ("last line without line end", b"data: a\n\nevent: e\ndata: b", vec![data("a"), named("e", "b")]),
            ("many blank lines", b"\n\n\ndata: a\n\n\n\n\r\n", vec![data("a")]),
            ("utf-8", "data: é→🌊\n\n".as_bytes(), vec![data("é→🌊")]),
            ("colon in value", b"data: {\"a\":1}\n\n", vec![data("{\"a\":1}")]),
            ("nothing", b"", vec![]),
        ]
    }

    #[test]
    fn every_case_at_every_split() {
        for (name, bytes, want) in cases() {
            assert_eq!(read(&mut Sse::new(), &[bytes]).unwrap(), want, "{name}");
            for cut in 0..=bytes.len() {
                let got = read(&mut Sse::new(), &[&bytes[..cut], &bytes[cut..]]).unwrap();
                assert_eq!(got, want, "{name}, cut at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&mut Sse::new(), &single).unwrap(), want, "{name}, byte by byte");
        }
    }

    #[test]
    fn whole_events_are_not_copied() {
        let bytes = b"event: e\ndata: payload\n\n".to_vec();
        let range = bytes.as_ptr_range();
        let mut seen = 0;
        Sse::new()
            .push(&bytes, &mut |event| {
                seen += 1;
                assert!(range.contains(&event.data.as_ptr()));
            })
            .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn events_come_as_soon_as_they_are_complete() {
        let mut sse = Sse::new();
        let mut count = 0;
        sse.push(b"data: a\r\n\r", &mut |_| count += 1).unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn too_large_events_are_refused_however_they_arrive() {
        let cases: [&[&[u8]]; 6] = [
            &[b"data: 12345678\n\n"],
            &[b"data: 1234", b"56789\n\n"],
            &[b"data: 1234\ndata: 5678\n\n"],
            &[b"data: 1234\n", b"data: 5678\n\n"],
            &[b": a comment that has no end in sight and goes on"],
            &[b"event: a-name-that-is-longer-than-that\n"],
        ];
        for pieces in cases {
            assert_eq!(
                read(&mut Sse::with_max(7), pieces),
                Err(FrameError::TooLarge { max: 7 }),
                "{pieces:?}"
            );
        }
        assert_eq!(read(&mut Sse::with_max(7), &[b"data: 1234", b"567\n\n"]).unwrap(), [data("1234567")]);
    }

    #[test]
    fn json_without_blank_lines_is_split_when_asked() {
        let bytes = b"data: {\"a\":\ndata: {}\ndata: }\ndata: {\"b\":1}\ndata: [DONE]\n";
        let got = read(&mut Sse::new().splitting_json(), &[bytes]).unwrap();
        assert_eq!(got, [data("{\"a\":\n{}\n}"), data("{\"b\":1}"), data("[DONE]")]);
        assert_eq!(read(&mut Sse::new(), &[bytes]).unwrap().len(), 1);
    }

    #[test]
    fn written_events_read_back() {
        for (name, text) in [(None, "{}"), (Some("e"), "a\nb"), (None, ""), (None, "a\r\nb\rc\n")] {
            let mut out = Vec::new();
            write_event(&mut out, name, text.as_bytes());
            let want = text.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(
                read(&mut Sse::new(), &[&out]).unwrap(),
                [(name.map(str::to_owned), want.into_bytes())]
            );
        }
        let mut out = Vec::new();
        write_event(&mut out, Some("ping"), b"{}");
        assert_eq!(out, b"event: ping\ndata: {}\n\n");
    }
}
