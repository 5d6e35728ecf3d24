use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whose claims these are: the name of the books that hold what was claimed. It stays the same over restarts, and no
    /// two sets of books have it in common.
    pub holder: String,
    /// How long a caller waits for an answer, and a statement for the server.
    pub patience: Duration,
    /// Between attempts at something that failed.
    pub pause: Duration,
    /// Operations at once, each on a connection of its own. Those of one budget are done one after the other.
    pub lines: usize,
    /// So many operations may wait; then the pool counts as away.
    pub most_waiting: usize,
}

impl Options {
    /// Two seconds of patience, two lines.
    pub fn new(holder: impl Into<String>) -> Self {
        Self {
            holder: holder.into(),
            patience: Duration::from_secs(2),
            pause: Duration::from_millis(250),
            lines: 2,
            most_waiting: 10_000,
        }
    }
}
