//! Whose address a request has.

use std::net::{IpAddr, SocketAddr};

use super::Networks;

/// The client's address: the peer's, unless the peer is one of the operator's own proxies. Then it is the right-most
/// address in `X-Forwarded-For` that is none of them, because each of them wrote the one it saw at the right end, and
/// whatever stands left of a stranger is the stranger's word.
///
/// `forwarded` are the values of all headers of that name, in their order. An entry that is no address ends the search at
/// the proxy that wrote it; when all are proxies, the left-most is the client.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    proxies: &Networks,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let mut hops = forwarded.rev().flat_map(|value| value.rsplit(','));
    while proxies.contains(client) {
        match hops.next().and_then(address) {
            Some(hop) => client = hop,
            None => break,
        }
    }
    client
}

/// `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:567`: proxies write all of these.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).filter(|hop| hop.contains(':'));
    let parsed = bare.unwrap_or(hop).parse::<IpAddr>().ok();
    let address = parsed.or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &str) -> String {
        let proxies = Networks::parse_list("P", proxies).unwrap();
        client_address(peer.parse().unwrap(), forwarded.iter().copied(), &proxies).to_string()
    }

    #[test]
    fn only_named_proxies_are_believed() {
        for (peer, forwarded, client_is) in [
            ("9.9.9.9", &["1.1.1.1"][..], "9.9.9.9"),
            ("::ffff:9.9.9.9", &["1.1.1.1"], "9.9.9.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("::ffff:10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["10.0.0.9, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["6.6.6.6", "1.1.1.1, 10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["1.1.1.1", "10.0.0.2"], "1.1.1.1"),
            ("2001:db8::1", &["[2001:db9::5]:443"], "2001:db9::5"),
            ("2001:db8::1", &["[2001:db9::5]"], "2001:db9::5"),
            ("2001:db8::1", &["2001:db9::5, 2001:db8::2"], "2001:db9::5"),
            ("10.0.0.1", &["1.1.1.1:5678"], "1.1.1.1"),
            ("10.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1"),
        ] {
            assert_eq!(
                client(peer, forwarded, "10.0.0.0/8, 2001:db8::/32"),
                client_is,
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn without_proxies_the_header_is_nothing() {
        assert_eq!(client("127.0.0.1", &["1.1.1.1"], ""), "127.0.0.1");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        for entry in ["unknown", "", "1.1.1.1.1", "[1.1.1.1]", "_hidden", "1.1.1.1:99999", "for=1.1.1.1"] {
            assert_eq!(
                client("10.0.0.1", &[&format!("6.6.6.6, {entry}")], "10.0.0.0/8"),
                "10.0.0.1",
                "{entry}"
            );
            let chain = format!("6.6.6.6, {entry}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[&chain], "10.0.0.0/8"), "10.0.0.2", "{entry}");
        }
    }

    #[test]
    fn no_header_is_too_odd() {
        const PIECES: [&str; 14] =
            ["10.0.0.1", ",", ":", "[", "]", "::1", " ", "6.6.6.6", "%", "/8", "é", ".", "65536", "\0"];
        let proxies = Networks::parse_list("P", "10.0.0.0/8, ::1").unwrap();
        for seed in 0..20_000 {
            let chance = &mut crate::testing::Chance(seed);
            let text: String = (0..chance.below(12)).map(|_| chance.one_of(&PIECES)).collect();
            let header = [text.as_str(), "6.6.6.6", ""];
            let of = |peer: [u8; 4]| client_address(peer.into(), header.into_iter(), &proxies).to_string();
            assert_eq!(of([9, 9, 9, 9]), "9.9.9.9", "{text}");
            assert_eq!(of([10, 0, 0, 1]), "10.0.0.1", "{text}: an empty entry ends the search");
            client_address([10, 0, 0, 1].into(), header.into_iter().take(1), &proxies);
            let _ = Networks::parse_list("P", &text);
        }
    }
}
