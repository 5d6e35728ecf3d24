//! Which addresses the gateway may be made to call.
//!
//! Anyone who may name a custom host could otherwise reach what only the gateway can: a cloud's metadata service, an
//! admin port on loopback, a neighbour in the private network. Judgement is pure and is on addresses, not names, so it
//! does not matter how an address was written or what a name resolved to; an IPv4 address inside an IPv6 one is judged
//! as itself. The dialer connects to the very addresses judged here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What the operator allows beyond the public internet. The default allows nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Allow every [`AddressScope::Private`] address.
    pub allow_private: bool,
    /// Allow private addresses in these networks.
    pub allow: Vec<IpNet>,
    /// Allow these hosts, as the request names them, to be at private addresses: `ollama`, `10.0.0.7`, `*.corp.example`
    /// (subdomains only). `localhost` stands for its subdomains too.
    pub allow_hosts: Vec<String>,
}

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressScope {
    /// Reachable from the whole internet.
    Public,
    /// Loopback, private networks (RFC 1918, unique local), carrier NAT, and 198.18/15, which local proxies hand out as
    /// stand-in addresses: reachable only if the policy says so.
    Private,
    /// Link-local, cloud metadata, "this host", multicast, broadcast, documentation and reserved ranges: never
    /// reachable, whatever the policy says.
    Forbidden,
}

impl AddressPolicy {
    /// Whether a request to `host` (as the URL has it, without brackets) may connect to `ip`.
    pub fn permits(&self, host: &str, ip: IpAddr) -> bool {
        match AddressScope::of(ip) {
            AddressScope::Public => true,
            AddressScope::Forbidden => false,
            AddressScope::Private => self.allow_private || self.lists_address(ip) || self.lists_host(host),
        }
    }

    /// Whether a request to `host` may be left to a proxy, which resolves the name where we cannot see it. Literal
    /// addresses, in any spelling a resolver takes, are judged as addresses; names that mean this machine or a metadata
    /// service wherever they are resolved are judged as what they mean; other names pass.
    pub fn permits_unresolved(&self, host: &str) -> bool {
        if let Ok(ip) = host.parse() {
            return self.permits(host, ip);
        }
        match spelled_in_numbers(host) {
            Some(Some(ip)) => return self.permits(host, IpAddr::V4(ip)),
            Some(None) => return false,
            None => {}
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if is_or_under(&name, "localhost") {
            return self.permits(host, IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        !METADATA_NAMES.contains(&name.as_str())
    }

    fn lists_address(&self, ip: IpAddr) -> bool {
        let inner = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => embedded_v4(v6).map(IpAddr::V4),
        };
        self.allow.iter().any(|net| net.contains(&ip) || inner.is_some_and(|ip| net.contains(&ip)))
    }

    fn lists_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.allow_hosts.iter().any(|listed| {
            let listed = listed.trim_end_matches('.').to_ascii_lowercase();
            match listed.strip_prefix("*.") {
                Some(parent) => host != parent && is_or_under(&host, parent),
                None if listed == "localhost" => is_or_under(&host, "localhost"),
                None => host == listed,
            }
        })
    }
}

impl AddressScope {
    /// What kind of place `ip` is.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => scope_v4(v4),
            IpAddr::V6(v6) => match embedded_v4(v6) {
                Some(v4) => scope_v4(v4),
                None => scope_v6(v6),
            },
        }
    }
}

/// Names of metadata services that are not below a public suffix, so that no proxy can mean anything else by them.
const METADATA_NAMES: [&str; 4] =
    ["metadata", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];

/// Azure's host agent and Alibaba's metadata service: addresses that look public, or merely private.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];

fn scope_v4(ip: Ipv4Addr) -> AddressScope {
    if METADATA_V4.contains(&ip) {
        return AddressScope::Forbidden;
    }
    match ip.octets() {
        [0 | 224..=255, ..] => AddressScope::Forbidden,
        [169, 254, ..] => AddressScope::Forbidden,
        // Protocol assignments, documentation (three nets), the retired 6to4 relay.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            AddressScope::Forbidden
        }
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            AddressScope::Private
        }
        _ => AddressScope::Public,
    }
}

