//! What was put in is what comes out; days come and go.

mod lists;
mod partitions;
mod support;
