//! Which requests go through a proxy, from the values of the customary environment variables.
//!
//! This crate reads no environment: the binary passes a look-up to [`ProxyEnv::from_lookup`]. http and https proxies are
//! spoken to; SOCKS is refused at start rather than ignored. Requests to this machine never go through a proxy. Whoever
//! set the proxy is trusted with its address; targets are judged as far as they can be
//! ([`AddressPolicy::permits_unresolved`](crate::AddressPolicy::permits_unresolved)): behind a proxy there often is no
//! resolver for outer names, so a name is left to the proxy, and a literal address is judged here.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::Authority;
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use tidegate_core::Secret;

use crate::dial::Endpoint;
use crate::error::SetupError;
use crate::percent;

/// The four variables, unparsed. The URLs may hold a password, so they are secrets.
#[derive(Debug, Clone, Default)]
pub struct ProxyEnv {
    /// For http URLs.
    pub http_proxy: Option<Secret>,
    /// For https URLs.
    pub https_proxy: Option<Secret>,
    /// For both, where the one above is not set.
    pub all_proxy: Option<Secret>,
    /// Who is reached directly: a comma-separated list of `example.com` (and its subdomains), `.example.com` (subdomains
    /// only), addresses, networks (`10.0.0.0/8`), each with an optional `:port` if it is no network, or `*` for everyone.
    pub no_proxy: Option<String>,
}

/// The proxies of one client.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    except: Exceptions,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) endpoint: Endpoint,
    /// The proxy itself is spoken to over TLS.
    pub(crate) tls: bool,
    /// The value of `proxy-authorization`, marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Exceptions(Vec<Exception>);

#[derive(Debug, PartialEq, Eq)]
enum Exception {
    Everyone,
    Network(IpNet),
    Address { ip: IpAddr, port: Option<u16> },
    Domain { name: Box<str>, subdomains_only: bool, port: Option<u16> },
}

impl ProxyEnv {
    /// Reads the variables in lower case, else in upper case; an empty one counts as not set.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str| set(name).or_else(|| set(&name.to_ascii_uppercase()));
        Self {
            http_proxy: either("http_proxy").map(Secret::from),
            https_proxy: either("https_proxy").map(Secret::from),
            all_proxy: either("all_proxy").map(Secret::from),
            no_proxy: either("no_proxy"),
        }
    }
}

impl Proxies {
    pub(crate) fn new(env: &ProxyEnv) -> Result<Self, SetupError> {
        let all = parse_proxy("ALL_PROXY", env.all_proxy.as_ref())?;
        let http = parse_proxy("HTTP_PROXY", env.http_proxy.as_ref())?.or_else(|| all.clone());
        let https = parse_proxy("HTTPS_PROXY", env.https_proxy.as_ref())?.or(all);
        if http.is_none() && https.is_none() {
            return Ok(Self::default());
        }
        let except = Exceptions::parse(env.no_proxy.as_deref().unwrap_or_default())?;
        Ok(Self { http, https, except })
    }

    /// Nothing goes through a proxy.
    pub(crate) fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// The proxy a request to `host` (without brackets) goes through.
    pub(crate) fn pick(&self, https: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if https { self.https.as_ref() } else { self.http.as_ref() }?;
        if is_this_machine(host) || self.except.cover(host, port) { None } else { Some(proxy) }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}{})", if self.tls { "https://" } else { "http://" }, self.endpoint)
    }
}

impl Exceptions {
    fn parse(list: &str) -> Result<Self, SetupError> {
        let entries = list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(Exception::parse).collect::<Result<_, _>>().map(Self)
    }

    fn cover(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse().ok();
        self.0.iter().any(|exception| exception.covers(&host, ip, port))
    }
}

