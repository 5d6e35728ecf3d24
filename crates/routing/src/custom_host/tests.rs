use super::*;

fn rules(trusted: &[&str], allow_private: bool) -> HostRules {
    HostRules { trusted: trusted.iter().map(|host| (*host).to_owned()).collect(), allow_private }
}

fn accepts(url: &str, rules: &HostRules) -> bool {
    check(url, rules).is_ok()
}

#[test]
fn public_hosts_are_accepted() {
    for url in [
        "https://api.openai.com/v1",
        "http://llm.example.com:8443/v1?x=1#y",
        "HTTPS://Example.COM",
        "https://8.8.8.8:1",
        "https://[2606:4700::1111]:443/v1",
        "https://ollama:11434",
        "https://a.b.c.d.e.f.g.h.i.example",
        "https://2-0.example",
        "https://xn--exmple-cua.com",
    ] {
        assert_eq!(check(url, &HostRules::default()), Ok(()), "{url}");
    }
}

#[test]
fn odd_forms_are_refused_whatever_the_rules() {
    let everything = rules(&["localhost", "127.0.0.1", "::1"], true);
    for url in [
        "",
        "  ",
        "https://api.portkey.ai/v1",
        "https://x.example/?u=API.Portkey",
        "file:///etc/passwd",
        "data:text/plain,x",
        "gopher://x",
        "ftp://x.example",
        "ftps://x.example",
        "ws://x.example",
        "x.example",
        "//x.example",
        "http:x.example",
        "http:/x.example",
        "https://",
        "https:///v1",
        "https://:80",
        "https://user:pw@x.example",
        "https://x.example/@",
        "https://x.example\t",
        "https://x.exa\u{0}mple",
        "https://x example",
        "https://x.example\\@y",
        "https://x.example/a\\b",
        "https://x%2eexample",
        "https://x<y.example",
        "https://x{y}.example",
        "https://x|y.example",
        "https://x^y.example",
        "https://x`y.example",
        "https://x_y.example",
        "https://exämple.com",
        "https://x.example.",
        "https://x..example",
        "https://a.b.c.d.e.f.g.h.i.j.example",
        "https://x.example:0",
        "https://x.example:65536",
        "https://x.example:",
        "https://x.example:+80",
        "https://x.example:8a",
        // Other ways to write 127.0.0.1 and friends.
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
        "http://017700000001",
        "http://127.1",
        "http://127.0.1",
        "http://10.0.0.01",
        "http://1.2.3.4.5",
        "http://256.1.1.1",
        "http://[::1",
        "http://::1]",
        "http://[::1]x",
        "http://[fe80::1%25eth0]",
        "http://[127.0.0.1]",
        "http://[]",
    ] {
        assert!(!accepts(url, &everything), "{url}");
    }
}

#[test]
fn private_places_need_permission() {
    let public = HostRules::default();
    let private = rules(&[], true);
    for url in [
        "http://10.0.0.1",
        "http://172.16.0.1:8000",
        "http://192.168.0.1",
        "http://100.64.0.1",
        "http://127.0.0.2",
        "http://[fd12::1]:8000",
        "http://[::ffff:10.0.0.1]",
        "http://gpu.local",
        "http://gpu.localdomain",
        "http://llm.internal",
        "http://llm.intranet",
        "http://gpu.lan",
        "http://gpu.home",
        "http://gpu.corp",
        "http://gpu.test",
    ] {
        assert!(!accepts(url, &public), "{url}");
        assert!(accepts(url, &private), "{url}");
    }
}

#[test]
fn some_places_are_never_an_upstream() {
    let private = rules(&[], true);
    for url in [
        "http://0.0.0.0",
        "http://0.1.2.3",
        "http://169.254.169.254",
        "http://169.254.169.1",
        "http://169.254.1.1",
        "http://224.0.0.1",
        "http://255.255.255.255",
        "http://metadata",
        "http://metadata.google.internal/computeMetadata",
        "http://metadata.azure.com",
        "http://instance-data",
        "http://[fd00:ec2::254]",
        "http://[fe80::1]",
        "http://[::]",
        "http://[::ffff:169.254.169.254]",
        "http://[::ffff:a9fe:a9fe]",
        "http://x.invalid",
        "http://x.onion",
    ] {
        assert!(!accepts(url, &private), "{url}");
    }
}

#[test]
fn trusted_hosts_are_accepted_whatever_they_are() {
    let default = HostRules::default();
    for url in [
        "http://localhost:11434",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
        "http://host.docker.internal",
        "http://a.localhost",
    ] {
        assert!(accepts(url, &default), "{url}");
        assert!(!accepts(url, &rules(&[], false)), "{url}");
    }
    assert!(!accepts("http://localhost:0", &default));
    let named = rules(&["10.1.2.3", "[fd00::5]", "gpu.lan"], false);
    assert!(accepts("http://10.1.2.3", &named));
    assert!(accepts("http://[fd00:0::5]", &named));
    assert!(accepts("http://GPU.lan", &named));
    assert!(!accepts("http://gpu2.lan", &named));
    assert!(!accepts("http://x.localhost", &named));
}

#[test]
fn callers_learn_nothing_operators_the_rule() {
    let refusal = check("http://10.0.0.1", &HostRules::default()).unwrap_err();
    assert_eq!(refusal.to_string(), "Invalid custom host");
    assert_eq!(refusal.reason(), "is a private address");
}
