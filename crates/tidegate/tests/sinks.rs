//! Records in a warehouse, from the binary.

use std::sync::atomic::{AtomicU32, Ordering};

use tidegate_testkit::{Handler, Reply, Seen, Server};

use crate::stage::{CHAT, Setup, messages};

const SECRET: &str = "wJalrXUtnFEMI-secret";

/// Refuses the first credentials that it sees, and takes everything then.
#[derive(Default)]
struct Bucket(AtomicU32);

impl Handler for Bucket {
    fn answer(&self, request: &Seen) -> Reply {
        assert_eq!(request.method.as_str(), "PUT");
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::text(403, "application/xml", "<Error><Code>SignatureDoesNotMatch</Code></Error>"),
            _ => Reply::text(200, "text/plain", ""),
        }
    }
}

#[tokio::test]
async fn requests_become_objects_in_a_bucket_once_it_takes_them() {
    let bucket = Server::start(Bucket::default()).await;
    let settings = format!(
        "[sinks.s3]\nbucket = 'tides'\nendpoint = '{}'\nprefix = 'a/b'\naccess_key_id = 'AKIDEXAMPLE'\n\
         format = 'parquet'\ninterval = '100ms'\nrows = 2",
        bucket.url()
    );
    let tidegate =
        Setup::default().settings(&settings).env("TIDEGATE_SINKS_S3_SECRET_ACCESS_KEY", SECRET).start().await;
    for _ in 0..3 {
        let answer = tidegate.post(CHAT, &[], &messages("@demo/echo", false)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    tidegate.wait_for_metric("tidegate_sink_records_total{sink=\"s3\",outcome=\"sent\"}", 3).await;
    assert_eq!(tidegate.metric("tidegate_sink_failures_total{sink=\"s3\"}").await, 1);
    let seen = bucket.requests();
    assert_eq!(seen[0].url, seen[1].url, "what is sent again has the name that it had");
    assert_eq!(seen[0].body, seen[1].body);
    for request in &seen {
        assert!(
            request.url.starts_with("/tides/a/b/day=") && request.url.ends_with(".parquet"),
            "{}",
            request.url
        );
        assert!(request.body.starts_with(b"PAR1") && request.body.ends_with(b"PAR1"));
        assert!(request.header("authorization").unwrap().contains("/us-east-1/s3/aws4_request"));
    }
    let printed = tidegate.printed();
    assert!(printed.contains("sinks.s3: it answered 403 (SignatureDoesNotMatch)"), "{printed}");
    assert!(printed.contains("sinks.s3: it takes records again"), "{printed}");
    assert!(!printed.contains(SECRET));
}

#[test]
fn a_bucket_without_a_key_is_a_mistake() {
    let output = Setup::default().settings("[sinks.s3]\nbucket = 'tides'").ended("check");
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("sinks.s3.access_key_id"), "{said}");
}
