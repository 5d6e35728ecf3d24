//! Settings: a file, the environment and the command line in, one checked [`Settings`] or every mistake out.
//!
//! Two stages: what was written (`written`), then what it means (`field`, `provider`). Nothing is read here: the
//! caller passes the file's text, the environment as a map and the arguments. The command line wins over the
//! environment, the environment over the file, the file over the defaults.
//!
//! Every field has a variable, `TIDEGATE_` and its path in capitals: `server.port` is `TIDEGATE_SERVER_PORT`, and
//! `providers.my-team.api_key` is `TIDEGATE_PROVIDERS_MY_TEAM_API_KEY`. A variable that begins so and means nothing is a
//! mistake, as is every name in the file that means nothing.

mod effective;
mod error;
mod field;
mod load;
mod provider;
mod settings;
mod sinks;
mod suggest;
mod value;
mod written;

pub use effective::Effective;
pub use error::{Errors, Place, SettingsError};
pub use load::{Inputs, load};
pub use provider::KnownProvider;
pub use settings::{
    Access, Alerts, Bodies, Budgets, Console, Database, Egress, Limits, Log, LogFormat, Models, Oidc,
    OidcRole, Otlp, PrivateTarget, Provider, RateLimits, Records, Redis, Routing, Server, Settings, Share,
    SmtpSecurity, Source, Streams, Timeouts, WebhookForm, WhenAway,
};
pub use sinks::{ClickHouse, ObjectFormat, S3, Sinks};
pub use written::{Argument, CONFIG_VARIABLE, OTHER_VARIABLES, SettingsFile};

/// A settings file that writes every default down, for people to start from.
pub const EXAMPLE: &str = include_str!("../data/tidegate.toml");
