//! How a provider is reached, as it is entered and shown: shared by virtual keys, providers and integrations.
//!
//! Members become options of the gateway's configs. Options that say whose server is called are the destination's: a
//! stored credential does not outlive their change. The other ones are settings, and secret ones go into the credential.

mod deployment;
mod entry;
mod field;
mod secrets;
mod shown;

use std::collections::BTreeMap;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use serde_json::{Map, Value};
use tidegate_catalog::{Base, Call as UrlCall, Endpoint, Provider, UrlError, catalog};
use tidegate_core::field::shown as quoted;
use tidegate_routing::custom_host;
use tidegate_store::StoreError;
use tidegate_store::entity::Connection;

pub(crate) use secrets::{Entered, Members, Pool};
pub(crate) use shown::{CredentialRow, Style, credentials, masked_key, settings};

use crate::call::Call;
use crate::patch::Patch;
use crate::problem::Problem;
use field::Field;
use secrets::NewPool;

/// Members of settings that are no options.
const CUSTOM_HOST: &str = "custom_host";
const HEADERS: &str = Connection::HEADERS;
const DEPLOYMENTS: &str = Connection::DEPLOYMENTS;
/// What a request's head says of its connection and its body is the gateway's to say.
const OF_THE_CONNECTION: [http::HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE];
/// The longest value of an option, in bytes.
const LONGEST: usize = 4_000;

/// What a body says about a connection.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) key: Patch<Entered>,
    pub(crate) credentials: Patch<Pool>,
    pub(crate) base_url: Patch<String>,
    pub(crate) members: Members,
    /// Where the members stand: `configurations`. Empty for the body itself, whose other members are ignored.
    pub(crate) field: &'static str,
}

/// The same, read and found good.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    row: &'static Provider,
    base_url: Patch<String>,
    custom_host: Patch<String>,
    /// `None` clears.
    options: BTreeMap<&'static str, Option<String>>,
    headers: Patch<Map<String, Value>>,
    deployments: Patch<Vec<Value>>,
    pool: NewPool,
}

/// The catalogue's row. Some clients have spellings of their own.
///
/// # Errors
/// 400 naming `field`.
pub(crate) fn row_of(field: &str, name: &str) -> Result<&'static Provider, Problem> {
    let row = catalog().get(name).or_else(|| catalog().get(&name.replace('-', "")));
    row.ok_or_else(|| {
        let problem = format!("{} is no provider that is known here", quoted(name));
        Problem::field(field, problem, "an id of the catalogue, such as openai, anthropic or azure-openai")
    })
}

impl Change {
    /// # Errors
    /// 400 naming the member.
    pub(crate) fn read(call: &Call, row: &'static Provider, input: Input) -> Result<Self, Problem> {
        let mut change = Self {
            row,
            base_url: input.base_url,
            custom_host: Patch::Keep,
            options: BTreeMap::new(),
            headers: Patch::Keep,
            deployments: Patch::Keep,
            pool: NewPool::Keep,
        };
        let mut secrets = BTreeMap::new();
        for (name, value) in input.members.0 {
            let at = if input.field.is_empty() {
                name.clone()
            } else {
                format!("{}.{}", input.field, quoted(&name))
            };
            match name.as_str() {
                CUSTOM_HOST => change.custom_host = text_patch(&at, value)?,
                HEADERS => change.headers = headers(&at, value)?,
                "deployment_config" | "azure_deployment_config" => {
                    change.deployments = deployment::read(&at, value)?;
                }
                _ => match Field::find(row, &name) {
                    Some(known) if known.is_secret && value.is_null() => {}
                    Some(known) if known.is_secret => {
                        secrets.insert(known.option.to_owned(), secrets::option(&at, value)?);
                    }
                    Some(known) => drop(change.options.insert(known.option, plain(&at, value)?)),
                    None if input.field.is_empty() => {}
                    None => {
                        let expected = "a member of this provider's configurations";
                        return Err(Problem::field(
                            &at,
                            format!("is nothing that {} knows", row.id),
                            expected,
                        ));
                    }
                },
            }
        }
        change.pool = NewPool::read(row, input.key, input.credentials, secrets)?;
        change.addresses(call)?;
        Ok(change)
    }

    /// Nobody stores an address that nobody may call.
    fn addresses(&self, call: &Call) -> Result<(), Problem> {
        let mut urls = Vec::new();
        for (name, url) in [("base_url", &self.base_url), (CUSTOM_HOST, &self.custom_host)] {
            if let Patch::Set(url) = url {
                urls.push((name, url));
            }
        }
        if let [_, (name, _)] = urls[..] {
            return Err(Problem::field(name, "stands beside base_url", "one of the two"));
        }
        let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
        for (name, value) in &self.options {
            if let Some(url) = value.as_ref().filter(|url| self.row.is_address_option(name) && is_url(url)) {
                urls.push((name, url));
            }
        }
        for (name, url) in urls {
            custom_host::check(url, &call.api.options.settings.hosts).map_err(|refusal| {
                Problem::field(
                    name,
                    refusal.reason(),
                    "the address of a provider, such as https://llm.example.org/v1",
                )
            })?;
        }
        Ok(())
    }

    /// A new connection with this in it.
    ///
    /// # Errors
    /// 400 for what is missing to reach the provider.
    pub(crate) fn made(&self, provider: &str, now: u64) -> Result<Connection, Problem> {
        let mut connection = Connection::new(provider, None);
        self.check(&connection)?;
        self.apply(&mut connection, now)?;
        Ok(connection)
    }

