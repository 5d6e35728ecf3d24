//! Every way in: method, path, what it asks of its caller, and how it is metered.
//!
//! A [`Route`] is made whole or not at all: there is no constructor without a permission (or the reason why it is
//! public) and none without a way of metering. The tables are [`CONTROL`] and [`DATA`]; [`Router`] finds the one route
//! of a request, once, from the request target alone.

mod control;
mod data;
mod path;
mod router;
#[cfg(test)]
mod tests;

use http::Method;

pub use control::CONTROL;
pub use data::DATA;
pub use router::{Found, NAMES, Router, TableError};

use crate::permission::Permission;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    verbs: Verbs,
    template: &'static str,
    access: Access,
    metering: Metering,
    body: Body,
}

/// How much a request may bring that the gateway reads as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// An object of the API: little.
    Object,
    /// What programs tell, many things at once.
    Intake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public(Public),
    Needs(Permission),
}

/// Why nobody has to say who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Public {
    /// Says that the process is there, as the reference does.
    Greeting,
    /// Asked by machines that have no key: alive, ready, figures of the process.
    Probe,
    /// The same for everybody and printed in the documentation anyway: prices, the description of the API.
    Catalogue,
    /// Somebody's way in and out: the link or the cookie in the request is looked at by whoever serves it.
    SignIn,
    /// A download whose link is the credential, looked at by whoever serves it: it ends, and is fetched without headers.
    SignedLink,
}

/// What a request on the route is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    /// Nobody to charge: bounded by address.
    ByAddress,
    /// Spends nothing at a provider: counts as a request of its key, and changes go to the audit log.
    Control,
    Data(Meter),
}

/// How a call that may reach a provider is charged. There is no "not at all".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meter {
    /// The worst case is reserved, the usage that comes back is settled.
    Usage,
    /// Any call of the provider's: a request, and the usage that its answer turns out to hold.
    Tapped,
    /// One request, at a price of its own if it has one.
    Request,
    /// Work that the provider does and bills later: the request now, the usage when it is fetched.
    Deferred,
    /// As long as it lasts: settled every few seconds, and cut when nothing is left.
    Session,
}

impl Route {
    pub const fn public(verbs: Verbs, template: &'static str, reason: Public) -> Self {
        Self::new(verbs, template, Access::Public(reason), Metering::ByAddress)
    }

    pub const fn control(verbs: Verbs, template: &'static str, permission: Permission) -> Self {
        Self::new(verbs, template, Access::Needs(permission), Metering::Control)
    }

    /// As [`Route::control`], for programs that tell of many things at once.
    pub const fn intake(verbs: Verbs, template: &'static str, permission: Permission) -> Self {
        let route = Self::control(verbs, template, permission);
        Self { body: Body::Intake, ..route }
    }

    pub const fn data(verbs: Verbs, template: &'static str, permission: Permission, meter: Meter) -> Self {
        Self::new(verbs, template, Access::Needs(permission), Metering::Data(meter))
    }

    const fn new(verbs: Verbs, template: &'static str, access: Access, metering: Metering) -> Self {
        Self { verbs, template, access, metering, body: Body::Object }
    }

    pub fn verbs(&self) -> Verbs {
        self.verbs
    }

    /// `/v1/configs/{slug}`: `{name}` is one segment, `{*name}` at the end all that are left.
    pub fn template(&self) -> &'static str {
        self.template
    }

    pub fn access(&self) -> Access {
        self.access
    }

    pub fn metering(&self) -> Metering {
        self.metering
    }

    pub fn body(&self) -> Body {
        self.body
    }
}

/// A set of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbs(u8);

impl Verbs {
    /// With HEAD, which is GET without a body.
    pub const GET: Verbs = Verbs(1);
    pub const POST: Verbs = Verbs(2);
    pub const PUT: Verbs = Verbs(4);
    pub const DELETE: Verbs = Verbs(8);
    /// Whatever a provider may understand.
    pub const ANY: Verbs = Verbs(0xff);
    const OTHER: Verbs = Verbs(16);

    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::GET,
            Method::POST => Self::POST,
            Method::PUT => Self::PUT,
            Method::DELETE => Self::DELETE,
            _ => Self::OTHER,
        }
    }

    pub const fn or(self, other: Verbs) -> Self {
        Self(self.0 | other.0)
    }

    pub fn overlaps(self, other: Verbs) -> bool {
        self.0 & other.0 != 0
    }
}

/// All routes of the gateway.
pub fn table() -> impl Iterator<Item = Route> {
    CONTROL.iter().chain(DATA).copied()
}
