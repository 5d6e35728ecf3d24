//! Mail: what it says, to whom, under which protection.

use tidegate_core::Secret;
use tidegate_ledger::Scope;
use tidegate_notify::{Holder, Mail, Notice, Options, Security};
use tidegate_testkit::tls::{Flaw, Identity};

use crate::ledger::alerts;
use crate::smtp::{Manners, Smtp};
use crate::{closed, eager, start};

fn options(server: &Smtp, attempts: u32) -> Options {
    let mail = Mail {
        host: "127.0.0.1".to_owned(),
        port: server.address.port(),
        security: Security::None,
        user: None,
        password: None,
        from: "gate@example.com".to_owned(),
        to: vec!["ops@example.com".to_owned()],
        extra_ca_pem: None,
    };
    Options { mail: Some(mail), retry: eager(attempts), ..Options::default() }
}

/// The text of the only part.
fn text(data: &str) -> String {
    use base64::Engine as _;
    let (_, body) = data.split_once("\r\n\r\n").unwrap();
    let encoded: String = body.trim_end_matches("\r\n.\r\n").split("\r\n").collect();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test]
async fn a_mail_says_who_has_used_how_much() {
    let server = Smtp::start(Manners::default()).await;
    let notifier = start(&options(&server, 1));
    let alert = &alerts("5", &["4"], "4.123456789")[0];
    notifier.notify(
        Notice::of_alert(alert).about(Holder { workspace: Some("ws-1".to_owned()), ..Holder::default() }),
    );
    assert_eq!(closed(notifier).await[0].sent, 1);
    let mail = server.mails().remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str(), mail.encrypted),
        ("gate@example.com", "ops@example.com", false)
    );
    for header in [
        "From: Tidegate <gate@example.com>\r\n",
        "To: <ops@example.com>\r\n",
        "Subject: Tidegate: api key 'my-app' has used 4 USD (80%) of its budget\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
    ] {
        assert!(mail.data.contains(header), "{header}: {}", mail.data);
    }
    assert!(mail.data.contains(" +0000\r\nMessage-ID: <ntc_"), "{}", mail.data);
    assert!(
        mail.data.split("\r\n").all(|line| line.len() <= 78 || line.starts_with("Message-ID")),
        "{}",
        mail.data
    );
    let text = text(&mail.data);
    assert!(
        text.starts_with(
            "api key: my-app\r\nused: 4.1235 USD of 5 USD\r\nworkspace: ws-1\r\nstarts anew: never\r\n"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_name_begins_no_header_of_its_own() {
    for first in ["a", "é"] {
        let server = Smtp::start(Manners::default()).await;
        let notifier = start(&options(&server, 1));
        let mut alert = alerts("5", &[], "5").remove(0);
        alert.scope = Scope::Workspace;
        alert.id = format!("{first}\r\nBcc: <evil@example.com>\r\n.\r\nRCPT TO:<evil@example.com>");
        notifier.notify(Notice::of_alert(&alert));
        closed(notifier).await;
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        let data = &mails[0].data;
        assert!(!data.contains("\r\nBcc:") && !data.contains("\r\n.\r\nRCPT"), "{data}");
        assert!(data.contains("\r\nSubject: =?utf-8?B?"), "{data}");
        assert_eq!(text(data).lines().filter(|line| line.contains("evil")).count(), 1, "{}", text(data));
    }
}

#[tokio::test]
async fn everyone_is_written_to_once_and_one_who_is_refused_keeps_it_from_nobody() {
    let server = Smtp::start(Manners { refused: vec!["gone@example.com"], ..Manners::default() }).await;
    let notifier = start(&options(&server, 3));
    let others = ["gone@example.com", "team@example.com", "ops@example.com", "no address"];
    notifier.notify(Notice::test(1).to(others.map(str::to_owned).to_vec()));
    let counts = closed(notifier).await.remove(0);
    let to: Vec<_> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["ops@example.com", "team@example.com"]);
    assert_eq!((counts.sent, counts.failed, counts.retries), (2, 2, 0));
}

#[tokio::test]
async fn a_server_that_puts_it_off_is_asked_again() {
    let server = Smtp::start(Manners { put_off: 2, ..Manners::default() }).await;
    let notifier = start(&options(&server, 3));
    notifier.notify(Notice::test(1));
    let counts = closed(notifier).await.remove(0);
    assert_eq!((counts.sent, counts.retries, server.mails().len()), (1, 2, 1));
}

#[tokio::test]
async fn the_password_goes_over_tls_only() {
    for (security, wrapped) in [(Security::StartTls, false), (Security::Tls, true)] {
        let identity = Identity::new(Flaw::Untrusted);
        let server =
            Smtp::start(Manners { tls: Some(identity.acceptor.clone()), wrapped, ..Manners::default() })
                .await;
        let mut trusting = options(&server, 1);
        let mail = trusting.mail.as_mut().unwrap();
        mail.security = security;
        mail.user = Some("gate".to_owned());
        mail.password = Some(Secret::from("secret"));
        let doubting = trusting.clone();
        trusting.mail.as_mut().unwrap().extra_ca_pem = Some(identity.certificate_pem.clone().into_bytes());

        let notifier = start(&doubting);
        notifier.notify(Notice::test(1));
        let counts = closed(notifier).await.remove(0);
        assert_eq!((counts.failed, server.mails().len()), (1, 0), "{security:?}: a certificate nobody knows");
        assert!(!format!("{counts:?}").contains("secret"));

        let notifier = start(&trusting);
        notifier.notify(Notice::test(1));
        let counts = closed(notifier).await.remove(0);
        assert_eq!(counts.sent, 1, "{security:?}: {counts:?}");
        let mail = server.mails().remove(0);
        // AUTH PLAIN of "\0gate\0secret".
        assert_eq!(
            (mail.encrypted, mail.auth.as_deref()),
            (true, Some("AUTH PLAIN AGdhdGUAc2VjcmV0")),
            "{security:?}"
        );
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let server = Smtp::start(Manners::default()).await;
    let mut options = options(&server, 1);
    options.mail.as_mut().unwrap().security = Security::StartTls;
    let notifier = start(&options);
    notifier.notify(Notice::test(1));
    assert_eq!(closed(notifier).await[0].failed, 1);
    assert!(server.mails().is_empty());
}
