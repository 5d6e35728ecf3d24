use prost::Message as _;

use super::*;
use crate::message::{ExportTraceServiceRequest, SpanKind, StatusCode};

/// As the specification's own example has it.
const EXAMPLE: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
"scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0","attributes":[]},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
"spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173","name":"I'm a server span","startTimeUnixNano":"1544712660000000000",
"endTimeUnixNano":1544712661000000000,"kind":2,"status":{"code":"STATUS_CODE_ERROR"},"attributes":[{"key":"n","value":{"intValue":"7"}},
{"key":"d","value":{"doubleValue":0.5}},{"key":"b","value":{"boolValue":true}},{"key":"e","value":{}},{"key":"y","value":{"bytesValue":"AQI="}},
{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}]}}}],
"droppedAttributesCount":1,"unknown":{}}]}]}]}"#;

#[test]
fn json_and_protobuf_say_the_same() {
    let read: ExportTraceServiceRequest = serde_json::from_str(EXAMPLE).unwrap();
    let span = &read.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(hex_text(&span.trace_id), "5b8efff798038103d269b633813fc60c");
    assert_eq!((span.span_id.len(), span.parent_span_id.len()), (8, 8));
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (1_544_712_660_000_000_000, 1_544_712_661_000_000_000)
    );
    assert_eq!((span.kind(), span.status.as_ref().unwrap().code()), (SpanKind::Server, StatusCode::Error));
    let attributes = serde_json::to_value(members(span.attributes.clone())).unwrap();
    let want = serde_json::json!({"n": 7, "d": 0.5, "b": true, "e": null, "y": "AQI=", "a": [1, {"k": "v"}]});
    assert_eq!(attributes, want);
    let bytes = read.encode_to_vec();
    assert_eq!(ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap(), read);
    let json = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<ExportTraceServiceRequest>(&json).unwrap(), read);
}

#[test]
fn what_is_no_otlp_is_refused() {
    for text in [
        r#"{"resourceSpans":7}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#,
        "7",
    ] {
        assert!(serde_json::from_str::<ExportTraceServiceRequest>(text).is_err(), "{text}");
    }
    assert!(ExportTraceServiceRequest::decode(&b"\xff\xff\xff"[..]).is_err());
}
