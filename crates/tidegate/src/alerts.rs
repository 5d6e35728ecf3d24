//! Who is told when a budget reaches a threshold, or an alert rule fires: from the settings to the channels.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_alerts::{Notice as RuleNotice, Way};
use tidegate_control::{AlertCounts, Delivered, Lookout, Messenger};
use tidegate_core::Clock;
use tidegate_directory::Directory;
use tidegate_gateway::metrics::Metrics;
use tidegate_ledger::{Alert, Amount, Ledger, OnAlert};
use tidegate_ledger_postgres::Reached;
use tidegate_notify::{Courier, Form, Holder, Mail, Notice, Notifier, Options, Retry, Security, Webhook};
use tidegate_settings::{Alerts, SmtpSecurity, WebhookForm};
use tidegate_upstream::Egress;

use crate::replicas::Pool;

/// How often a replica says what it has used of shared budgets.
const WATCH: Duration = Duration::from_secs(3);

/// Starts the channels; without any, notices go nowhere.
///
/// # Errors
/// A setting that is not accepted, or that has no effect without another.
pub fn start(alerts: &Alerts, egress: &Egress, clock: &Arc<dyn Clock>) -> Result<Notifier, String> {
    let mut options = Options::default();
    if let Some(url) = &alerts.webhook {
        let form = match alerts.webhook_form {
            WebhookForm::Json => Form::Json,
            WebhookForm::Slack => Form::Slack,
        };
        options.webhooks.push(Webhook { url: url.clone(), form, secret: alerts.webhook_secret.clone() });
    } else if alerts.webhook_secret.is_some() {
        return Err("alerts.webhook_secret has no effect without alerts.webhook".to_owned());
    }
    options.mail = mail(alerts)?;
    Notifier::start(&options, egress, clock)
        .map_err(|error| format!("alerts: {}: {}; {}", error.field, error.problem, error.expected))
}

fn mail(alerts: &Alerts) -> Result<Option<Mail>, String> {
    let Some(host) = &alerts.smtp_host else {
        if alerts.mail_from.is_some() || !alerts.mail_to.is_empty() {
            return Err(
                "alerts.mail_from and alerts.mail_to have no effect without alerts.smtp_host".to_owned()
            );
        }
        return Ok(None);
    };
    let from = alerts.mail_from.clone();
    Ok(Some(Mail {
        host: host.clone(),
        port: alerts.smtp_port,
        security: match alerts.smtp_security {
            SmtpSecurity::StartTls => Security::StartTls,
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::None => Security::None,
        },
        user: alerts.smtp_user.clone(),
        password: alerts.smtp_password.clone(),
        from: from.ok_or("alerts.mail_from is needed with alerts.smtp_host: whose mail is it?")?,
        to: alerts.mail_to.clone(),
        extra_ca_pem: None,
    }))
}

/// Brings the notices of alert rules to the channels that stand in the rules.
#[derive(Debug)]
struct Bringing(Courier);

impl Messenger for Bringing {
    fn deliver<'a>(&'a self, way: &'a Way, notice: &'a RuleNotice) -> Delivered<'a> {
        Box::pin(self.0.deliver(way, notice))
    }

    fn attempt<'a>(&'a self, way: &'a Way, notice: &'a RuleNotice) -> Delivered<'a> {
        Box::pin(self.0.attempt(way, notice))
    }
}

/// Letters go through the server of the settings.
///
/// # Errors
/// A setting that is not accepted.
pub fn messenger(
    alerts: &Alerts,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Messenger>, String> {
    let courier = Courier::new(mail(alerts)?.as_ref(), Retry::default(), egress, clock);
    let courier =
        courier.map_err(|error| format!("alerts: {}: {}; {}", error.field, error.problem, error.expected))?;
    Ok(Arc::new(Bringing(courier)))
}

/// Looks at the alert rules again and again. Ends when it is dropped.
pub async fn look_out(lookout: &Lookout, every: Duration, metrics: &Metrics) {
    let mut before = AlertCounts::default();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        lookout.look(u64::try_from(every.as_millis()).unwrap_or(u64::MAX)).await;
        let now = lookout.counts();
        metrics.alert_looks("looked", now.looked - before.looked);
        metrics.alert_looks("failed", now.failed - before.failed);
        metrics.alert_looks("late", now.late - before.late);
        metrics.alert_notices("delivered", now.delivered - before.delivered);
        metrics.alert_notices("undelivered", now.undelivered - before.undelivered);
        before = now;
    }
}

/// Tells of the ledger's thresholds, with the names that people know.
pub fn on_alert(notifier: &Notifier, directory: &Arc<Directory>) -> OnAlert {
    let (notifier, directory) = (notifier.clone(), directory.clone());
    Box::new(move |alert: &Alert| tell(&notifier, &directory, alert))
}

fn tell(notifier: &Notifier, directory: &Directory, alert: &Alert) {
    let notice = Notice::of_alert(alert);
    let notice = match directory.describe(&alert.id) {
        None => notice,
        Some((name, workspace)) => notice.about(Holder {
            id: Some(alert.id.clone()),
            name: Some(name.to_string()),
            workspace: workspace.map(|slug| slug.to_string()),
        }),
    };
    notifier.notify(notice);
}

/// Thresholds of budgets that replicas share: no replica knows by itself that one is reached. Each says now and then what it
/// has used, and tells what is its to tell. Ends when it is dropped.
pub async fn watch(
    pool: Pool,
    ledger: Ledger,
    notifier: Notifier,
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
) {
    let mut said = HashMap::new();
    loop {
        tokio::time::sleep(WATCH).await;
        for id in ledger.budgets() {
            let (Some(budget), Some(standing)) = (ledger.budget(id), ledger.standing(id)) else { continue };
            let used = standing.settled + standing.held;
            let now = (standing.start, used);
            if used == Amount::ZERO || said.get(&id) == Some(&now) {
                continue;
            }
            // One that is away is asked again at the next turn.
            let Ok(reached) = pool.reached(&budget, standing.start, used).await else { break };
            said.insert(id, now);
            for Reached { mark, used } in reached {
                let alert = Alert {
                    budget: id,
                    scope: budget.scope,
                    id: budget.id.clone(),
                    unit: budget.limit.unit(),
                    mark,
                    exhausted: mark >= budget.limit.amount(),
                    amount: budget.limit.amount(),
                    used,
                    period: 0,
                    period_end: standing.end,
                    at: clock.unix_ms(),
                };
                tell(&notifier, &directory, &alert);
            }
        }
    }
}
