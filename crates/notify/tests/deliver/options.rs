//! Options that cannot be meant are told before anything is started.

use std::sync::Arc;

use tidegate_core::{Clock, Secret};
use tidegate_notify::{Form, Mail, Notifier, Options, Security, Webhook};
use tidegate_upstream::{Egress, EgressSettings};

use crate::Fixed;

fn mistake(options: &Options) -> String {
    let egress = Egress::new(EgressSettings::default()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Fixed);
    Notifier::start(options, &egress, &clock).expect_err("it is a mistake").to_string()
}

fn mail() -> Mail {
    Mail {
        host: "smtp.example.com".to_owned(),
        port: 587,
        security: Security::StartTls,
        user: Some("u".to_owned()),
        password: Some(Secret::from("hunter-2-hunter")),
        from: "gate@example.com".to_owned(),
        to: Vec::new(),
        extra_ca_pem: None,
    }
}

#[tokio::test]
async fn webhooks() {
    for (url, secret, field) in [
        ("", None, "webhooks[0].url: "),
        ("hooks.example.com/key", None, "webhooks[0].url: "),
        ("ftp://hooks.example.com/key", None, "webhooks[0].url: "),
        ("https://user:key@hooks.example.com", None, "webhooks[0].url: has a user in it"),
        ("https://hooks.example.com/key", Some("key"), "webhooks[0].secret: is too short"),
        ("https://hooks.example.com/key", Some("whsec_key?"), "webhooks[0].secret: what follows `whsec_`"),
    ] {
        let webhook = Webhook { url: Secret::from(url), form: Form::Json, secret: secret.map(Secret::from) };
        let options = Options { webhooks: vec![webhook], ..Options::default() };
        let said = mistake(&options);
        assert!(said.starts_with(field), "{url}: {said}");
        assert!(!said.contains("key") && !format!("{options:?}").contains("key"), "{said}");
    }
}

#[tokio::test]
async fn mails() {
    for (mail, said) in [
        (Mail { host: " ".to_owned(), ..mail() }, "mail.host: is empty"),
        (Mail { from: "nobody".to_owned(), ..mail() }, "mail.from: `nobody` is no mail address"),
        (
            Mail { to: vec!["a@b".to_owned(), "x y@b".to_owned()], ..mail() },
            "mail.to: `x y@b` is no mail address",
        ),
        (Mail { security: Security::None, ..mail() }, "mail.security: would send the password in clear"),
        (Mail { password: None, ..mail() }, "mail.password: is missing"),
        (Mail { user: None, ..mail() }, "mail.user: is missing"),
        (
            Mail { extra_ca_pem: Some(b"-----BEGIN CERTIFICATE-----\n?".to_vec()), ..mail() },
            "mail.extra_ca_file: ",
        ),
    ] {
        let options = Options { mail: Some(mail), ..Options::default() };
        let text = mistake(&options);
        assert!(text.starts_with(said), "{said}: {text}");
        assert!(!text.contains("hunter-2") && !format!("{options:?}").contains("hunter-2-hunter"));
    }
}
