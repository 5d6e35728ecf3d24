//! A ledger whose budgets are used: where alerts come from.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidegate_core::{Secret, SystemClock};
use tidegate_ledger::{
    Alert, Budget, Charge, Demand, How, Ledger, Limit, OnAlert, Options as LedgerOptions, Reset, Scope, Unit,
};
use tidegate_notify::{Notice, Options, Webhook};
use tidegate_testkit::{Scratch, Scripted, Server};

use crate::{closed, eager, start};

/// Uses `cost` USD of a budget of `limit` with thresholds, in a directory that may have books already.
pub fn spend(directory: &Path, limit: &str, marks: &[&str], cost: &str, on_alert: OnAlert) {
    let options = LedgerOptions { on_alert: Some(on_alert), ..LedgerOptions::default() };
    let (ledger, _) = Ledger::open(directory, options, Arc::new(SystemClock::new())).unwrap();
    let marks = marks.iter().map(|mark| mark.parse().unwrap()).collect();
    let limit = Limit::new(Unit::Usd, limit.parse().unwrap(), Reset::Never, marks).unwrap();
    let budget = ledger.put(Budget::new(Scope::ApiKey, "my-app", limit)).unwrap();
    let cost = Some(cost.parse().unwrap());
    let demand = Demand { budgets: &[budget], cost, tokens: 0, least: None, request: "r", trace: "" };
    let reservation = ledger.reserve(&demand).unwrap();
    reservation.settle(&Charge { cost, tokens: 0, estimated: false }, How::Success);
    ledger.close();
}

/// The alerts of one request.
pub fn alerts(limit: &str, marks: &[&str], cost: &str) -> Vec<Alert> {
    let (scratch, heard) = (Scratch::new(), Arc::new(Mutex::new(Vec::new())));
    let ear = Arc::clone(&heard);
    spend(
        scratch.path(),
        limit,
        marks,
        cost,
        Box::new(move |alert: &Alert| ear.lock().unwrap().push(alert.clone())),
    );
    let heard = heard.lock().unwrap();
    heard.clone()
}

#[tokio::test]
async fn each_threshold_is_told_once_over_restarts() {
    let server = Server::start(Scripted::default()).await;
    let webhook =
        Webhook { url: Secret::from(server.url()), form: tidegate_notify::Form::Json, secret: None };
    let options = Options { webhooks: vec![webhook], retry: eager(1), ..Options::default() };
    let scratch = Scratch::new();
    for cost in ["2.1", "0.1", "2.9", "0.05"] {
        let notifier = start(&options);
        let (directory, on_alert) = (scratch.path().to_owned(), notifier.on_alert());
        tokio::task::spawn_blocking(move || spend(&directory, "5.2", &["2", "4"], cost, on_alert))
            .await
            .unwrap();
        closed(notifier).await;
    }
    let told: Vec<Value> = server.requests().iter().map(|seen| seen.json()).collect();
    let of = |name: &str| told.iter().map(|notice| notice[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("event"), ["usage_limit.threshold", "usage_limit.threshold"]);
    assert_eq!(of("alert_threshold"), [json!(2), json!(4)]);
    assert_eq!(of("current_usage"), [json!(2.1), json!(5.1)]);
}

#[test]
fn an_event_has_one_id_and_others_have_others() {
    let alerts = alerts("5", &["2", "4"], "5");
    assert_eq!(alerts.len(), 3);
    let ids: Vec<String> = alerts.iter().map(|alert| Notice::of_alert(alert).id().to_owned()).collect();
    assert_eq!(Notice::of_alert(&alerts[0]).id(), ids[0]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert!(ids[0].starts_with("ntc_") && ids[0].len() == 36, "{ids:?}");
}
