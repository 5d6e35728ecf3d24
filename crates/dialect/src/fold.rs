//! Folds the events of a stream into the answer they describe.
