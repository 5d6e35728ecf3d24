//! Which addresses may come.

mod client;

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::rule::{RuleError, shown};

pub use client::client_address;

/// Networks, as an operator lists them. Addresses stand for themselves; IPv4 addresses in IPv6 clothes
/// (`::ffff:10.0.0.1`) are IPv4 addresses, in the list and when they are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Lists of addresses that may and may not come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpRules {
    /// When not empty, nobody else may.
    pub allow: Networks,
    /// Goes before `allow`.
    pub deny: Networks,
}

/// Why an address may not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpRefusal {
    Denied,
    NotAllowed,
}

impl Networks {
    /// Reads one entry each: `10.0.0.0/8`, `::1`, `2001:db8::/32`. Bits behind the prefix are allowed and ignored.
    /// `field` is the list's name; the error has the entry's place in it.
    pub fn parse<'a>(field: &str, entries: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let entries = entries.into_iter().enumerate();
        let networks = entries.map(|(i, entry)| {
            network(entry.trim()).ok_or_else(|| {
                let problem = format!("`{}` is no address and no network", shown(entry));
                RuleError::new(
                    &format!("{field}[{i}]"),
                    problem,
                    "such as 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32",
                )
            })
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Reads a list with commas, as in OpenAI-Forward's environment. Empty entries are skipped.
    pub fn parse_list(field: &str, text: &str) -> Result<Self, RuleError> {
        Self::parse(field, text.split(',').filter(|entry| !entry.trim().is_empty()))
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IpRules {
    pub fn check(&self, address: IpAddr) -> Result<(), IpRefusal> {
        if self.deny.contains(address) {
            Err(IpRefusal::Denied)
        } else if !self.allow.is_empty() && !self.allow.contains(address) {
            Err(IpRefusal::NotAllowed)
        } else {
            Ok(())
        }
    }
}

fn network(entry: &str) -> Option<IpNet> {
    let network = match entry.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(entry.parse::<IpAddr>().ok()?),
    };
    match network {
        IpNet::V6(network) => Some(unmapped(network).map_or(IpNet::V6(network), IpNet::V4)),
        IpNet::V4(_) => Some(network),
    }
}

/// The IPv4 network that `::ffff:a.b.c.d/(96 + n)` means.
fn unmapped(network: Ipv6Net) -> Option<Ipv4Net> {
    let address = network.addr().to_ipv4_mapped()?;
    Ipv4Net::new(address, network.prefix_len().checked_sub(96)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_contain_what_they_say() {
        let networks =
            Networks::parse_list("L", "10.0.0.0/8, 192.168.1.7/24,, ::1 ,2001:db8::/32,::ffff:9.9.9.0/120");
        let networks = networks.unwrap();
        for (address, inside) in [
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("192.168.1.255", true),
            ("192.168.2.0", false),
            ("::ffff:10.1.2.3", true),
            ("::ffff:11.1.2.3", false),
            ("::1", true),
            ("::2", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("9.9.9.255", true),
            ("::ffff:9.9.9.1", true),
            ("9.9.8.255", false),
            // The old "compatible" form is not the mapped one.
            ("::10.1.2.3", false),
        ] {
            assert_eq!(networks.contains(ip(address)), inside, "{address}");
        }
        let everything = Networks::parse("L", ["0.0.0.0/0", "::/0"]).unwrap();
        assert!(everything.contains(ip("8.8.8.8")) && everything.contains(ip("::ffff:8.8.8.8")));
        assert!(!Networks::parse("L", ["::/0"]).unwrap().contains(ip("::ffff:8.8.8.8")), "IPv4 is not IPv6");
    }

    #[test]
    fn wrong_entries_are_named() {
        for (entry, place) in [
            ("1.1.1.1,10.0.0.0/33", "L[1]: `10.0.0.0/33`"),
            ("10.0.0", "L[0]: `10.0.0`"),
            ("example.com", "L[0]: `example.com`"),
            ("fe80::1%eth0", "L[0]: `fe80::1%eth0`"),
            ("010.0.0.1", "L[0]: `010.0.0.1`"),
        ] {
            let error = Networks::parse_list("L", entry).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
        assert!(Networks::parse_list("L", " ,").unwrap().is_empty());
    }

    #[test]
    fn deny_goes_before_allow() {
        let list = |text| Networks::parse_list("L", text).unwrap();
        let rules = |allow, deny| IpRules { allow: list(allow), deny: list(deny) };
        for (allow, deny, address, expected) in [
            ("", "", "1.2.3.4", Ok(())),
            ("", "1.2.3.4", "1.2.3.4", Err(IpRefusal::Denied)),
            ("", "1.2.3.4", "::ffff:1.2.3.4", Err(IpRefusal::Denied)),
            ("", "1.2.3.4", "1.2.3.5", Ok(())),
            ("10.0.0.0/8", "", "10.1.1.1", Ok(())),
            ("10.0.0.0/8", "", "11.1.1.1", Err(IpRefusal::NotAllowed)),
            ("10.0.0.0/8", "10.1.0.0/16", "10.1.1.1", Err(IpRefusal::Denied)),
            ("10.0.0.0/8", "10.1.0.0/16", "10.2.1.1", Ok(())),
        ] {
            assert_eq!(rules(allow, deny).check(ip(address)), expected, "{allow} {deny} {address}");
        }
    }
}
