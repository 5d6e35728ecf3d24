//! What a webhook is sent, how often, and what becomes of what it does not take.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tidegate_core::{Clock, Secret};
use tidegate_notify::{Form, Holder, Notice, Notifier, Options, Webhook, verify};
use tidegate_testkit::{Handler, INVALID_HOST, Reply, Seen, Server, refused_port};
use tidegate_upstream::{Egress, EgressSettings};
use tokio::sync::Semaphore;

use crate::ledger::alerts;
use crate::{Fixed, PATIENCE, closed, eager, start};

/// Answers with one status after the other, the last one for ever.
struct Statuses(std::sync::Mutex<Vec<u16>>);

impl Handler for Statuses {
    fn answer(&self, _: &Seen) -> Reply {
        let mut statuses = self.0.lock().unwrap();
        let status = if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] };
        Reply::text(status, "text/plain", "no secret of ours")
    }
}

async fn answering(statuses: &[u16]) -> Server<Statuses> {
    Server::start(Statuses(std::sync::Mutex::new(statuses.to_vec()))).await
}

fn options(url: &str, attempts: u32) -> Options {
    let webhook = Webhook { url: Secret::from(url), form: Form::Json, secret: None };
    Options { webhooks: vec![webhook], retry: eager(attempts), ..Options::default() }
}

