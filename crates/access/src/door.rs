//! When a request may come in without an API key.
//!
//! Before the first API key exists, a gateway on somebody's own machine behaves as the reference does: who brings a
//! provider's credential of their own is served. From the first key on, and from elsewhere, that is over, unless the
//! operator says otherwise. Keys that only administer do not count as the first: one is made at every first start.

use crate::carrier::Reading;
use crate::refusal::{Reason, Refusal};

/// The operator's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keyless {
    pub from: Origin,
    /// Also when API keys exist.
    pub after_first_key: bool,
}

/// Where requests without a key may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    Nowhere,
    #[default]
    Loopback,
    Anywhere,
}

/// What came of looking up the text that may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedUp {
    /// Nothing that could be one was sent.
    Absent,
    /// It is in the store, good or not; its validity is judged elsewhere.
    Known,
    /// It is not. With how sure it was to be a key.
    Unknown(Reading),
}

#[derive(Debug, Clone, Copy)]
pub struct Caller {
    pub looked_up: LookedUp,
    /// The peer's address is loopback, and no proxy says that it speaks for somebody else (see [`is_local`]).
    pub local: bool,
    /// At least one key that may call the data plane exists, whatever its validity.
    pub keys_exist: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By the key that was found.
    WithKey,
    /// Without one; a text that was taken for a key is the caller's credential.
    Keyless,
}

/// For routes of the data plane. No other route is ever entered without a key, but the public ones.
///
/// # Errors
/// 401, saying how a key is sent when none was.
pub fn enter(setting: Keyless, caller: &Caller) -> Result<Entry, Refusal> {
    let unknown = match caller.looked_up {
        LookedUp::Known => return Ok(Entry::WithKey),
        // A key that was meant as one is never quietly left aside: its limits would be left aside with it.
        LookedUp::Unknown(Reading::Certain) => return Err(Refusal::new(Reason::UnknownKey)),
        LookedUp::Unknown(Reading::Assumed) if caller.keys_exist => {
            return Err(Refusal::new(Reason::UnknownKey));
        }
        LookedUp::Unknown(_) => true,
        LookedUp::Absent => false,
    };
    let place = match setting.from {
        Origin::Nowhere => false,
        Origin::Loopback => caller.local,
        Origin::Anywhere => true,
    };
    let time = !caller.keys_exist || setting.after_first_key;
    if place && time {
        return Ok(Entry::Keyless);
    }
    Err(Refusal::new(if unknown { Reason::UnknownKey } else { Reason::NoKey }))
}

/// Whether a request comes from this machine. A proxy on it makes everybody's requests come from there, and says so.
pub fn is_local(peer: std::net::IpAddr, forwarded: bool) -> bool {
    peer.to_canonical().is_loopback() && !forwarded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every case there is, each against a sentence of the rule.
    #[test]
    fn every_case() {
        let looks = [
            LookedUp::Absent,
            LookedUp::Known,
            LookedUp::Unknown(Reading::Certain),
            LookedUp::Unknown(Reading::Assumed),
            LookedUp::Unknown(Reading::Possible),
        ];
        let mut served = 0;
        for looked_up in looks {
            for bits in 0..8 {
                let (local, keys_exist, after_first_key) = (bits & 1 == 1, bits & 2 == 2, bits & 4 == 4);
                for from in [Origin::Nowhere, Origin::Loopback, Origin::Anywhere] {
                    let caller = Caller { looked_up, local, keys_exist };
                    let got = enter(Keyless { from, after_first_key }, &caller);
                    let case = format!("{caller:?} {from:?} {after_first_key}");
                    if looked_up == LookedUp::Known {
                        assert_eq!(got, Ok(Entry::WithKey), "{case}");
                        continue;
                    }
                    assert!(got != Ok(Entry::WithKey), "{case}");
                    let refused = from == Origin::Nowhere
                        || (from == Origin::Loopback && !local)
                        || (keys_exist && !after_first_key)
                        || looked_up == LookedUp::Unknown(Reading::Certain)
                        || (keys_exist && looked_up == LookedUp::Unknown(Reading::Assumed));
                    assert_eq!(got.is_err(), refused, "{case}");
                    served += usize::from(got.is_ok());
                }
            }
        }
        // 3 pairs of place and setting that fit; then: nobody has keys (3 readings, 2 settings), or somebody has (2
        // readings, 1 setting).
        assert_eq!(served, 3 * (3 * 2 + 2));
    }

    #[test]
    fn the_rule_in_words() {
        let caller =
            Caller { looked_up: LookedUp::Unknown(Reading::Possible), local: true, keys_exist: false };
        let by_default =
            |caller: Caller| enter(Keyless::default(), &caller).map_err(|refusal| refusal.reason);
        assert_eq!(by_default(caller), Ok(Entry::Keyless));
        assert_eq!(by_default(Caller { local: false, ..caller }), Err(Reason::UnknownKey));
        assert_eq!(by_default(Caller { keys_exist: true, ..caller }), Err(Reason::UnknownKey));
        let silent = Caller { looked_up: LookedUp::Absent, ..caller };
        assert_eq!(by_default(Caller { keys_exist: true, ..silent }), Err(Reason::NoKey));
        assert_eq!(by_default(silent), Ok(Entry::Keyless));
    }

    #[test]
    fn local() {
        for (peer, forwarded, want) in [
            ("127.0.0.1", false, true),
            ("127.8.9.1", false, true),
            ("::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("::ffff:10.0.0.1", false, false),
            ("10.0.0.1", false, false),
            ("0.0.0.0", false, false),
            ("127.0.0.1", true, false),
        ] {
            assert_eq!(is_local(peer.parse().unwrap(), forwarded), want, "{peer} {forwarded}");
        }
    }
}
