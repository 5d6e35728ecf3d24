//! Notices of alert rules, to the channels of a rule.

use std::sync::Arc;

use serde_json::json;
use tidegate_alerts::{About, Condition, Hidden, Notice, Way, What};
use tidegate_core::{Clock, Secret};
use tidegate_notify::{Courier, verify};
use tidegate_testkit::{Handler, Reply, Seen, Server};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings};

use crate::{Fixed, eager};

struct Status(u16);

impl Handler for Status {
    fn answer(&self, _: &Seen) -> Reply {
        Reply::text(self.0, "text/plain", "ok")
    }
}

fn courier(allow_private: bool) -> Courier {
    let policy = AddressPolicy { allow_private, ..AddressPolicy::default() };
    let settings = EgressSettings { policy, ..EgressSettings::default() };
    let clock: Arc<dyn Clock> = Arc::new(Fixed);
    Courier::new(None, eager(3), &Egress::new(settings).unwrap(), &clock).unwrap()
}

fn notice(what: Option<What>) -> Notice {
    let metric = tidegate_insight::Metric::find("error_rate").unwrap();
    Notice {
        id: "ntc_1".to_owned(),
        what,
        rule_id: "r-1".to_owned(),
        rule: "Errors <of> all".to_owned(),
        workspace: "ws-a".to_owned(),
        about: About::Metric {
            id: metric.id,
            name: metric.name,
            unit: metric.unit.text(),
            condition: Condition::Above { threshold: 5.0, recover: 5.0 },
        },
        key: "gpt-4o".to_owned(),
        value: Some(12.5),
        requests: 80,
        window_ms: 300_000,
        since: 1_795_261_000_000,
        at: 1_795_261_936_000,
        link: "https://gateway.example/console/alerts/r-1".to_owned(),
    }
}

fn hidden(text: String) -> Hidden {
    Hidden(Secret::from(text))
}

#[tokio::test]
async fn a_webhook_gets_the_members_signed() {
    let server = Server::start(Status(204)).await;
    let secret = "a secret of 16 bytes or more";
    let way =
        Way::Webhook { url_secret: hidden(server.url()), signing_secret: Some(hidden(secret.to_owned())) };
    courier(true).deliver(&way, &notice(Some(What::Fired))).await.unwrap();
    let seen = server.only_request();
    let signature = seen.header("webhook-signature").unwrap();
    let seconds = seen.header("webhook-timestamp").unwrap().parse().unwrap();
    assert!(verify(&Secret::from(secret), "ntc_1", seconds, &seen.body, signature).unwrap());
    let want = json!({
        "event": "alert.fired", "notice_id": "ntc_1", "rule": {"id": "r-1", "name": "Errors <of> all"},
        "workspace_id": "ws-a", "metric": "error_rate", "unit": "%", "group": "gpt-4o", "value": 12.5, "bound": 5.0,
        "requests": 80, "window_seconds": 300, "since": "2026-11-21T11:36:40.000Z", "created_at": "2026-11-21T11:52:16.000Z",
        "link": "https://gateway.example/console/alerts/r-1",
    });
    assert_eq!(seen.json(), want);
}

#[tokio::test]
async fn slack_gets_text_and_blocks_in_which_names_mean_nothing() {
    let server = Server::start(Status(200)).await;
    let way = Way::Slack { url_secret: hidden(format!("{}/services/T0/B0/X", server.url())) };
    courier(true).deliver(&way, &notice(Some(What::Resolved))).await.unwrap();
    let body = server.only_request().json();
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("'Errors &lt;of&gt; all': gpt-4o is resolved"), "{text}");
    assert_eq!(body["blocks"][0]["type"], "header");
    assert_eq!(body["blocks"][0]["text"]["type"], "plain_text");
    let section = body["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(section.contains("Error rate: 12.5%") && section.contains("above 5%, in 5 minutes"), "{section}");
}

#[tokio::test]
async fn what_fails_says_why_without_the_address() {
    let server = Server::start(Status(500)).await;
    let way = Way::Slack { url_secret: hidden(format!("{}/SECRET", server.url())) };
    let problem = courier(true).deliver(&way, &notice(None)).await.unwrap_err();
    assert_eq!((problem.as_str(), server.requests().len()), ("answered 500", 3));
    courier(true).attempt(&way, &notice(None)).await.unwrap_err();
    assert_eq!(server.requests().len(), 4, "once, when somebody waits");
    // The same judgement as for providers: nothing is called inside.
    let problem = courier(false).deliver(&way, &notice(None)).await.unwrap_err();
    assert!(!problem.contains("SECRET"), "{problem}");
    assert_eq!(server.requests().len(), 4);
    let mail = Way::Email { to: vec!["a@example.com".to_owned()] };
    let problem = courier(true).deliver(&mail, &notice(None)).await.unwrap_err();
    assert!(problem.contains("alerts.smtp_host"), "{problem}");
}
