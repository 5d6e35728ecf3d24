"""Retries and timeouts: rows 50 to 57, and around them."""

from ..case import DEAD, case, chat, target
from ..upstream import Answer

RETRY_AFTER = {"attempts": 1, "use_retry_after_header": True}
BUSY = {"error": {"message": "bad", "type": "t", "param": None, "code": "c"}}
OK = {"id": "chat1", "object": "chat.completion", "created": 1, "model": "m", "choices": [], "usage": {}}


def after(**headers: str) -> tuple[Answer, ...]:
    """A 429 with these headers, and then an answer."""
    return (Answer(429, BUSY, {name.replace("_", "-"): value for name, value in headers.items()}), Answer(200, OK))


CASES = [
    case("050 then success", config=target(retry={"attempts": 2}), body=chat("seq:500,200#a")),
    case("051 exhausted", config=target(retry={"attempts": 1}), body=chat("seq:503,503#b")),
    case("052 not listed", config=target(retry={"attempts": 2}), body=chat("seq:400,200#c")),
    case("053 own list", config=target(retry={"attempts": 1, "on_status_codes": [400]}), body=chat("seq:400,200#d")),
    case("054 retry-after-ms", config=target(retry=RETRY_AFTER), body=chat("ra:10#e")),
    case("055 retry-after too long", config=target(retry=RETRY_AFTER), body=chat("ra:70000#f")),
    case("056 timeout", config=target(request_timeout=50), body=chat("slow:400")),
    case("057 timeout header", config=target(request_timeout=5000), headers={"x-portkey-request-timeout": "50"}, body=chat("slow:400")),
    # Around the table.
    case("each default status 429", config=target(retry={"attempts": 1}), body=chat("seq:429,200#s1")),
    case("each default status 502", config=target(retry={"attempts": 1}), body=chat("seq:502,200#s2")),
    case("each default status 503", config=target(retry={"attempts": 1}), body=chat("seq:503,200#s3")),
    case("each default status 504", config=target(retry={"attempts": 1}), body=chat("seq:504,200#s4")),
    case("no default status 408", config=target(retry={"attempts": 1}), body=chat("seq:408,200#s5")),
    case("no default status 529", config=target(retry={"attempts": 1}), body=chat("seq:529,200#s6")),
    case("another status ends it", config=target(retry={"attempts": 3}), body=chat("seq:500,401#s7")),
    case("own list leaves out 500", config=target(retry={"attempts": 1, "on_status_codes": [429]}), body=chat("seq:500,200#s8")),
    case("empty list", config=target(retry={"attempts": 1, "on_status_codes": []}), body=chat("seq:500,200#s9")),
    case("no attempts", config=target(retry={"attempts": 0}), body=chat("seq:500,200#s10")),
    case("no attempts, own list", config=target(retry={"attempts": 0, "on_status_codes": [500]}), body=chat("st500")),
    case("none configured", config=target(), body=chat("seq:500,200#s11")),
    case("x-ms-retry-after-ms", config=target(retry=RETRY_AFTER), body=chat(), answer=after(x_ms_retry_after_ms="5")),
    case("retry-after seconds", config=target(retry=RETRY_AFTER), body=chat(), answer=after(retry_after="1")),
    case("retry-after date", config=target(retry=RETRY_AFTER), body=chat(), answer=after(retry_after="Wed, 21 Oct 2015 07:28:00 GMT")),
    case("retry-after zero", config=target(retry=RETRY_AFTER), body=chat(), answer=after(retry_after="0")),
    case("retry-after a minute", config=target(retry=RETRY_AFTER), body=chat(), answer=after(retry_after="60")),
    case("retry-after unlisted", config=target(retry=RETRY_AFTER | {"on_status_codes": [500]}), body=chat("ra:10#r1")),
    case("retry-after not asked for", config=target(retry={"attempts": 1}), body=chat("ra:5#r2")),
    case("stream then success", config=target(retry={"attempts": 1}), body=chat("seq:500,200#s12", stream=True)),
    case("stream exhausted", config=target(retry={"attempts": 1}), body=chat("seq:500,500#s13", stream=True)),
    case("embeddings", path="/v1/embeddings", config=target(retry={"attempts": 1}), body={"model": "seq:500,200#s14", "input": "x"}),
    case("proxy", path="/v1/foo", config=target(retry={"attempts": 1}), body={"model": "seq:500,200#s15"}),
    case("anthropic 529 listed", config=target(provider="anthropic", retry={"attempts": 1, "on_status_codes": [529]}), body=chat("seq:529,200#s16", max_tokens=5)),
    case("refused, retried", config=target(custom_host=DEAD, retry={"attempts": 1}), body=chat()),
    case("timeout retried", config=target(request_timeout=60, retry={"attempts": 1, "on_status_codes": [408]}), body=chat("slow:500")),
    case("timeout not retried", config=target(request_timeout=60, retry={"attempts": 1}), body=chat("slow:500")),
    case("timeout long enough", config=target(request_timeout=5000), body=chat("slow:50")),
    case("timeout zero", config=target(request_timeout=0), body=chat("slow:50")),
    case("timeout header nonsense", config=target(), headers={"x-portkey-request-timeout": "soon"}, body=chat("slow:50")),
    case("timeout of a stream", config=target(request_timeout=50), body=chat("slow:400", stream=True)),
    case("timeout of embeddings", path="/v1/embeddings", config=target(request_timeout=50), body={"model": "slow:400", "input": "x"}),
    case("timeout of a proxy call", path="/v1/foo", config=target(request_timeout=50), body={"model": "slow:400"}),
    case("timeout on anthropic", config=target(provider="anthropic", request_timeout=50), body=chat("slow:400", max_tokens=5)),
]  # fmt: skip
