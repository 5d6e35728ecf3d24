//! Which IP addresses are the public internet's, which are private, and which are never an upstream.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{HostRefusal, HostRules};

/// What kind of place an address is, for this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    /// Loopback and private networks: fine when the gateway itself is reachable from there only.
    Private,
    Never(&'static str),
}

const METADATA: Place = Place::Never("is a cloud metadata service");
const LINK_LOCAL: Place = Place::Never("is a link-local address");
const RESERVED: Place = Place::Never("is a reserved or multicast address");

/// Refuses an address that is private, unless the rules allow that, or that is never an upstream. Knows no
/// trusted hosts.
pub(super) fn check_address(address: IpAddr, rules: &HostRules) -> Result<(), HostRefusal> {
    let place = match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    };
    match place {
        Place::Public => Ok(()),
        Place::Private if rules.allow_private => Ok(()),
        Place::Private => Err(HostRefusal("is a private address")),
        Place::Never(reason) => Err(HostRefusal(reason)),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        // AWS, Azure, GCP and most others; Alibaba; Oracle.
        [169, 254, 169, _] | [100, 100, 100, 200] | [192, 0, 0, 192] => METADATA,
        [169, 254, ..] => LINK_LOCAL,
        [0, ..] | [224..=255, ..] => RESERVED,
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Place::Private,
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    if let Some(inner) = carried_v4(address) {
        return place_v4(inner);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Private,
        // AWS and GCP.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] => METADATA,
        [0xfc00..=0xfdff, ..] | [0x0064, 0xff9b, 0x0001, ..] => Place::Private,
        [0xfe80..=0xfebf, ..] => LINK_LOCAL,
        // Teredo hides an address of its own; fec0::/10 was private once; 100::/64 discards.
        [0x2001, 0, ..] | [0xfec0..=0xffff, ..] | [0x0100, 0, 0, 0, ..] => RESERVED,
        [0, ..] => RESERVED,
        _ => Place::Public,
    }
}

/// The IPv4 address that a packet to `address` would reach: mapped, compatible, NAT64 or 6to4.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let cases = [
            ("8.8.8.8", Place::Public),
            ("172.15.0.1", Place::Public),
            ("172.32.0.1", Place::Public),
            ("100.63.255.255", Place::Public),
            ("223.255.255.255", Place::Public),
            ("10.0.0.1", Place::Private),
            ("172.16.0.1", Place::Private),
            ("172.31.255.255", Place::Private),
            ("192.168.1.1", Place::Private),
            ("127.0.0.2", Place::Private),
            ("100.64.0.1", Place::Private),
            ("100.127.255.255", Place::Private),
            ("169.254.169.254", METADATA),
            ("100.100.100.200", METADATA),
            ("169.254.1.1", LINK_LOCAL),
            ("0.0.0.0", RESERVED),
            ("0.1.2.3", RESERVED),
            ("224.0.0.1", RESERVED),
            ("255.255.255.255", RESERVED),
            ("2606:4700::1111", Place::Public),
            ("::1", Place::Private),
            ("fd12:3456::1", Place::Private),
            ("fc00::1", Place::Private),
            ("fd00:ec2::254", METADATA),
            ("fe80::1", LINK_LOCAL),
            ("fec0::1", RESERVED),
            ("ff02::1", RESERVED),
            ("::", RESERVED),
            ("2001:0:1::1", RESERVED),
            ("::ffff:8.8.8.8", Place::Public),
            ("::ffff:10.0.0.1", Place::Private),
            ("::ffff:169.254.169.254", METADATA),
            ("::169.254.169.254", METADATA),
            ("::ffff:0:169.254.169.254", METADATA),
            ("64:ff9b::169.254.169.254", METADATA),
            ("2002:a9fe:a9fe::1", METADATA),
        ];
        for (text, expected) in cases {
            let place = match text.parse().unwrap() {
                IpAddr::V4(address) => place_v4(address),
                IpAddr::V6(address) => place_v6(address),
            };
            assert_eq!(place, expected, "{text}");
        }
    }
}
