//! WebSockets: OpenAI's realtime API, and any other that a provider has.
//!
//! Until the provider has agreed, such a request is one like any other: it is authenticated, planned, admitted, reserved and
//! tried. Then the two connections are joined ([`relay`]): frames go on as they come, while a copy of the references is
//! looked at for what the provider says of usage ([`peek`]), which is paid for answer by answer ([`tally`]). The session ends
//! when either side does, when the gateway does, or when its caller may not go on ([`session`]).
//!
//! Extensions are not offered to providers, and so not agreed with clients: what is compressed cannot be read on the way
//! without being unpacked, with a window of tens of kilobytes for each connection; and most of what passes is audio, which
//! does not get smaller.

mod ending;
mod handshake;
mod message;
mod peek;
mod relay;
mod session;
mod tally;

pub use handshake::{Asked, OF_HANDSHAKE, asked, judge_origin, no_upgrade, parameter};
pub use session::{Joined, Opening, respond};