impl Exception {
    fn parse(entry: &str) -> Result<Self, SetupError> {
        if entry == "*" {
            return Ok(Self::Everyone);
        }
        if let Ok(net) = entry.parse() {
            return Ok(Self::Network(net));
        }
        if let Ok(ip) = entry.trim_matches(['[', ']']).parse() {
            return Ok(Self::Address { ip, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            None => (entry, None),
            Some((host, port)) => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => {
                    return Err(SetupError(format!("NO_PROXY: {entry:?} has a port that is not a number")));
                }
            },
        };
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            return Ok(Self::Address { ip, port });
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !bare.unwrap_or(&name).chars().all(known) || bare.unwrap_or(&name).is_empty() {
            return Err(SetupError(format!(
                "NO_PROXY: {entry:?} is not a host name, an address, a network such as 10.0.0.0/8, or *"
            )));
        }
        Ok(Self::Domain { name: bare.unwrap_or(&name).into(), subdomains_only: bare.is_some(), port })
    }

    /// `host` in lower case without a trailing dot; `ip` if it is an address.
    fn covers(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::Everyone => true,
            Self::Network(net) => ip.is_some_and(|ip| net.contains(&ip)),
            Self::Address { ip: listed, port: only } => {
                ip == Some(*listed) && only.is_none_or(|only| only == port)
            }
            Self::Domain { name, subdomains_only, port: only } => {
                let matches = match host.strip_suffix(&**name) {
                    Some("") => !subdomains_only,
                    Some(rest) => rest.ends_with('.'),
                    None => false,
                };
                matches && only.is_none_or(|only| only == port)
            }
        }
    }
}

/// A proxy elsewhere would reach its own loopback, not ours.
fn is_this_machine(host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Reads `http://user:password@host:port`; the scheme may be missing. Errors name the variable, never its value.
fn parse_proxy(variable: &str, value: Option<&Secret>) -> Result<Option<Proxy>, SetupError> {
    let Some(value) = value else { return Ok(None) };
    let wrong = |what: &str| SetupError(format!("{variable}: {what}"));
    let text = value.expose().trim();
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Uri = url.parse().map_err(|_| wrong("is not a URL such as http://proxy.example:3128"))?;
    let tls = match url.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong("only http:// and https:// proxies are supported")),
    };
    let authority = url.authority().ok_or_else(|| wrong("names no host"))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong("names no host"));
    }
    let port = match port_text(authority) {
        None => {
            if tls {
                443
            } else {
                80
            }
        }
        Some(_) => authority
            .port_u16()
            .filter(|port| *port != 0)
            .ok_or_else(|| wrong("has a port that is not a number from 1 to 65535"))?,
    };
    let authorization = match authority.as_str().rsplit_once('@') {
        None => None,
        Some((userinfo, _)) => {
            Some(basic(userinfo).ok_or_else(|| wrong("has a user name that cannot be decoded"))?)
        }
    };
    Ok(Some(Proxy { endpoint: Endpoint { host: host.into(), port }, tls, authorization }))
}

/// What follows the host's colon, if anything does.
fn port_text(authority: &Authority) -> Option<&str> {
    let after_user = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, rest)| rest);
    after_user.strip_prefix(authority.host())?.strip_prefix(':').filter(|port| !port.is_empty())
}

