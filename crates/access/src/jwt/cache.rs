//! Tokens that were found good, by their hash, so that a signature is checked once and not with every request.
//!
//! A value, not a service: whoever holds it locks it. What was refused is never kept.

use std::collections::HashMap;

use crate::key::KeyHash;

#[derive(Debug, Clone)]
pub struct TokenCache<T> {
    entries: HashMap<KeyHash, Entry<T>>,
    most: usize,
    longest_ms: u64,
    generation: u64,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    value: T,
    until_ms: u64,
}

impl<T> TokenCache<T> {
    /// At most `most` tokens, each for at most `longest_ms`, whatever its own expiry.
    pub fn new(most: usize, longest_ms: u64) -> Self {
        Self { entries: HashMap::new(), most: most.max(1), longest_ms, generation: 0 }
    }

    /// The value of a token that is still good. `generation` counts the changes of what was believed (keys, mappings,
    /// roles): an entry from before a change is none.
    pub fn get(&self, token: &KeyHash, generation: u64, now_ms: u64) -> Option<&T> {
        let entry = self.entries.get(token).filter(|_| generation == self.generation)?;
        (now_ms < entry.until_ms).then_some(&entry.value)
    }

    /// `until_ms` is the token's own end. A value from before a change is not taken.
    pub fn put(&mut self, token: KeyHash, value: T, until_ms: u64, generation: u64, now_ms: u64) {
        if generation < self.generation {
            return;
        }
        if generation > self.generation {
            self.entries.clear();
            self.generation = generation;
        }
        if self.entries.len() >= self.most && !self.entries.contains_key(&token) {
            self.make_room(now_ms);
        }
        let until_ms = until_ms.min(now_ms.saturating_add(self.longest_ms));
        self.entries.insert(token, Entry { value, until_ms });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What has ended goes; if that is not enough, the half that ends first. So a full cache costs little per token.
    fn make_room(&mut self, now_ms: u64) {
        self.entries.retain(|_, entry| now_ms < entry.until_ms);
        if self.entries.len() < self.most {
            return;
        }
        let mut ends: Vec<_> = self.entries.iter().map(|(hash, entry)| (entry.until_ms, *hash)).collect();
        let half = ends.len() / 2;
        ends.select_nth_unstable_by_key(half, |(until, _)| *until);
        for (_, hash) in &ends[..=half] {
            self.entries.remove(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyHasher;

    fn hash(number: usize) -> KeyHash {
        KeyHasher::plain().hash(&number.to_string())
    }

    #[test]
    fn an_entry_ends_with_its_token_its_time_or_a_change() {
        let mut cache = TokenCache::new(10, 1_000);
        cache.put(hash(1), 'a', 500, 0, 0);
        cache.put(hash(2), 'b', 9_000, 0, 0);
        assert_eq!(cache.get(&hash(1), 0, 499), Some(&'a'));
        assert_eq!(cache.get(&hash(1), 0, 500), None);
        assert_eq!(cache.get(&hash(2), 0, 999), Some(&'b'));
        assert_eq!(cache.get(&hash(2), 0, 1_000), None);
        assert_eq!(cache.get(&hash(2), 1, 10), None, "the keys have changed");
        assert_eq!(cache.get(&hash(3), 0, 10), None);
        cache.put(hash(3), 'c', 9_000, 1, 10);
        assert_eq!((cache.get(&hash(3), 1, 20), cache.len()), (Some(&'c'), 1));
        cache.put(hash(4), 'd', 9_000, 0, 10);
        assert_eq!(cache.get(&hash(4), 1, 20), None, "verified with keys that are gone");
    }

    #[test]
    fn it_does_not_grow() {
        let mut cache = TokenCache::new(64, 1_000_000);
        for number in 0..1_000 {
            cache.put(hash(number), number, 1_000 + number as u64, 0, 0);
            assert!(cache.len() <= 64);
            assert_eq!(cache.get(&hash(number), 0, 0), Some(&number));
        }
        cache.put(hash(0), 0, 5, 0, 2_000);
        assert!(!cache.is_empty());
        let mut one = TokenCache::new(0, 10);
        one.put(hash(1), 'a', 9, 0, 0);
        one.put(hash(2), 'b', 9, 0, 0);
        assert_eq!((one.len(), one.get(&hash(2), 0, 1)), (1, Some(&'b')));
    }
}
