//! What a permit remembers of its charges, without allocating for as many layers as requests usually have.

const INLINE: usize = 8;

#[derive(Debug)]
pub struct MemoryReceipt {
    pub(super) tickets: Tickets,
    /// Number of the admission: counters that were made later hold nothing of it.
    pub(super) sequence: u64,
    pub(super) at: u64,
    pub(super) tokens: u64,
}

/// Where the counters of a layer are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ticket {
    pub(super) part: u32,
    pub(super) slot: u32,
    /// Index in the demand's layers.
    pub(super) layer: u32,
}

#[derive(Debug, Default)]
pub(super) struct Tickets {
    inline: [Ticket; INLINE],
    len: usize,
    /// All of them, once there are more than fit.
    many: Vec<Ticket>,
}

impl Tickets {
    pub(super) fn push(&mut self, ticket: Ticket) {
        match self.inline.get_mut(self.len) {
            Some(place) if self.many.is_empty() => {
                *place = ticket;
                self.len += 1;
            }
            _ => {
                if self.many.is_empty() {
                    self.many.extend_from_slice(&self.inline);
                }
                self.many.push(ticket);
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[Ticket] {
        if self.many.is_empty() { self.inline.get(..self.len).unwrap_or_default() } else { &self.many }
    }
}
