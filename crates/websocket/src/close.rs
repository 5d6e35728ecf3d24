//! The frame that closes, and why.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::frame::{CONTROL_BYTES, Opcode, Sender, encode};

/// The number in a frame that closes (RFC 6455, section 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    pub const NORMAL: Self = Self(1000);
    /// A peer goes away: it is being stopped, or nobody is there.
    pub const GOING_AWAY: Self = Self(1001);
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer may not go on.
    pub const POLICY: Self = Self(1008);
    /// Something failed that the peer is not to blame for.
    pub const INTERNAL: Self = Self(1011);

    /// The code of a payload; `None` where it has none.
    pub fn of(payload: &[u8]) -> Option<Self> {
        payload.first_chunk::<2>().map(|code| Self(u16::from_be_bytes(*code)))
    }

    /// The peer left in good order.
    pub fn is_good(self) -> bool {
        matches!(self, Self::NORMAL | Self::GOING_AWAY)
    }
}

/// A frame that closes. A long reason is cut.
pub fn encode_close(sender: Sender, code: CloseCode, reason: &str) -> Bytes {
    let mut end = reason.len().min(CONTROL_BYTES - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = BytesMut::with_capacity(2 + end);
    payload.put_u16(code.0);
    payload.put_slice(&reason.as_bytes()[..end]);
    encode(sender, Opcode::Close, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit() {
        let frame = encode_close(Sender::Server, CloseCode::POLICY, &"ä".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert_eq!(CloseCode::of(&frame[2..]), Some(CloseCode::POLICY));
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
        assert_eq!(CloseCode::of(&[3]), None);
    }
}
