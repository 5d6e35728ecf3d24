//! Who may do what: API keys, tokens, scopes, roles, and what each route asks for.
//!
//! A request passes here in this order. [`route`] says what its method and path need. [`carrier`] finds the key among
//! its headers, [`key`] and [`jwt`] say whose it is and whether it is good, [`door`] says when none is needed.
//! [`authorize()`] then lets the [`Principal`] do what the route's permission names, in one workspace, or says which
//! scope is missing. Nothing here does I/O, keeps state or reads a clock.

pub mod authorize;
pub mod carrier;
pub mod door;
pub mod id;
pub mod jwt;
pub mod key;
pub mod permission;
pub mod principal;
pub mod refusal;
pub mod role;
pub mod route;
pub mod scope;
pub mod switch;
#[cfg(test)]
mod testing;

pub use authorize::{Denied, Granted, Resource, admit, authorize, may_grant};
pub use carrier::{Carried, Reading, carried};
pub use id::{KeyId, OrganisationId, UserId, Workspace, WorkspaceId};
pub use key::{KeyHash, KeyHasher, KeyKind};
pub use permission::{KeyAction, Permission};
pub use principal::{Chosen, Defaults, Membership, Place, Principal, Reach, Who};
pub use refusal::{Plane, Reason, Refusal};
pub use role::{OrganisationRole, Person, WorkspaceRole};
pub use route::{Access, Meter, Metering, Public, Route, Router, TableError, Verbs};
pub use scope::{Scope, ScopeSet, UnknownScope};
pub use switch::{Columns, LogView, Switch, Switches};
