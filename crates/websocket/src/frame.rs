//! The head of a frame.

use aws_lc_rs::rand;
use bytes::{BufMut as _, Bytes, BytesMut};

use crate::Violation;

/// The longest head: two bytes, a length of eight, a mask of four.
pub const LONGEST_HEAD: usize = 14;
/// The most that a control frame carries.
pub const CONTROL_BYTES: usize = 125;

/// Who wrote a frame: clients mask theirs, servers must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The head of a frame, without its reserved bits: they are not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The message ends with it.
    pub is_last: bool,
    pub opcode: Opcode,
    pub mask: Option<[u8; 4]>,
    /// Of the payload, in bytes.
    pub len: u64,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Header {
    /// Reads a head from the front of `bytes`, with its length in bytes; `None` when it is not whole yet.
    ///
    /// # Errors
    /// A frame that this sender may not write.
    pub fn parse(bytes: &[u8], from: Sender) -> Result<Option<(Self, usize)>, Violation> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBit);
        }
        let opcode = Opcode::of(first & 0x0f).ok_or(Violation::Opcode)?;
        let is_last = first & 0x80 != 0;
        let is_masked = second & 0x80 != 0;
        if is_masked != (from == Sender::Client) {
            return Err(Violation::Mask);
        }
        let short = second & 0x7f;
        if opcode.is_control() && (!is_last || short > CONTROL_BYTES as u8) {
            return Err(Violation::Control);
        }
        let (len, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                None => return Ok(None),
                Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest),
            },
            127 => match rest.split_first_chunk::<8>() {
                None => return Ok(None),
                Some((len, rest)) => (u64::from_be_bytes(*len), rest),
            },
            short => (u64::from(short), rest),
        };
        let is_shortest = match short {
            126 => len > 125,
            127 => len > u64::from(u16::MAX) && len <= i64::MAX as u64,
            _ => true,
        };
        if !is_shortest {
            return Err(Violation::Length);
        }
        let (mask, rest) = match (is_masked, rest.split_first_chunk::<4>()) {
            (false, _) => (None, rest),
            (true, None) => return Ok(None),
            (true, Some((mask, rest))) => (Some(*mask), rest),
        };
        Ok(Some((Self { is_last, opcode, mask, len }, bytes.len() - rest.len())))
    }

    fn put(&self, out: &mut BytesMut) {
        out.put_u8(self.opcode.bits() | if self.is_last { 0x80 } else { 0 });
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        match (u8::try_from(self.len), u16::try_from(self.len)) {
            (Ok(len), _) if len < 126 => out.put_u8(masked | len),
            (_, Ok(len)) => {
                out.put_u8(masked | 126);
                out.put_u16(len);
            }
            _ => {
                out.put_u8(masked | 127);
                out.put_u64(self.len);
            }
        }
        if let Some(mask) = self.mask {
            out.put_slice(&mask);
        }
    }
}

/// A whole frame, as `sender` writes it.
pub fn encode(sender: Sender, opcode: Opcode, payload: &[u8]) -> Bytes {
    let mask = (sender == Sender::Client).then(|| {
        let mut mask = [0; 4];
        // Without chance the mask is zero, which is a mask as well: only intermediaries on the way would be fooled.
        let _ = rand::fill(&mut mask);
        mask
    });
    let mut out = BytesMut::with_capacity(LONGEST_HEAD + payload.len());
    Header { is_last: true, opcode, mask, len: payload.len() as u64 }.put(&mut out);
    let start = out.len();
    out.put_slice(payload);
    if let Some(mask) = mask {
        unmask(&mut out[start..], mask, 0);
    }
    out.freeze()
}

/// Masks a payload, or takes the mask off. `at` is how much of it came before.
pub fn unmask(payload: &mut [u8], mask: [u8; 4], at: u64) {
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle().skip((at % 4) as usize)) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for sender in [Sender::Client, Sender::Server] {
            for opcode in [
                Opcode::Text,
                Opcode::Binary,
                Opcode::Continuation,
                Opcode::Close,
                Opcode::Ping,
                Opcode::Pong,
            ] {
                for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
                    if opcode.is_control() && len > CONTROL_BYTES {
                        continue;
                    }
                    let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
                    let frame = encode(sender, opcode, &payload);
                    let (header, head) = Header::parse(&frame, sender).unwrap().unwrap();
                    assert_eq!((header.is_last, header.opcode, header.len), (true, opcode, len as u64));
                    assert_eq!(header.mask.is_some(), sender == Sender::Client);
                    let mut got = frame[head..].to_vec();
                    if let Some(mask) = header.mask {
                        unmask(&mut got, mask, 0);
                    }
                    assert_eq!(got, payload);
                    for cut in 0..head {
                        assert_eq!(Header::parse(&frame[..cut], sender), Ok(None), "{cut} of {head}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_may_not_be_sent_is_refused() {
        let cases: [(&[u8], Sender, Violation); 14] = [
            (&[0xc1, 0x00], Sender::Server, Violation::ReservedBit),
            (&[0xa1, 0x00], Sender::Server, Violation::ReservedBit),
            (&[0x91, 0x00], Sender::Server, Violation::ReservedBit),
            (&[0x83, 0x00], Sender::Server, Violation::Opcode),
            (&[0x8b, 0x00], Sender::Server, Violation::Opcode),
            (&[0x81, 0x80], Sender::Server, Violation::Mask),
            (&[0x81, 0x00], Sender::Client, Violation::Mask),
            (&[0x08, 0x00], Sender::Server, Violation::Control),
            (&[0x89, 0x7e], Sender::Server, Violation::Control),
            (&[0x8a, 0x7f], Sender::Server, Violation::Control),
            (&[0x81, 0x7e, 0x00, 0x7d], Sender::Server, Violation::Length),
            (&[0x81, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Sender::Server, Violation::Length),
            (&[0x81, 0x7f, 0x80, 0, 0, 0, 0, 1, 0, 0], Sender::Server, Violation::Length),
            (&[0x82, 0xfe, 0x00, 0x01], Sender::Client, Violation::Length),
        ];
        for (bytes, from, violation) in cases {
            assert_eq!(Header::parse(bytes, from), Err(violation), "{bytes:x?}");
        }
    }
}
