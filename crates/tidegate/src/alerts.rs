//! Who is told when a budget reaches a threshold: from the settings to the channels.

use std::sync::Arc;

use tidegate_core::Clock;
use tidegate_directory::Directory;
use tidegate_ledger::{Alert, OnAlert};
use tidegate_notify::{Form, Holder, Mail, Notice, Notifier, Options, Security, Webhook};
use tidegate_settings::{Alerts, SmtpSecurity, WebhookForm};
use tidegate_upstream::Egress;

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
    if let Some(host) = &alerts.smtp_host {
        let from = alerts.mail_from.clone();
        options.mail = Some(Mail {
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
        });
    } else if alerts.mail_from.is_some() || !alerts.mail_to.is_empty() {
        return Err("alerts.mail_from and alerts.mail_to have no effect without alerts.smtp_host".to_owned());
    }
    Notifier::start(&options, egress, clock)
        .map_err(|error| format!("alerts: {}: {}; {}", error.field, error.problem, error.expected))
}

/// Tells of the ledger's thresholds, with the names that people know.
pub fn on_alert(notifier: &Notifier, directory: &Arc<Directory>) -> OnAlert {
    let (notifier, directory) = (notifier.clone(), directory.clone());
    Box::new(move |alert: &Alert| {
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
    })
}
