//! What was put in is what comes out; days come and go.

mod partitions;
mod support;
