//! Scopes of one holder, as bits.

use std::fmt;

use super::{Scope, UnknownScope};
use crate::key::KeyKind;

/// Copied freely; asked in a few instructions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet([u64; 3]);

const _: () = assert!(Scope::COUNT <= 192);

impl ScopeSet {
    pub const EMPTY: ScopeSet = ScopeSet([0; 3]);

    /// All that a key of this kind may hold.
    pub fn of_kind(kind: KeyKind) -> Self {
        Scope::all().filter(|scope| scope.fits(kind)).collect()
    }

    /// # Errors
    /// The first text that names no scope.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownScope> {
        texts.into_iter().map(Scope::parse).collect()
    }

    #[must_use]
    pub fn with(mut self, scope: Scope) -> Self {
        self.0[scope as usize / 64] |= 1 << (scope as usize % 64);
        self
    }

    /// Exactly this one, not its twin.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0[scope as usize / 64] >> (scope as usize % 64) & 1 == 1
    }

    /// Whether the holder may do what `scope` stands for, under either of its names.
    pub fn allows(&self, scope: Scope) -> bool {
        self.contains(scope) || scope.twin().is_some_and(|twin| self.contains(twin))
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & !other.0[at]))
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; 3]
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// In the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::text)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let set = ScopeSet::parse(["configs.read", "virtual_keys.read"]).unwrap();
        assert_eq!(set.len(), 2);
        assert!(set.allows(Scope::ConfigsRead) && !set.allows(Scope::ConfigsList));
        assert!(set.allows(Scope::ProvidersRead) && !set.contains(Scope::ProvidersRead));
        assert_eq!(set.without(set), ScopeSet::EMPTY);
        assert_eq!(set.intersection(ScopeSet::EMPTY).union(set), set);
        assert_eq!(format!("{set:?}"), r#"{"configs.read", "virtual_keys.read"}"#);
        assert_eq!(ScopeSet::parse(["configs.read", "nope"]), Err(UnknownScope("nope".into())));
        let all: ScopeSet = Scope::all().collect();
        assert_eq!(all.len(), Scope::COUNT);
        assert!(Scope::all().all(|scope| all.contains(scope)));
    }
}
