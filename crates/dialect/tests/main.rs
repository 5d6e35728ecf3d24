//! Every recorded answer and request against every dialect it can be translated to.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p tidegate-dialect --test main` rewrites the snapshots after an intended change.

mod golden;
