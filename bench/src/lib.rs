//! What the three programs of the benchmark share: `mock` (the provider), `floor` (the least a proxy in this stack can
//! cost) and `drive` (the clients). `bench/run.py` starts them and does the arithmetic.

pub mod answers;
pub mod args;
pub mod listen;
