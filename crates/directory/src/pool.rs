//! Several credentials under one slug: a request takes one by weight, and one that a provider refuses rests a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::Secret;

/// One credential, in clear.
#[derive(Debug)]
pub struct Credential {
    pub id: Arc<str>,
    /// Its share of the requests among those of its pool; one of 0 is used when no other is left.
    pub weight: u32,
    pub key: Option<Secret>,
    /// By their names in a config.
    pub options: HashMap<Box<str>, Secret>,
    rests_until: AtomicU64,
}

/// The credentials of one provider.
#[derive(Debug, Default)]
pub struct Pool(Box<[Credential]>);

impl Credential {
    pub fn new(id: Arc<str>, weight: u32, key: Option<Secret>, options: HashMap<Box<str>, Secret>) -> Self {
        Self { id, weight, key, options, rests_until: AtomicU64::new(0) }
    }

    /// Leaves it out until then (milliseconds since 1970), unless no other is left.
    pub fn rest_until(&self, unix_ms: u64) {
        self.rests_until.fetch_max(unix_ms, Ordering::Relaxed);
    }

    pub fn rests_at(&self, now_ms: u64) -> bool {
        now_ms < self.rests_until.load(Ordering::Relaxed)
    }
}

impl Pool {
    pub fn new(credentials: Vec<Credential>) -> Self {
        Self(credentials.into())
    }

    pub fn credentials(&self) -> &[Credential] {
        &self.0
    }

    /// The credential for the next request: by weight among those that do not rest, then among those of weight 0, then
    /// the one that rests the shortest; with its place in the pool. `draw` is a random number from 0 to below 1.
    pub fn pick(&self, now_ms: u64, draw: f64) -> Option<(usize, &Credential)> {
        if let [only] = &*self.0 {
            return Some((0, only));
        }
        let all = || self.0.iter().enumerate();
        let awake = |(_, one): &(usize, &Credential)| !one.rests_at(now_ms);
        let total: u64 = all().filter(awake).map(|(_, one)| u64::from(one.weight)).sum();
        if total > 0 {
            let mut at = (draw * total as f64) as u64;
            for (place, one) in all().filter(awake) {
                match at.checked_sub(u64::from(one.weight)) {
                    Some(rest) => at = rest,
                    None => return Some((place, one)),
                }
            }
        }
        let spare = all().find(awake);
        spare.or_else(|| all().min_by_key(|(_, one)| one.rests_until.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_weight_and_around_those_that_rest() {
        let one = |id: &str, weight| Credential::new(id.into(), weight, None, HashMap::new());
        let pool = Pool::new(vec![one("a", 3), one("b", 1), one("spare", 0)]);
        let count = |now, id: &str| {
            let picks =
                (0..400).filter(|draw| &*pool.pick(now, f64::from(*draw) / 400.0).unwrap().1.id == id);
            picks.count()
        };
        assert_eq!((count(0, "a"), count(0, "b"), count(0, "spare")), (300, 100, 0));
        pool.0[0].rest_until(10);
        assert_eq!((count(0, "a"), count(0, "b")), (0, 400));
        pool.0[1].rest_until(20);
        assert_eq!(count(5, "spare"), 400);
        pool.0[2].rest_until(30);
        assert_eq!(count(5, "a"), 400, "the first to come back");
        assert_eq!((count(10, "a"), count(20, "b")), (400, 100));
        assert!(Pool::default().pick(0, 0.7).is_none());
    }
}
