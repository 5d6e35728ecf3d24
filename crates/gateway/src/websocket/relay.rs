//! Two WebSocket connections as one: what comes from either side goes to the other, frame by frame, as fast as that one
//! reads. Nothing is read from a side while the other has not taken what came before, so that a slow reader slows its
//! peer down and nothing piles up here.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tidegate_http1::receive::Receiver;
use tidegate_websocket::close::encode_close;
use tidegate_websocket::frame::{CONTROL_BYTES, unmask};
use tidegate_websocket::{CloseCode, Frames, Opcode, Part, Sender, Violation};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::ending::Why;

/// For the other side's closing frame, once one side has sent its own.
const CLOSING: Duration = Duration::from_secs(5);
/// For last words, and the answers to them. Shorter than the gateway waits for them when it stops.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A connection, and what came of it that was not read.
#[derive(Debug)]
pub struct Side<T> {
    pub io: T,
    pub receiver: Receiver,
}

/// Looks at what passes, and says when it has to end.
pub trait Watch {
    /// Bytes came from this side.
    fn moved(&mut self, from: Sender, bytes: usize);
    /// Payload of a text message of the provider's.
    fn text(&mut self, payload: Bytes, is_end: bool);
    /// `unfinished`: whose frame is waited for to go on (client's, provider's).
    fn poll_end(&mut self, cx: &mut Context<'_>, unfinished: [bool; 2]) -> Poll<Why>;
    /// The message that goes to the client before the close.
    fn last_words(&self, why: &Why) -> Option<Bytes>;
}

/// How a session ended.
#[derive(Debug)]
pub struct Finished {
    /// `None`: one side closed, in good order.
    pub why: Option<Why>,
    /// Who closed first, and with which code.
    pub closed: Option<(Sender, Option<CloseCode>)>,
}

/// Joins a client and a provider until one of them, or the watch, ends it.
pub struct Relay<C, U> {
    client: Side<C>,
    upstream: Side<U>,
    /// From the client to the provider.
    up: Lane,
    down: Lane,
    closed: Option<(Sender, Option<CloseCode>)>,
    /// Until when a closing handshake may last.
    closing: Option<Pin<Box<Sleep>>>,
    why: Option<Why>,
}

/// One direction.
struct Lane {
    from: Sender,
    frames: Frames,
    /// On its way out; nothing is read while there is some.
    out: VecDeque<Bytes>,
    needs_flush: bool,
    /// The message at hand is text.
    is_text: bool,
    /// Payload of the closing frame.
    close: Vec<u8>,
    /// The closing frame has passed whole.
    is_closed: bool,
    /// The source gives nothing more.
    has_ended: bool,
    /// The destination takes nothing more.
    is_blocked: bool,
    /// Nothing goes on behind the frame at hand: the session ends.
    stops: bool,
    /// Last words were put in: what still comes is not passed on.
    is_over: bool,
}

impl<C, U> Relay<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    pub fn new(client: Side<C>, upstream: Side<U>) -> Self {
        Self {
            client,
            upstream,
            up: Lane::new(Sender::Client),
            down: Lane::new(Sender::Server),
            closed: None,
            closing: None,
            why: None,
        }
    }

    /// Ready when both connections can be closed.
    pub fn poll(&mut self, cx: &mut Context<'_>, watch: &mut impl Watch) -> Poll<Finished> {
        loop {
            if self.why.is_none() && !self.is_closing() {
                let unfinished = [self.up.is_waited_for(), self.down.is_waited_for()];
                if let Poll::Ready(why) = watch.poll_end(cx, unfinished) {
                    self.end(why);
                }
            }
            self.put_in(watch);
            let up = self.up.poll(&mut self.client, &mut self.upstream.io, cx, watch);
            let down = self.down.poll(&mut self.upstream, &mut self.client.io, cx, watch);
            // Before anything else: whoever breaks the rules is not read any further, as if he had left.
            for moved in [&up, &down] {
                if let Err(violation) = moved
                    && self.why.is_none()
                {
                    let from = if up.is_err() { Sender::Client } else { Sender::Server };
                    self.end(Why::Wrong(from, *violation));
                }
            }
            self.notice();
            let is_late = self.closing.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
            if is_late || self.is_finished() {
                return Poll::Ready(Finished { why: self.why.take(), closed: self.closed });
            }
            // A violation changes what is to be done, as progress does.
            if matches!((&up, &down), (Ok(false), Ok(false))) && !self.can_put_in() {
                return Poll::Pending;
            }
        }
    }

