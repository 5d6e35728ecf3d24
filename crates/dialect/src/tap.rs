//! Reads usage, model and end of an answer on the side while its bytes pass through untouched.
