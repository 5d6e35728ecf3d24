//! Mail over SMTP.

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{Address, AsyncTransport as _, Tokio1Executor};
use tidegate_core::FieldError;

use crate::channel::Trouble;
use crate::message;
use crate::notice::Notice;
use crate::options::{Mail, Security};

pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Address,
    to: Vec<Address>,
}

impl Mailer {
    /// `field` is where it is written, for the errors. Reads the machine's root certificates, which blocks for some
    /// milliseconds.
    pub(crate) fn new(field: &str, options: &Mail) -> Result<Self, FieldError> {
        let wrong = |member: &str, problem: String, expected: &str| {
            FieldError::new(&format!("{field}.{member}"), problem, expected)
        };
        let address = |member: &str, text: &str| {
            let address = text.trim().parse::<Address>();
            address.map_err(|error| {
                wrong(member, format!("`{text}` is no mail address: {error}"), "name@example.com")
            })
        };
        if options.host.trim().is_empty() {
            return Err(wrong("host", "is empty".to_owned(), "the name of a mail server"));
        }
        let is_here = matches!(options.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if options.password.is_some() && options.security == Security::None && !is_here {
            let problem = "would send the password in clear".to_owned();
            return Err(wrong("security", problem, "starttls or tls"));
        }
        let tls = match options.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(parameters(field, options)?),
            Security::Tls => Tls::Wrapper(parameters(field, options)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(options.host.as_str())
            .port(options.port)
            .tls(tls);
        match (&options.user, &options.password) {
            (Some(user), Some(password)) => {
                builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
            }
            (None, None) => {}
            (Some(_), None) => {
                return Err(wrong("password", "is missing".to_owned(), "one that goes with the user"));
            }
            (None, Some(_)) => {
                return Err(wrong("user", "is missing".to_owned(), "one that goes with the password"));
            }
        }
        Ok(Self {
            transport: builder.build(),
            host: options.host.clone(),
            from: address("from", &options.from)?,
            to: options.to.iter().map(|to| address("to", to)).collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn name(&self) -> String {
        format!("mail {}", self.host)
    }

    /// Who gets every notice.
    pub(crate) fn to(&self) -> &[Address] {
        &self.to
    }

    pub(crate) async fn deliver(&self, notice: &Notice, to: &Address) -> Result<(), Trouble> {
        let envelope = Envelope::new(Some(self.from.clone()), vec![to.clone()]);
        let envelope = envelope.map_err(|error| Trouble::Lasting { reason: error.to_string() })?;
        let text = message::of(notice, &self.from, to);
        self.transport.send_raw(&envelope, text.as_bytes()).await.map(|_| ()).map_err(|error| trouble(&error))
    }
}

fn parameters(field: &str, options: &Mail) -> Result<TlsParameters, FieldError> {
    let wrong = |member: &str, error: &SmtpError| {
        FieldError::new(
            &format!("{field}.{member}"),
            error.to_string(),
            "a server's name, and certificates in PEM",
        )
    };
    let mut builder = TlsParameters::builder(options.host.clone());
    if let Some(pem) = &options.extra_ca_pem {
        let certificate = Certificate::from_pem(pem).map_err(|error| wrong("extra_ca_file", &error))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| wrong("host", &error))
}

/// A 5xx of the server lasts; what it says may hold addresses, but nothing that we did not send.
fn trouble(error: &SmtpError) -> Trouble {
    let reason = error.to_string();
    if error.is_permanent() || error.is_client() {
        Trouble::Lasting { reason }
    } else {
        Trouble::Passing { reason, after: None }
    }
}
