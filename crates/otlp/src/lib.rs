//! OTLP, the protocol of OpenTelemetry: its messages in protobuf and JSON, and the records of requests as its spans. Pure.

pub mod json;
pub mod logs;
pub mod message;
pub mod spans;
