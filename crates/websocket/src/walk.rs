//! The frames of a stream that passes, whatever pieces it comes in.

use crate::Violation;
use crate::frame::{Header, LONGEST_HEAD, Opcode, Sender};

/// Follows the frames of one direction. Holds at most an unfinished head.
#[derive(Debug)]
pub struct Frames {
    from: Sender,
    head: [u8; LONGEST_HEAD],
    held: usize,
    /// Of the frame at hand; none between frames.
    frame: Option<Open>,
    /// A message has begun that is not at its end.
    in_message: bool,
    is_closed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    header: Header,
    left: u64,
}

/// What stands at the front of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// So many of the bytes.
    pub taken: usize,
    pub part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A head that is not whole yet: all bytes are of it.
    Unfinished,
    /// A frame begins. One of no payload has ended, too.
    Begin(Header),
    /// Payload of this frame.
    Payload {
        header: Header,
        /// The frame ends with it.
        is_end: bool,
    },
}

impl Frames {
    pub fn new(from: Sender) -> Self {
        Self { from, head: [0; LONGEST_HEAD], held: 0, frame: None, in_message: false, is_closed: false }
    }

    /// Looks at the front of `bytes`, which are not empty and follow those that were taken before.
    ///
    /// # Errors
    /// What this sender may not send; nothing after it can be read.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Step, Violation> {
        if let Some(Open { header, left }) = self.frame {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - taken as u64;
            self.frame = (left > 0).then_some(Open { header, left });
            return Ok(Step { taken, part: Part::Payload { header, is_end: left == 0 } });
        }
        if self.is_closed {
            return Err(Violation::AfterClose);
        }
        let fresh = bytes.len().min(LONGEST_HEAD - self.held);
        self.head[self.held..self.held + fresh].copy_from_slice(&bytes[..fresh]);
        let known = self.held + fresh;
        let Some((header, len)) = Header::parse(&self.head[..known], self.from)? else {
            self.held = known;
            return Ok(Step { taken: fresh, part: Part::Unfinished });
        };
        let taken = len - self.held;
        self.held = 0;
        self.begin(header)?;
        Ok(Step { taken, part: Part::Begin(header) })
    }

    fn begin(&mut self, header: Header) -> Result<(), Violation> {
        match header.opcode {
            Opcode::Text | Opcode::Binary if self.in_message => return Err(Violation::Order),
            Opcode::Continuation if !self.in_message => return Err(Violation::Order),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.in_message = !header.is_last,
            Opcode::Close => self.is_closed = true,
            Opcode::Ping | Opcode::Pong => {}
        }
        self.frame = (header.len > 0).then_some(Open { header, left: header.len });
        Ok(())
    }

    /// Between two frames: a control frame may be put in here.
    pub fn is_between_frames(&self) -> bool {
        self.held == 0 && self.frame.is_none()
    }

    /// Between two messages: a message may be put in here.
    pub fn is_between_messages(&self) -> bool {
        self.is_between_frames() && !self.in_message
    }

    /// The frame that closes has begun.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::{CloseCode, encode_close};
    use crate::frame::{encode, unmask};

    /// Opcodes and payloads, however the stream is cut.
    fn read(from: Sender, pieces: &[&[u8]]) -> Result<Vec<(Opcode, bool, Vec<u8>)>, Violation> {
        let mut frames = Frames::new(from);
        let mut read: Vec<(Opcode, bool, Vec<u8>)> = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let Step { taken, part } = frames.next(rest)?;
                let (bytes, after) = rest.split_at(taken);
                match part {
                    Part::Unfinished => assert!(after.is_empty() && !frames.is_between_frames()),
                    Part::Begin(header) => {
                        assert_eq!(frames.is_between_frames(), header.len == 0);
                        read.push((header.opcode, header.is_last, Vec::new()));
                    }
                    Part::Payload { header, is_end } => {
                        let payload = &mut read.last_mut().unwrap().2;
                        let at = payload.len();
                        payload.extend_from_slice(bytes);
                        if let Some(mask) = header.mask {
                            unmask(&mut payload[at..], mask, at as u64);
                        }
                        assert_eq!(is_end, payload.len() as u64 == header.len);
                        assert_eq!(is_end, frames.is_between_frames());
                    }
                }
                rest = after;
            }
        }
        Ok(read)
    }

    fn stream(from: Sender) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&encode(from, Opcode::Text, b"{}"));
        let mut first = encode(from, Opcode::Text, b"ab").to_vec();
        first[0] &= 0x7f;
        bytes.extend_from_slice(&first);
        bytes.extend_from_slice(&encode(from, Opcode::Ping, b""));
        bytes.extend_from_slice(&encode(from, Opcode::Continuation, &[b'c'; 130]));
        bytes.extend_from_slice(&encode(from, Opcode::Binary, b""));
        bytes.extend_from_slice(&encode_close(from, CloseCode::NORMAL, "bye"));
        bytes
    }

    #[test]
    fn every_split_gives_the_same_frames() {
        for from in [Sender::Client, Sender::Server] {
            let bytes = stream(from);
            let whole = read(from, &[&bytes]).unwrap();
            let opcodes: Vec<_> = whole.iter().map(|frame| frame.0).collect();
            assert_eq!(
                opcodes,
                [
                    Opcode::Text,
                    Opcode::Text,
                    Opcode::Ping,
                    Opcode::Continuation,
                    Opcode::Binary,
                    Opcode::Close
                ]
            );
            assert_eq!(whole[3].2, [b'c'; 130]);
            for one in 0..=bytes.len() {
                let (a, rest) = bytes.split_at(one);
                for two in 0..=rest.len() {
                    let (b, c) = rest.split_at(two);
                    assert_eq!(read(from, &[a, b, c]).unwrap(), whole, "cut at {one} and {two} more");
                }
            }
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(from, &bytewise).unwrap(), whole);
        }
    }

    #[test]
    fn messages_are_not_mixed_and_nothing_follows_the_close() {
        let part = |opcode, is_last: bool| {
            let mut frame = encode(Sender::Server, opcode, b"x").to_vec();
            frame[0] = (frame[0] & 0x7f) | if is_last { 0x80 } else { 0 };
            frame
        };
        let close = encode_close(Sender::Server, CloseCode::NORMAL, "").to_vec();
        for (frames, violation) in [
            (vec![part(Opcode::Continuation, true)], Violation::Order),
            (vec![part(Opcode::Text, false), part(Opcode::Text, true)], Violation::Order),
            (
                vec![
                    part(Opcode::Text, false),
                    part(Opcode::Continuation, true),
                    part(Opcode::Continuation, true),
                ],
                Violation::Order,
            ),
            (vec![close, part(Opcode::Text, true)], Violation::AfterClose),
        ] {
            assert_eq!(read(Sender::Server, &[&frames.concat()]), Err(violation));
        }
    }

    #[test]
    fn a_place_between_messages_is_known() {
        let mut first = encode(Sender::Server, Opcode::Text, b"ab").to_vec();
        first[0] &= 0x7f;
        let mut frames = Frames::new(Sender::Server);
        assert!(frames.is_between_messages());
        let head = frames.next(&first).unwrap().taken;
        frames.next(&first[head..]).unwrap();
        assert!(frames.is_between_frames() && !frames.is_between_messages());
        let last = encode(Sender::Server, Opcode::Continuation, b"");
        frames.next(&last).unwrap();
        assert!(frames.is_between_messages());
    }
}