    /// Whether it can be applied to this connection.
    ///
    /// # Errors
    /// 400 for what is missing to reach the provider then, or for credentials that are not there.
    pub(crate) fn check(&self, connection: &Connection) -> Result<(), Problem> {
        self.pool.check(connection)?;
        let mut after = connection.clone();
        self.apply(&mut after, 0)?;
        reachable(self.row, &after)
    }

    /// # Errors
    /// The system has no random bytes.
    pub(crate) fn apply(&self, connection: &mut Connection, now: u64) -> Result<(), StoreError> {
        match &self.custom_host {
            Patch::Keep => {}
            Patch::Clear => {
                if connection.settings.remove(CUSTOM_HOST).is_some() {
                    connection.destination.base_url = None;
                }
            }
            Patch::Set(url) => {
                connection.destination.base_url = Some(self.row.base_of_custom_host(url));
                connection.settings.insert(CUSTOM_HOST.to_owned(), Value::String(url.clone()));
            }
        }
        if self.base_url != Patch::Keep {
            self.base_url.clone().apply(&mut connection.destination.base_url);
            connection.settings.remove(CUSTOM_HOST);
        }
        for (option, value) in &self.options {
            let name = (*option).to_owned();
            match value {
                Some(value) if self.row.is_address_option(option) => {
                    connection.destination.options.insert(name, value.clone());
                }
                Some(value) => drop(connection.settings.insert(name, Value::String(value.clone()))),
                None => {
                    connection.destination.options.remove(*option);
                    connection.settings.remove(*option);
                }
            }
        }
        let headers = self.headers.clone().map(|headers| kept(headers, connection.settings.get(HEADERS)));
        for (name, change) in
            [(HEADERS, headers.map(Value::Object)), (DEPLOYMENTS, self.deployments.clone().map(Value::Array))]
        {
            match change {
                Patch::Keep => {}
                Patch::Clear => drop(connection.settings.remove(name)),
                Patch::Set(value) => drop(connection.settings.insert(name.to_owned(), value)),
            }
        }
        if let Patch::Set(deployments) = &self.deployments {
            deployment::only_one(deployments, &mut connection.settings);
        }
        self.pool.apply(connection, now)
    }
}

/// Whether everything is there that the provider's address needs.
fn reachable(row: &Provider, connection: &Connection) -> Result<(), Problem> {
    let options = |name: &str| {
        let of_destination = connection.destination.options.get(name).map(String::as_str);
        of_destination.or_else(|| connection.settings.get(name).and_then(Value::as_str))
    };
    let chat = Some(Endpoint::ChatCompletions).filter(|endpoint| row.route(*endpoint).is_some());
    let Some(endpoint) = chat.or_else(|| row.endpoints().next()) else { return Ok(()) };
    let base = connection.destination.base_url.as_deref().map_or(Base::Own, Base::BaseUrl);
    let call = UrlCall { endpoint, model: "model", stream: false, base, options: &options, query: None };
    let (name, problem, expected) = match row.destination(&call) {
        Err(UrlError::MissingOptions { names, .. }) => {
            let expected = format!("what the address of {} needs: {}", row.id, names.join(", "));
            (names.first().copied().unwrap_or_default(), "is missing", expected)
        }
        Err(UrlError::BadOption { name, .. }) => {
            let expected = format!("characters that the address of {} can hold there", row.id);
            (name, "is not accepted", expected)
        }
        // What a request has to say itself.
        _ => return Ok(()),
    };
    Err(Problem::field(name, problem, expected))
}

fn text_patch(field: &str, value: Value) -> Result<Patch<String>, Problem> {
    Ok(plain(field, value)?.map_or(Patch::Clear, Patch::Set))
}

/// An option's value as text; `None` for null.
fn plain(field: &str, value: Value) -> Result<Option<String>, Problem> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(switch) => switch.to_string(),
        Value::Array(_) | Value::Object(_) => {
            return Err(Problem::field(field, "is not a text", "a text"));
        }
    };
    if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        let expected = format!("1 to {LONGEST} bytes without control characters");
        return Err(Problem::field(field, "is empty, too long, or has control characters", expected));
    }
    Ok(Some(text))
}

/// A header as it was shown, masked, means the stored one.
fn kept(mut headers: Map<String, Value>, stored: Option<&Value>) -> Map<String, Value> {
    for (name, value) in &mut headers {
        if let Some(old) = stored.and_then(|stored| stored.get(name)).filter(|_| *value == shown::MASK) {
            value.clone_from(old);
        }
    }
    headers
}

/// Headers that every request to the provider carries.
fn headers(field: &str, value: Value) -> Result<Patch<Map<String, Value>>, Problem> {
    let headers = match value {
        Value::Null => return Ok(Patch::Clear),
        Value::Object(headers) => headers,
        _ => return Err(Problem::field(field, "is not an object", "an object of names and texts")),
    };
    for (name, value) in &headers {
        let is_name =
            http::HeaderName::try_from(name.as_str()).is_ok_and(|name| !OF_THE_CONNECTION.contains(&name));
        let is_value = value.as_str().is_some_and(|value| http::HeaderValue::from_str(value).is_ok());
        if !is_name || !is_value {
            let at = format!("{field}.{}", quoted(name));
            let expected =
                "a header's name, other than those of the connection and the body, and its value as text";
            return Err(Problem::field(&at, "is no header that can be set", expected));
        }
    }
    Ok(Patch::Set(headers))
}