    /// Closes what is left of both connections.
    pub async fn shut(mut self) {
        use tokio::io::AsyncWriteExt as _;
        let both = async { tokio::join!(self.client.io.shutdown(), self.upstream.io.shutdown()) };
        let _ = tokio::time::timeout(LAST_WORDS, both).await;
    }

    fn is_closing(&self) -> bool {
        self.up.is_closed || self.down.is_closed
    }

    fn end(&mut self, why: Why) {
        self.why = Some(why);
        self.up.stops = true;
        self.down.stops = true;
        self.closing = Some(Box::pin(tokio::time::sleep(LAST_WORDS)));
    }

    /// What became of the connections.
    fn notice(&mut self) {
        if self.closed.is_none() {
            let lane = [&self.up, &self.down].into_iter().find(|lane| lane.is_closed);
            if let Some(lane) = lane {
                self.closed = Some((lane.from, CloseCode::of(&lane.close)));
                if self.why.is_none() {
                    self.closing = Some(Box::pin(tokio::time::sleep(CLOSING)));
                }
            }
        }
        if self.why.is_some() || self.is_closing() {
            return;
        }
        // A client that takes nothing is gone; a provider may have said why before.
        if self.up.has_ended || self.down.is_blocked {
            self.end(Why::Left(Sender::Client));
        } else if self.down.has_ended {
            self.end(Why::Left(Sender::Server));
        }
    }

    fn can_put_in(&self) -> bool {
        self.why.is_some() && (self.up.takes_last_words() || self.down.takes_last_words())
    }

    /// Puts the last words in, where a frame has ended.
    fn put_in(&mut self, watch: &impl Watch) {
        let Some(why) = &self.why else { return };
        if self.down.takes_last_words() {
            self.down.is_over = true;
            if !self.down.is_closed && self.down.frames.is_between_frames() {
                let words = watch.last_words(why).filter(|_| self.down.frames.is_between_messages());
                self.down.push(words.unwrap_or_default());
                let (code, reason) = why.close(Sender::Client);
                self.down.push(encode_close(Sender::Server, code, reason));
            }
        }
        if self.up.takes_last_words() {
            self.up.is_over = true;
            if !self.up.is_closed && self.up.frames.is_between_frames() {
                let (code, reason) = why.close(Sender::Server);
                self.up.push(encode_close(Sender::Client, code, reason));
            }
        }
    }

    fn is_finished(&mut self) -> bool {
        let is_out = self.up.is_out() && self.down.is_out();
        let has_answered = |lane: &Lane| lane.is_closed || lane.has_ended;
        if self.why.is_some() {
            // Each side has heard it, and has answered, unless nobody is there.
            return is_out
                && self.up.is_over
                && self.down.is_over
                && has_answered(&self.up)
                && has_answered(&self.down);
        }
        if self.is_closing() && self.down.has_ended && !self.down.is_closed && !self.down.is_over {
            // The provider hung up instead of answering: the client is answered all the same.
            self.down.is_over = true;
            if self.down.frames.is_between_frames() {
                self.down.push(encode_close(Sender::Server, CloseCode::NORMAL, ""));
            }
            return self.down.is_blocked;
        }
        is_out && self.is_closing() && has_answered(&self.up) && has_answered(&self.down)
    }
}

impl Lane {
    fn new(from: Sender) -> Self {
        Self {
            from,
            frames: Frames::new(from),
            out: VecDeque::new(),
            needs_flush: false,
            is_text: false,
            close: Vec::new(),
            is_closed: false,
            has_ended: false,
            is_blocked: false,
            stops: false,
            is_over: false,
        }
    }

    /// The rest of a frame is what is waited for.
    fn is_waited_for(&self) -> bool {
        self.out.is_empty() && !self.frames.is_between_frames()
    }

    /// At the end of a frame, or at the end of all that comes.
    fn takes_last_words(&self) -> bool {
        !self.is_over && (self.frames.is_between_frames() || self.has_ended || self.is_closed)
    }

