//! One thing that was told, whatever form it came in.

use std::str::FromStr;

use http::Uri;
use http::header::HOST;
use serde_json::{Map, Value};
use tidegate_core::Usage;

use crate::call::Call;

/// Text is empty where there is none.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) trace: String,
    pub(super) span: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// Microseconds since 1970; `None`: nobody said.
    pub(super) start_us: Option<u64>,
    pub(super) duration_us: u64,
    pub(super) status: Option<u16>,
    pub(super) is_error: bool,
    pub(super) reason: String,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) attributes: Map<String, Value>,
    pub(super) input: Option<Content>,
    pub(super) output: Option<Content>,
    /// It is a call of a model.
    pub(super) call: Option<ModelCall>,
    pub(super) source: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct ModelCall {
    pub(super) provider: String,
    pub(super) asked_model: String,
    pub(super) model: String,
    pub(super) route: &'static str,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) stream: bool,
    pub(super) finish: String,
    pub(super) usage: Option<Usage>,
    /// It came through this gateway, which has a record of it: its cost and tokens are not counted a second time.
    pub(super) is_ours: bool,
}

/// What went in or came out.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

/// By what a call that came through this gateway is known.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// Names with ports, in small letters.
    pub(super) hosts: Vec<String>,
}

impl Origin {
    pub(super) fn of(call: &Call) -> Self {
        let said = call.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let public = host_of(&call.api.options.public_url);
        Self { hosts: said.into_iter().chain(public).collect() }
    }

    /// Whether it is a host of ours, whose port may be the usual one and left out.
    pub(super) fn is_host(&self, host: &str, port: Option<u64>) -> bool {
        let host = host.to_ascii_lowercase();
        let usual = port.is_none_or(|port| port == 443 || port == 80);
        let with_port = port.map(|port| format!("{host}:{port}"));
        self.hosts.iter().any(|own| (usual && *own == host) || Some(own) == with_port.as_ref())
    }

    pub(super) fn is(&self, url: &str) -> bool {
        host_of(url).is_some_and(|host| self.hosts.contains(&host))
    }
}

fn host_of(url: &str) -> Option<String> {
    Some(Uri::from_str(url).ok()?.authority()?.as_str().to_ascii_lowercase())
}