fn scope_v6(ip: Ipv6Addr) -> AddressScope {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressScope::Private,
        // Metadata services of AWS and Google inside the unique local range.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] => AddressScope::Forbidden,
        [0xfc00..=0xfdff, ..] => AddressScope::Private,
        // Protocol assignments (Teredo, ORCHID, benchmarks) and documentation, both inside global unicast.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => AddressScope::Forbidden,
        [0x2000..=0x3fff, ..] => AddressScope::Public,
        // Link-local, site-local, multicast, unspecified, local NAT64 and everything not assigned.
        _ => AddressScope::Forbidden,
    }
}

/// The IPv4 address a packet to this IPv6 address ends at: mapped, translated (SIIT), compatible, NAT64 and 6to4 forms.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [high, low] = match ip.segments() {
        // Unspecified and loopback look like compatible addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => [high, low],
        _ => return None,
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

/// Reads a host as `inet_aton` and resolvers built on it do: one to four parts, decimal, octal or hex, the last one
/// filling what is left. `None`: a name. `Some(None)`: ends in a number, so it is no name, and is no address either.
fn spelled_in_numbers(host: &str) -> Option<Option<Ipv4Addr>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next()?;
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) && !last.is_empty();
    if !numeric && !last.starts_with("0x") && !last.starts_with("0X") {
        return None;
    }
    Some(parts_to_v4(host))
}

fn parts_to_v4(host: &str) -> Option<Ipv4Addr> {
    let mut parts = Vec::with_capacity(4);
    for part in host.split('.') {
        if parts.len() == 4 {
            return None;
        }
        parts.push(number(part)?);
    }
    let (last, leading) = parts.split_last()?;
    let mut value: u64 = 0;
    for part in leading {
        if *part > 0xff {
            return None;
        }
        value = (value << 8) | part;
    }
    let free_bits = 8 * (4 - leading.len());
    if *last >> free_bits != 0 {
        return None;
    }
    u32::try_from((value << free_bits) | last).ok().map(Ipv4Addr::from)
}

fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&part[2..], 16),
        [b'0', _, ..] => (&part[1..], 8),
        _ => (part, 10),
    };
    match digits {
        "" if radix == 16 => Some(0),
        _ if digits.bytes().all(|b| b.is_ascii_hexdigit()) => u64::from_str_radix(digits, radix).ok(),
        _ => None,
    }
}

