//! Which upstream addresses a caller may name: a filter against requests forged through the gateway.
//!
//! It judges the text of a base URL. What a name resolves to is only known when the connection is made, and
//! judged there. URL parsers disagree about odd forms, so odd forms are refused, not interpreted.

mod address;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use address::check_address;

/// What the operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRules {
    /// Host names or addresses, in lower case, that are accepted whatever they are. `localhost` includes
    /// `*.localhost`.
    pub trusted: Vec<String>,
    /// Accept private addresses and names. Link-local, metadata and reserved addresses stay refused.
    pub allow_private: bool,
}

/// Why a URL is refused. Callers are told `Invalid custom host`; [`HostRefusal::reason`] is for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRefusal(&'static str);

/// Cloud metadata services, whose answers are credentials.
const METADATA_NAMES: [&str; 6] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.com",
    "instance-data",
    "instance-data.ec2.internal",
];
/// Suffixes of names that only a private network resolves.
const PRIVATE_SUFFIXES: [&str; 9] =
    [".local", ".localdomain", ".internal", ".intranet", ".lan", ".home", ".corp", ".test", ".localhost"];
/// Suffixes that no resolver should answer for.
const DEAD_SUFFIXES: [&str; 2] = [".invalid", ".onion"];
/// Deeper names occur in rebinding attacks, hardly elsewhere.
const MAX_LABELS: usize = 10;

impl HostRules {
    /// Trusted when the operator names none: this machine.
    pub const DEFAULT_TRUSTED: [&'static str; 4] = ["localhost", "127.0.0.1", "::1", "host.docker.internal"];

    fn trusts_name(&self, host: &str) -> bool {
        let is_trusted = |name: &str| self.trusted.iter().any(|trusted| trusted == name);
        is_trusted(host) || (host.ends_with(".localhost") && is_trusted("localhost"))
    }

    fn trusts_address(&self, address: IpAddr) -> bool {
        let bare = |text: &String| text.trim_matches(['[', ']']).parse().ok();
        self.trusted.iter().filter_map(bare).any(|trusted: IpAddr| trusted == address)
    }
}

impl Default for HostRules {
    fn default() -> Self {
        Self { trusted: Self::DEFAULT_TRUSTED.map(str::to_owned).to_vec(), allow_private: false }
    }
}

/// Checks a base URL (`https://llm.example.com:8443/v1`).
///
/// # Errors
/// The first rule that it breaks.
pub fn check(url: &str, rules: &HostRules) -> Result<(), HostRefusal> {
    let lower = url.to_ascii_lowercase();
    check_text(&lower)?;
    let (host, port) = host_and_port(authority(&lower)?)?;
    check_port(port)?;
    if let Some(literal) = host.strip_prefix('[') {
        let inner = literal.strip_suffix(']').unwrap_or(literal);
        let address: Ipv6Addr = inner.parse().map_err(|_| HostRefusal("has a malformed IPv6 address"))?;
        return check_literal(address.into(), rules);
    }
    check_name_form(host)?;
    if ends_in_number(host) {
        let address: Ipv4Addr =
            host.parse().map_err(|_| HostRefusal("writes an IPv4 address in an unusual form"))?;
        return check_literal(address.into(), rules);
    }
    check_name(host, rules)
}

fn check_text(url: &str) -> Result<(), HostRefusal> {
    if url.trim().is_empty() {
        return Err(HostRefusal("is empty"));
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(HostRefusal("contains white space or control characters"));
    }
    if url.contains("api.portkey") {
        return Err(HostRefusal("is an address of Portkey's own service"));
    }
    if url.contains('@') {
        return Err(HostRefusal("contains user information or '@'"));
    }
    Ok(())
}

fn authority(url: &str) -> Result<&str, HostRefusal> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or(HostRefusal("does not start with http:// or https://"))?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    if rest[end..].contains('\\') {
        return Err(HostRefusal("contains a backslash"));
    }
    Ok(&rest[..end])
}

/// The host, an IPv6 literal with its brackets, and the port's text.
fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), HostRefusal> {
    let host_end = match authority.find(']') {
        Some(at) if authority.starts_with('[') => at + 1,
        Some(_) => return Err(HostRefusal("has a malformed host")),
        None if authority.starts_with('[') => return Err(HostRefusal("has a malformed host")),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(HostRefusal("has a malformed host")),
    }
}

fn check_port(port: Option<&str>) -> Result<(), HostRefusal> {
    let is_port = |text: &str| {
        text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
    };
    match port {
        Some(text) if !is_port(text) => Err(HostRefusal("has a port outside of 1-65535")),
        _ => Ok(()),
    }
}

fn check_name_form(host: &str) -> Result<(), HostRefusal> {
    if host.is_empty() {
        return Err(HostRefusal("has no host"));
    }
    if !host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-') {
        return Err(HostRefusal("has a host with characters other than a-z, 0-9, '.' and '-'"));
    }
    if host.split('.').any(str::is_empty) {
        return Err(HostRefusal("has a host with an empty label or a trailing dot"));
    }
    if host.split('.').count() > MAX_LABELS {
        return Err(HostRefusal("has a host with more than 10 labels"));
    }
    Ok(())
}

/// Whether a URL parser would take the host for an IPv4 address: its last label is a number in some base.
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    is_hex || last.bytes().all(|b| b.is_ascii_digit())
}

fn check_literal(address: IpAddr, rules: &HostRules) -> Result<(), HostRefusal> {
    if rules.trusts_address(address) { Ok(()) } else { check_address(address, rules) }
}

fn check_name(host: &str, rules: &HostRules) -> Result<(), HostRefusal> {
    if rules.trusts_name(host) {
        return Ok(());
    }
    if METADATA_NAMES.contains(&host) {
        return Err(HostRefusal("is a cloud metadata service"));
    }
    let ends_with = |suffixes: &[&str]| suffixes.iter().any(|suffix| host.ends_with(suffix));
    if ends_with(&DEAD_SUFFIXES) {
        return Err(HostRefusal("has a name that cannot be resolved"));
    }
    if !rules.allow_private && (host == "localhost" || ends_with(&PRIVATE_SUFFIXES)) {
        return Err(HostRefusal("is a private name"));
    }
    Ok(())
}

impl HostRefusal {
    /// What is wrong with the URL, as the end of a sentence that starts with it.
    pub fn reason(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for HostRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invalid custom host")
    }
}

impl std::error::Error for HostRefusal {}

#[cfg(test)]
mod tests;