    fn is_out(&self) -> bool {
        self.is_blocked || (self.out.is_empty() && !self.needs_flush)
    }

    fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && !self.is_blocked {
            self.out.push_back(bytes);
        }
    }

    /// Writes what can be written and reads what can be read. `true` when something moved.
    fn poll<S: AsyncRead + Unpin>(
        &mut self,
        source: &mut Side<S>,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        watch: &mut impl Watch,
    ) -> Result<bool, Violation> {
        let mut has_moved = match self.write(to, cx) {
            Ok(has_moved) => has_moved,
            Err(_) => {
                (self.is_blocked, self.needs_flush) = (true, false);
                self.out.clear();
                true
            }
        };
        if self.is_out() && !self.is_closed && !self.has_ended {
            has_moved |= self.read(source, cx, watch)?;
        }
        Ok(has_moved)
    }

    fn write(&mut self, to: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) -> io::Result<bool> {
        let mut has_moved = false;
        while let Some(first) = self.out.front_mut() {
            let Poll::Ready(written) = Pin::new(&mut *to).poll_write(cx, first)? else {
                return Ok(has_moved);
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            first.advance(written);
            if first.is_empty() {
                self.out.pop_front();
            }
            (has_moved, self.needs_flush) = (true, true);
        }
        if self.needs_flush && Pin::new(to).poll_flush(cx)?.is_ready() {
            (has_moved, self.needs_flush) = (true, false);
        }
        Ok(has_moved)
    }

    fn read<S: AsyncRead + Unpin>(
        &mut self,
        source: &mut Side<S>,
        cx: &mut Context<'_>,
        watch: &mut impl Watch,
    ) -> Result<bool, Violation> {
        if source.receiver.received.is_empty() {
            match source.receiver.poll_more(Pin::new(&mut source.io), cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false) | Err(_)) => {
                    self.has_ended = true;
                    return Ok(true);
                }
            }
        }
        let came = std::mem::take(&mut source.receiver.received);
        watch.moved(self.from, came.len());
        let (taken, violation) = self.take(&came, watch);
        if !self.is_over {
            self.push(came.slice(..taken));
        }
        match violation {
            // What follows cannot be read, and is not waited for.
            Some(_) if self.is_over => self.has_ended = true,
            Some(violation) => {
                self.has_ended = true;
                return Err(violation);
            }
            None => source.receiver.received = came.slice(taken..),
        }
        if self.is_closed {
            source.receiver.received = Bytes::new();
        }
        Ok(true)
    }

    /// Goes through the frames, as far as they go on.
    fn take(&mut self, came: &Bytes, watch: &mut impl Watch) -> (usize, Option<Violation>) {
        let mut at = 0;
        while at < came.len() && !self.is_closed {
            let step = match self.frames.next(&came[at..]) {
                Ok(step) => step,
                Err(violation) => return (at, Some(violation)),
            };
            let payload = at..at + step.taken;
            at += step.taken;
            let (header, is_end) = match step.part {
                Part::Unfinished => continue,
                Part::Begin(header) => {
                    if matches!(header.opcode, Opcode::Text | Opcode::Binary) {
                        self.is_text = header.opcode == Opcode::Text;
                    }
                    if header.len > 0 {
                        continue;
                    }
                    (header, true)
                }
                Part::Payload { header, is_end } => (header, is_end),
            };
            let payload = if header.len == 0 { Bytes::new() } else { came.slice(payload) };
            match header.opcode {
                Opcode::Close => self.see_close(&payload, header.mask, is_end),
                Opcode::Ping | Opcode::Pong => {}
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    if self.is_text && self.from == Sender::Server && !self.is_over {
                        watch.text(payload, is_end && header.is_last);
                    }
                }
            }
            if self.stops && is_end && !self.is_over {
                break;
            }
        }
        (at, None)
    }

    fn see_close(&mut self, payload: &[u8], mask: Option<[u8; 4]>, is_end: bool) {
        let at = self.close.len();
        self.close.extend_from_slice(payload);
        self.close.truncate(CONTROL_BYTES);
        if let Some(mask) = mask {
            unmask(&mut self.close[at..], mask, at as u64);
        }
        self.is_closed = is_end;
    }
}

#[cfg(test)]
mod tests;
