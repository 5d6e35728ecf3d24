"""Cache: rows 104 to 114.

The package on npm is built with the cache off, whatever a settings file says: its answers are `DISABLED`, and so the
rows are compared with that, not with what a build with the cache on would say.
"""

from ..case import Case, case, chat, target

SIMPLE = target(cache={"mode": "simple"})
REFRESH = {"x-portkey-cache-force-refresh": "false"}


def after(id: str, first: Case, second: Case) -> Case:
    return Case(id, first.requests + second.requests)


_KEPT = case("", config=SIMPLE, body=chat("txt:k1"))
_UNSTREAMED = case("", config=SIMPLE, body=chat("txt:k3", stream=False))
_ERROR = case("", config=SIMPLE, body=chat("st429", user="k4"))

CASES = [
    case("104 miss", config=SIMPLE, body=chat("txt:k1")),
    after("105 hit", _KEPT, _KEPT),
    after("106 refresh", _KEPT, case("", config=SIMPLE, headers=REFRESH, body=chat("txt:k1"))),
    case("107 none configured", config=target(), body=chat("txt:k2")),
    case("108 stream false", config=SIMPLE, body=chat("txt:k3", stream=False)),
    after("109 stream false twice", _UNSTREAMED, _UNSTREAMED),
    case("110 error", config=SIMPLE, body=chat("st429", user="k4")),
    after("111 error twice", _ERROR, _ERROR),
    after("112 another provider", _KEPT, case("", config=SIMPLE | {"provider": "groq"}, body=chat("txt:k1"))),
    case("113 off in the settings", config=SIMPLE, body=chat("txt:k1")),
    case("114 files", method="GET", path="/v1/files", config=SIMPLE),
]
