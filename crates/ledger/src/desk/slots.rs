//! Budgets by number. Numbers are given out in order and never again, so a place in a list finds them without a hash.

use super::tally::Slot;

#[derive(Debug, Default)]
pub(super) struct Slots {
    // Boxed: a budget that is gone costs a pointer, and growing moves no budgets.
    places: Vec<Option<Box<Slot>>>,
    count: usize,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: u32) -> Option<&Slot> {
        self.places.get(id as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Slot> {
        self.places.get_mut(id as usize)?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        let at = slot.id as usize;
        if self.places.len() <= at {
            self.places.resize_with(at + 1, || None);
        }
        self.count += usize::from(self.places[at].is_none());
        self.places[at] = Some(Box::new(slot));
    }

    pub(super) fn remove(&mut self, id: u32) {
        let place = self.places.get_mut(id as usize);
        self.count -= usize::from(place.and_then(Option::take).is_some());
    }

    pub(super) fn ids(&self) -> Vec<u32> {
        self.places.iter().flatten().map(|slot| slot.id).collect()
    }
}