/// Whether `name` is `parent` or a subdomain of it. Both in lower case.
fn is_or_under(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text} is an address"))
    }

    #[test]
    fn every_range_has_its_scope() {
        let table = [
            (
                AddressScope::Public,
                "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
                 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 \
                 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2001:200::1 \
                 2002:808:808::1 64:ff9b::808:808 ::ffff:8.8.8.8 ::8.8.8.8",
            ),
            (
                AddressScope::Private,
                "10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.254 \
                 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 198.18.0.1 198.19.255.255 ::1 \
                 fc00::1 fdff:ffff::1 ::ffff:127.0.0.1 ::ffff:0:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 \
                 2002:a00:1::",
            ),
            (
                AddressScope::Forbidden,
                "0.0.0.0 0.255.255.255 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 \
                 192.0.0.192 192.0.2.1 192.88.99.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 \
                 240.0.0.1 255.255.255.255 :: fe80::1 febf::1 fec0::1 ff02::1 fd00:ec2::254 \
                 fd20:ce::254 2001::1 2001:db8::1 3fff::1 64:ff9b:1::1 100::1 4000::1 \
                 ::ffff:169.254.169.254 ::ffff:0:169.254.169.254 ::169.254.169.254 ::ffff:0.0.0.0 \
                 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::",
            ),
        ];
        for (expected, addresses) in table {
            for address in addresses.split_whitespace() {
                assert_eq!(AddressScope::of(ip(address)), expected, "{address}");
            }
        }
    }

    #[test]
    fn private_addresses_need_the_policy_and_forbidden_ones_ignore_it() {
        let closed = AddressPolicy::default();
        let open = AddressPolicy { allow_private: true, ..Default::default() };
        let nets = AddressPolicy {
            allow: vec!["10.1.0.0/16".parse().unwrap(), "169.254.0.0/16".parse().unwrap()],
            ..Default::default()
        };
        let hosts = AddressPolicy {
            allow_hosts: vec![
                "Ollama".into(),
                "*.corp.example".into(),
                "localhost".into(),
                "127.0.0.1".into(),
            ],
            ..Default::default()
        };
        let cases = [
            (&closed, "api.example", "1.1.1.1", true),
            (&closed, "api.example", "127.0.0.1", false),
            (&open, "api.example", "127.0.0.1", true),
            (&open, "api.example", "169.254.169.254", false),
            (&nets, "api.example", "10.1.2.3", true),
            (&nets, "api.example", "::ffff:10.1.2.3", true),
            (&nets, "api.example", "10.2.2.3", false),
            (&nets, "api.example", "169.254.169.254", false),
            (&hosts, "ollama", "10.0.0.1", true),
            (&hosts, "OLLAMA.", "10.0.0.1", true),
            (&hosts, "ollama.evil.example", "10.0.0.1", false),
            (&hosts, "a.corp.example", "10.0.0.1", true),
            (&hosts, "corp.example", "10.0.0.1", false),
            (&hosts, "acorp.example", "10.0.0.1", false),
            (&hosts, "app.localhost", "127.0.0.1", true),
            (&hosts, "notlocalhost", "127.0.0.1", false),
            (&hosts, "127.0.0.1", "127.0.0.1", true),
            (&hosts, "ollama", "169.254.169.254", false),
        ];
        for (policy, host, address, expected) in cases {
            assert_eq!(policy.permits(host, ip(address)), expected, "{host} at {address}");
        }
    }

    #[test]
    fn hosts_in_numbers_are_read_as_resolvers_read_them() {
        let cases = [
            ("2130706433", Some(Some("127.0.0.1"))),
            ("0x7f000001", Some(Some("127.0.0.1"))),
            ("0X7F.1", Some(Some("127.0.0.1"))),
            ("0177.0.0.1", Some(Some("127.0.0.1"))),
            ("127.1", Some(Some("127.0.0.1"))),
            ("127.0.1", Some(Some("127.0.0.1"))),
            ("10.0.258", Some(Some("10.0.1.2"))),
            ("1.2.3.4.", Some(Some("1.2.3.4"))),
            ("0", Some(Some("0.0.0.0"))),
            ("4294967296", Some(None)),
            ("256.1.1.1", Some(None)),
            ("1.2.3.4.5", Some(None)),
            ("1..1", Some(None)),
            ("09", Some(None)),
            ("api.1", Some(None)),
            ("99999999999999999999", Some(None)),
            ("api.example", None),
            ("api.example.", None),
            ("", None),
        ];
        for (host, expected) in cases {
            let expected = expected.map(|address| address.map(|a| a.parse().unwrap()));
            assert_eq!(spelled_in_numbers(host), expected, "{host:?}");
        }
    }

    #[test]
    fn names_left_to_a_proxy_pass_unless_they_mean_a_place_inside() {
        let closed = AddressPolicy::default();
        let open = AddressPolicy { allow_private: true, ..Default::default() };
        let cases = [
            (&closed, "api.openai.com", true),
            (&closed, "1.1.1.1", true),
            (&closed, "127.0.0.1", false),
            (&closed, "::1", false),
            (&closed, "2130706433", false),
            (&closed, "0x7f.1", false),
            (&closed, "1.2.3.4.5", false),
            (&closed, "localhost", false),
            (&closed, "a.LOCALHOST.", false),
            (&closed, "metadata.google.internal.", false),
            (&open, "localhost", true),
            (&open, "0x7f.1", true),
            (&open, "0xa9fea9fe", false),
            (&open, "Metadata.google.internal", false),
        ];
        for (policy, host, expected) in cases {
            assert_eq!(policy.permits_unresolved(host), expected, "{host}");
        }
    }
}
