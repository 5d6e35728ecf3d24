"""Every form of custom host that the filter knows, in the header and in the config.

None may lead anywhere when it is let through: names that resolve, and no host at all (the provider's own would be
called), are left out.
"""

from ..case import DEAD_PORT, HEADERS, U, case, chat, strategy, target

REJECTED = {
    "control": "http://a\tb.com",
    "portkey": "https://api.portkey.ai/v1",
    "file": "file:///etc/passwd",
    "data": "data:text/plain,x",
    "gopher": "gopher://h",
    "ftp": "ftp://h",
    "ftps": "ftps://h",
    "no scheme": "example.com",
    "nonsense": "http://",
    "ws": "ws://example.com",
    "user info": "http://a:b@example.com",
    "at in path": "http://example.com/@x",
    "percent": f"http://127.0.0.%31:{DEAD_PORT}",
    "space": "http://ex ample.com",
    "braces": "http://ex{a}.com",
    "underscore": "http://ex_a.com",
    "ipv6 loopback": "http://[::1]",
    "ipv6 global": "http://[2001:db8::1]",
    "ipv6 mapped": "http://[::ffff:127.0.0.1]",
    "trailing dot": "http://example.com.",
    "eleven labels": "http://a.b.c.d.e.f.g.h.i.j.com",
    "unspecified": "http://0.0.0.0",
    "link-local": "http://169.254.169.254/latest/meta-data",
    "link-local other": "http://169.254.1.1",
    "google metadata": "http://metadata.google.internal",
    "metadata": "http://metadata",
    "azure metadata": "http://metadata.azure.com",
    "instance-data": "http://instance-data",
    ".local": "http://printer.local",
    ".localdomain": "http://a.localdomain",
    ".internal": "http://db.internal",
    ".intranet": "http://a.intranet",
    ".lan": "http://nas.lan",
    ".home": "http://a.home",
    ".corp": "http://a.corp",
    ".test": "http://a.test",
    ".invalid": "http://a.invalid",
    ".onion": "http://a.onion",
    "ten": "http://10.1.2.3",
    "172.16": "http://172.16.0.1",
    "192.168": "http://192.168.1.1",
    "other loopback": "http://127.0.0.2",
    "shared": "http://100.64.0.1",
    "zero": "http://0.1.2.3",
    "multicast": "http://224.0.0.1",
    "broadcast": "http://255.255.255.255",
    "decimal": f"http://2130706433:{DEAD_PORT}",
    "hex": f"http://0x7f000001:{DEAD_PORT}",
    "octal": f"http://0177.0.0.1:{DEAD_PORT}",
    "short": f"http://127.1:{DEAD_PORT}",
    "port too large": "http://example.com:65536",
    "port zero": "http://127.0.0.1:0",
}

ACCEPTED = {
    "path": f"{U}/a/b",
    "two slashes": f"{U}//a",
}

CASES = (
    [case(f"header: {name}", headers=HEADERS | {"x-portkey-custom-host": host}, body=chat("echo")) for name, host in REJECTED.items()]
    + [case(f"config: {name}", config=target(custom_host=REJECTED[name]), body=chat("echo")) for name in ("file", "ten", "link-local", "user info", "decimal", ".internal", "port too large")]
    + [case(f"accepted: {name}", headers=HEADERS | {"x-portkey-custom-host": host}, body=chat("echo")) for name, host in ACCEPTED.items()]
    + [
        case("in a target", config=strategy("fallback", target(custom_host="http://169.254.169.254")), body=chat()),
        case("in a nested target", config=strategy("single", strategy("single", target(custom_host="file:///x"))), body=chat()),
    ]
)