/// `Basic` credentials from a URL's user info, whose parts are percent-encoded.
fn basic(userinfo: &str) -> Option<HeaderValue> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let mut plain = percent::decode(user)?;
    plain.push(b':');
    plain.extend(percent::decode(password)?);
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(http: &str, no_proxy: &str) -> Result<Proxies, SetupError> {
        let http_proxy = Some(Secret::from(http));
        Proxies::new(&ProxyEnv { http_proxy, no_proxy: Some(no_proxy.into()), ..Default::default() })
    }

    #[test]
    fn lower_case_wins_and_empty_is_unset() {
        let set = [
            ("http_proxy", "http://lower"),
            ("HTTP_PROXY", "http://upper"),
            ("https_proxy", " "),
            ("HTTPS_PROXY", "http://upper"),
            ("NO_PROXY", "a"),
        ];
        let env = ProxyEnv::from_lookup(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(env.http_proxy.as_ref().map(Secret::expose), Some("http://lower"));
        assert_eq!(env.https_proxy.as_ref().map(Secret::expose), Some("http://upper"));
        assert!(env.all_proxy.is_none());
        assert_eq!(env.no_proxy.as_deref(), Some("a"));
    }

    #[test]
    fn each_scheme_has_its_proxy_and_all_fills_in() {
        let secret = |text: &str| Some(Secret::from(text));
        let env = ProxyEnv { https_proxy: secret("s:1"), all_proxy: secret("a:2"), ..Default::default() };
        let chosen = Proxies::new(&env).unwrap();
        let port = |https| chosen.pick(https, "api.example", 443).map(|proxy| proxy.endpoint.port);
        assert_eq!((port(true), port(false)), (Some(1), Some(2)));
        assert!(Proxies::new(&ProxyEnv::default()).unwrap().pick(true, "api.example", 443).is_none());
    }

    #[test]
    fn a_proxy_url_is_read_or_refused_without_showing_it() {
        let cases = [
            ("http://p.example:3128", Ok("Proxy(http://p.example:3128)")),
            ("p.example:3128", Ok("Proxy(http://p.example:3128)")),
            ("http://p.example", Ok("Proxy(http://p.example:80)")),
            ("https://p.example/", Ok("Proxy(https://p.example:443)")),
            ("http://u:hunter2@[::1]:3128", Ok("Proxy(http://[::1]:3128)")),
            ("socks5://u:hunter2@p.example", Err("only http:// and https://")),
            ("http://u:hunter2@p.example:0", Err("1 to 65535")),
            ("http://u:hunter2@p.example:99999", Err("HTTP_PROXY")),
            ("http://u%zz:hunter2@p.example", Err("HTTP_PROXY")),
            ("http://hunter2 @p.example", Err("is not a URL")),
        ];
        for (url, expected) in cases {
            match (proxies(url, ""), expected) {
                (Ok(proxies), Ok(shown)) => assert_eq!(format!("{:?}", proxies.http.unwrap()), shown),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{url}: {error}");
                    assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
                }
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }

    #[test]
    fn user_info_becomes_basic_credentials() {
        let cases = [
            ("http://p.example", None),
            ("http://user:pass@p.example", Some("Basic dXNlcjpwYXNz")),
            ("http://user@p.example", Some("Basic dXNlcjo=")),
            ("http://us%40er:p%3Ass@p.example", Some("Basic dXNAZXI6cDpzcw==")),
        ];
        for (url, expected) in cases {
            let value = proxies(url, "").unwrap().http.unwrap().authorization;
            assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), expected, "{url}");
            assert!(value.is_none_or(|value| value.is_sensitive()), "{url}");
        }
    }

    #[test]
    fn exceptions_are_reached_directly() {
        let list = "internal.example, .sub.example,*.star.example, 10.0.0.0/8 192.0.2.7,port.example:8080,[::5]:443,fd00::/8";
        let proxies = proxies("p.example:3128", list).unwrap();
        let cases = [
            ("api.example", 80, true),
            ("internal.example", 80, false),
            ("a.INTERNAL.example.", 80, false),
            ("notinternal.example", 80, true),
            ("sub.example", 80, true),
            ("a.sub.example", 80, false),
            ("star.example", 80, true),
            ("a.b.star.example", 80, false),
            ("10.1.2.3", 80, false),
            ("11.1.2.3", 80, true),
            ("192.0.2.7", 80, false),
            ("192.0.2.70", 80, true),
            ("port.example", 8080, false),
            ("port.example", 80, true),
            ("::5", 443, false),
            ("::5", 80, true),
            ("fd00::1", 80, false),
            ("localhost", 80, false),
            ("a.localhost", 80, false),
            ("127.8.8.8", 80, false),
            ("::1", 80, false),
        ];
        for (host, port, proxied) in cases {
            assert_eq!(proxies.pick(false, host, port).is_some(), proxied, "{host}:{port}");
        }
    }

    #[test]
    fn everyone_may_be_an_exception_and_nonsense_may_not() {
        assert!(proxies("p.example", "*").unwrap().pick(false, "api.example", 80).is_none());
        for list in ["a.example:port", "http://a.example/", "10.0.0.0/33", "a*.example", "*."] {
            let error = proxies("p.example", list).unwrap_err().to_string();
            assert!(error.starts_with("NO_PROXY: "), "{list}: {error}");
            let no_proxy = Some(list.to_owned());
            assert!(
                Proxies::new(&ProxyEnv { no_proxy, ..Default::default() }).is_ok(),
                "nothing to except from"
            );
        }
    }
}
