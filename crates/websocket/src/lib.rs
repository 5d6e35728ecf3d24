//! WebSocket (RFC 6455) as a relay needs it: the answer to a handshake's key, the frames in a stream of bytes, and the few
//! frames that a relay writes itself.
//!
//! Payloads are never held and never copied here: [`Frames`] says where they lie. No clock, no I/O. Extensions are not
//! spoken: a frame with a reserved bit is a [`Violation`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod close;
pub mod frame;
pub mod handshake;
mod walk;

pub use close::CloseCode;
pub use frame::{Header, Opcode, Sender};
pub use walk::{Frames, Part, Step};

/// What a peer sent is no WebSocket frame, or one that it may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A reserved bit is set: that is an extension's, and none was agreed.
    ReservedBit,
    /// An opcode that has no meaning.
    Opcode,
    /// A control frame in pieces, or longer than 125 bytes.
    Control,
    /// A client that does not mask, or a server that does.
    Mask,
    /// A length that is not written in the shortest way, or has its highest bit set.
    Length,
    /// A continuation without a beginning, or a beginning before the last message ended.
    Order,
    /// Something after the frame that closes.
    AfterClose,
}

impl Violation {
    /// One clause, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReservedBit => "a frame has a reserved bit set",
            Self::Opcode => "a frame has an unknown opcode",
            Self::Control => "a control frame is in pieces or too long",
            Self::Mask => "a frame is masked that must not be, or is not that must be",
            Self::Length => "a frame's length is not written as it must be",
            Self::Order => "the frames of two messages are mixed",
            Self::AfterClose => "a frame came after the one that closes",
        }
    }
}
