//! The pipe against stores and disks that fail, and the form of records against bytes of old.

mod bodies;
mod encoding;
mod faults;
mod journal;
mod log;
mod pipe;
mod support;
