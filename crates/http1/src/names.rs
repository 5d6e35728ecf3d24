//! Names of header fields, each made once for a thread: peers send the same few with every message, and a name that is made
//! anew is checked, put into lower case and copied.

use std::cell::RefCell;
use std::hash::BuildHasher as _;

use http::HeaderName;

use crate::Malformed;

/// Names that a thread remembers. Two that fall on one place take it from each other.
const PLACES: usize = 128;
/// Longer ones are made each time: what strangers send stays small.
const LONGEST: usize = 64;

/// A name as it came, and what was made of it.
type Place = Option<(Box<[u8]>, HeaderName)>;

thread_local! {
    static PLACED: RefCell<[Place; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
    static HASHER: foldhash::fast::RandomState = foldhash::fast::RandomState::default();
}

pub(crate) fn name(bytes: &[u8]) -> Result<HeaderName, Malformed> {
    let make = || HeaderName::from_bytes(bytes).map_err(|_| Malformed);
    if bytes.len() > LONGEST {
        return make();
    }
    let hash = HASHER.with(|hasher| hasher.hash_one(bytes));
    PLACED.with_borrow_mut(|places| {
        let place = &mut places[hash as usize % PLACES];
        if let Some((came, name)) = place
            && **came == *bytes
        {
            return Ok(name.clone());
        }
        let name = make()?;
        *place = Some((bytes.into(), name.clone()));
        Ok(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_whether_they_were_seen_or_not() {
        for turn in 0..3 {
            for i in 0..1_000 {
                let text = format!("X-Name-{i}");
                assert_eq!(name(text.as_bytes()).unwrap(), text.to_lowercase().as_str(), "{turn}");
            }
            for standard in ["Content-Type", "content-type", "CONTENT-TYPE"] {
                assert_eq!(name(standard.as_bytes()).unwrap(), http::header::CONTENT_TYPE);
            }
            let long = "x".repeat(LONGEST + 1);
            assert_eq!(name(long.as_bytes()).unwrap(), long.as_str());
            for bad in ["", "a b", "a:", "ä"] {
                assert_eq!(name(bad.as_bytes()), Err(Malformed), "{bad:?}");
            }
        }
    }
}
