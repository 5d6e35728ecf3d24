//! The admin API: keys, workspaces, people, and the audit log, over the store.
//!
//! [`Api::serve`] takes a whole request and gives a whole answer. The way there: the route, from `access`'s table; the
//! sender, from an API key or a sign-in's cookie; whether the sender may do this anywhere (nothing is read before); the
//! handler, from this crate's table; and in it, whether the sender may do this to that very object. Every change goes
//! through the store with who did it and from where, and so into the audit log.
//!
//! A handler is a function from the call, its query and its body to a reply. The types of these say what is read and
//! written, and the description at `/openapi.json` is made from them (`openapi`).
//!
//! [`principal`] says who somebody is; the data plane uses it as well. Times are milliseconds since 1970.

mod alerts;
mod analytics;
mod api;
mod api_keys;
mod audit_logs;
mod authenticate;
mod body;
mod books;
mod call;
mod configs;
mod connection;
mod disclose;
mod endpoint;
mod exports;
mod feedback;
mod find;
mod first_start;
mod flag;
mod held;
mod integrations;
mod invitation;
mod invites;
mod key_text;
mod limits;
mod listing;
mod logs;
mod members;
mod metadata;
mod oidc;
mod openapi;
mod organisation;
mod patch;
mod policies;
mod prices;
pub mod principal;
mod problem;
mod providers;
mod read;
mod records;
mod reply;
mod retention;
mod roles;
mod saved_views;
mod session;
mod settings_view;
mod standing;
mod switches;
mod table;
mod tails;
mod tell;
mod timestamp;
mod traces;
mod tries;
pub mod usage;
mod users;
mod virtual_keys;
mod workspaces;

pub use alerts::{Counts as AlertCounts, Delivered, Lookout, Messenger};
pub use api::{Api, ApiOptions};
pub use body::{Body, BrokenOff, Flow};
pub use books::Books;
pub use first_start::{AdminKey, FirstStart, KeepKey, first_start, sign_in_link};
pub use oidc::{Fetch, OidcOptions};
pub use policies::rule as policy;
pub use problem::{Cause, Problem};
pub use records::{Records, Shelf};
pub use settings_view::SettingsView;
pub use tails::{TailCounts, Tails, Tee};
pub use timestamp::Timestamp;
pub use usage::{
    Counted, Held, HeldPart, ResetError, Resolution, ResolveError, Resolving, Standing, Subject, Usage,
};