#[tokio::test]
async fn the_body_says_who_how_much_and_until_when() {
    let server = answering(&[200]).await;
    let notifier = start(&options(&format!("{}/hook?x=1", server.url()), 1));
    let alert = &alerts("5.25", &["4.000000000000000001"], "4.000000000000000002")[0];
    notifier.notify(Notice::of_alert(alert).about(Holder {
        id: Some("k-1".to_owned()),
        name: Some("Our app".to_owned()),
        workspace: Some("ws-1".to_owned()),
    }));
    closed(notifier).await;
    let seen = server.only_request();
    assert_eq!((seen.method.as_str(), seen.url.as_str()), ("POST", "/hook?x=1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("webhook-id"), Some(Notice::of_alert(alert).id()));
    let text = String::from_utf8(seen.body.to_vec()).unwrap();
    // Every digit, which a reader through binary floating point would lose.
    assert!(text.contains(r#""credit_limit":5.25,"current_usage":4.000000000000000002,"alert_threshold":4.000000000000000001,"#), "{text}");
    let body = seen.json();
    for (name, value) in [
        ("event", json!("usage_limit.threshold")),
        ("notice_id", json!(Notice::of_alert(alert).id())),
        ("level", json!("api key")),
        ("id", json!("k-1")),
        ("slug", json!("Our app")),
        ("workspace_id", json!("ws-1")),
        ("type", json!("cost")),
        ("next_usage_reset_at", json!(null)),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
}

#[tokio::test]
async fn what_is_sent_is_signed() {
    let server = answering(&[200]).await;
    let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut options = options(&server.url(), 1);
    options.webhooks[0].secret = Some(secret.clone());
    let notifier = start(&options);
    notifier.notify(Notice::test(7));
    closed(notifier).await;
    let seen = server.only_request();
    let (id, signature) = (seen.header("webhook-id").unwrap(), seen.header("webhook-signature").unwrap());
    assert_eq!(seen.header("webhook-timestamp"), Some("1795261936"));
    assert_eq!(verify(&secret, id, 1_795_261_936, &seen.body, signature), Ok(true));
    assert_eq!(verify(&secret, id, 1_795_261_937, &seen.body, signature), Ok(false));
    assert_eq!(verify(&secret, id, 1_795_261_936, b"{}", signature), Ok(false));
    assert_eq!(
        verify(&Secret::from("another secret of ours"), id, 1_795_261_936, &seen.body, signature),
        Ok(false)
    );
}

/// The example of the Standard Webhooks specification.
#[test]
fn signatures_are_those_of_the_specification() {
    let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let signed = tidegate_notify::sign(
        &secret,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn slack_gets_a_text_that_cannot_name_everybody() {
    let server = answering(&[200]).await;
    let mut options = options(&server.url(), 1);
    options.webhooks[0].form = Form::Slack;
    let notifier = start(&options);
    let mut alert = alerts("5", &[], "5").remove(0);
    alert.id = "<!channel> & co".to_owned();
    notifier.notify(Notice::of_alert(&alert));
    closed(notifier).await;
    let text = server.only_request().json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("*Tidegate: the budget of api key '&lt;!channel&gt; &amp; co' is used up*\n"),
        "{text}"
    );
    assert!(text.contains("used: 5 USD of 5 USD") && text.contains("refused (412)"), "{text}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_lasts_is_not() {
    for (statuses, attempts, requests, sent, retries) in [
        (&[503, 429, 204][..], 5, 3, 1, 2),
        (&[500], 3, 3, 0, 2),
        (&[400], 5, 1, 0, 0),
        (&[302], 5, 1, 0, 0),
        (&[408, 200], 1, 1, 0, 0),
    ] {
        let server = answering(statuses).await;
        let notifier = start(&options(&server.url(), attempts));
        notifier.notify(Notice::test(1));
        let counts = closed(notifier).await.remove(0);
        assert_eq!(server.requests().len(), requests, "{statuses:?}");
        assert_eq!((counts.sent, counts.failed, counts.retries), (sent, 1 - sent, retries), "{statuses:?}");
        let ids: std::collections::BTreeSet<_> =
            server.requests().iter().map(|seen| seen.header("webhook-id").map(str::to_owned)).collect();
        assert_eq!(ids.len(), 1, "a receiver tells a repetition by its id");
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again_and_its_path_is_not_told() {
    for url in [refused_port(), format!("http://{INVALID_HOST}")] {
        let notifier = start(&options(&format!("{url}/services/T0/B0/secret"), 3));
        notifier.notify(Notice::test(1));
        let counts = closed(notifier).await.remove(0);
        assert_eq!((counts.failed, counts.retries, counts.waiting), (1, 2, 0));
        assert!(!format!("{counts:?}").contains("secret"), "{counts:?}");
    }
}

#[tokio::test]
async fn private_addresses_are_refused_unless_they_are_allowed() {
    let server = answering(&[200]).await;
    let egress = Egress::new(EgressSettings::default()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Fixed);
    let notifier = Notifier::start(&options(&server.url(), 5), &egress, &clock).unwrap();
    notifier.notify(Notice::test(1));
    let counts = closed(notifier).await.remove(0);
    assert_eq!((counts.failed, counts.retries), (1, 0));
    assert!(
        counts.last_trouble.as_deref().unwrap().contains("the address policy does not allow"),
        "{counts:?}"
    );
    assert!(server.requests().is_empty());
}

/// Answers when it is let.
struct Gate(Arc<Semaphore>);

impl Handler for Gate {
    fn answer(&self, _: &Seen) -> Reply {
        self.0.add_permits(1);
        Reply::text(200, "text/plain", "").after(Duration::from_secs(3_600))
    }
}

#[tokio::test]
async fn nobody_waits_for_a_receiver_that_hangs_and_what_does_not_fit_is_counted() {
    let reached = Arc::new(Semaphore::new(0));
    let server = Server::start(Gate(Arc::clone(&reached))).await;
    let notifier = start(&Options { queue: 4, ..options(&server.url(), 1) });
    notifier.notify(Notice::test(0));
    // The first one is with the receiver; the queue is empty.
    let _permit = tokio::time::timeout(PATIENCE, reached.acquire()).await.unwrap().unwrap();
    for n in 1..=10 {
        notifier.notify(Notice::test(n));
    }
    let counts = notifier.counts().remove(0);
    assert_eq!((counts.waiting, counts.dropped), (5, 6));
    notifier.close(Duration::ZERO).await;
    let counts = notifier.counts().remove(0);
    assert_eq!((counts.waiting, counts.dropped, counts.sent), (0, 11, 0));
    notifier.notify(Notice::test(11));
    assert_eq!(notifier.counts().remove(0).dropped, 12);
}

#[tokio::test]
async fn an_attempt_has_a_time() {
    let server = Server::start(Gate(Arc::new(Semaphore::new(0)))).await;
    let mut options = options(&server.url(), 2);
    options.retry.timeout = Duration::from_millis(20);
    let notifier = start(&options);
    notifier.notify(Notice::test(0));
    let counts = closed(notifier).await.remove(0);
    assert_eq!((counts.failed, counts.retries), (1, 1));
    assert_eq!(counts.last_trouble.as_deref(), Some("no answer within 20 ms"));
}

#[tokio::test]
async fn one_channel_holds_up_no_other() {
    let hanging = Server::start(Gate(Arc::new(Semaphore::new(0)))).await;
    let server = answering(&[200]).await;
    let mut both = options(&hanging.url(), 1);
    both.webhooks.extend(options(&server.url(), 1).webhooks);
    let notifier = start(&both);
    for n in 0..3 {
        notifier.notify(Notice::test(n));
    }
    // Until the second channel has sent all; the first one never will.
    let sent = async {
        while notifier.counts()[1].sent < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, sent).await.unwrap();
    assert_eq!(notifier.counts()[0].sent, 0);
}
