//! Splits and joins frames of a stream; knows nothing of JSON.
