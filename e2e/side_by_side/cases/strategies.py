"""Fallback, load balancing, nesting, inheritance: rows 58 to 64, 73 and 74, and around them."""

from ..case import DEAD, U, by_model, case, chat, strategy, target

FIRST_FAILS = (by_model("st400"), by_model("txt:b"))
NESTED = strategy("single", by_model("txt:n"))
TWO = (by_model("txt:a", weight=0), by_model("txt:b", weight=1))

CASES = [
    case("058 fallback", config=strategy("fallback", *FIRST_FAILS), body=chat("x")),
    case("059 not listed", config=strategy("fallback", *FIRST_FAILS, on_status_codes=[429]), body=chat("x")),
    case("060 all fail", config=strategy("fallback", by_model("st400"), by_model("st503")), body=chat("x")),
    case("061 gateway exception", config=strategy("fallback", target(provider="cortex"), by_model("txt:b")), body=chat("x")),
    case("062 on timeout", config=strategy("fallback", by_model("slow:400"), by_model("txt:b"), top={"request_timeout": 50}), body=chat("x")),
    case("063 nested", config=strategy("fallback", by_model("st400"), NESTED), body=chat("x")),
    case("064 weight zero", config=strategy("loadbalance", *TWO), body=chat("x")),
    case("073 targets without strategy", config={"targets": [by_model("txt:a")], "retry": {"attempts": 0}}, body=chat("x")),
    case("074 retry inherited", config=strategy("single", by_model("seq:500,200#g"), top={"retry": {"attempts": 1}}), body=chat("x")),
    # Around the table.
    *(
        case(f"fallback on {status}", config=strategy("fallback", by_model(f"st{status}"), by_model("txt:b")), body=chat("x"))
        for status in (401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529)
    ),
    case("fallback on refused", config=strategy("fallback", target(custom_host=DEAD), by_model("txt:b")), body=chat("x")),
    case("fallback lists the status", config=strategy("fallback", *FIRST_FAILS, on_status_codes=[400]), body=chat("x")),
    case("fallback lists success", config=strategy("fallback", by_model("txt:a"), by_model("txt:b"), on_status_codes=[200]), body=chat("x")),
    case("fallback, empty list", config=strategy("fallback", *FIRST_FAILS, on_status_codes=[]), body=chat("x")),
    case("fallback three", config=strategy("fallback", by_model("st500"), by_model("st429"), by_model("txt:c")), body=chat("x")),
    case("fallback, first is fine", config=strategy("fallback", by_model("txt:a"), by_model("txt:b")), body=chat("x")),
    case("fallback with retries", config=strategy("fallback", by_model("st500", retry={"attempts": 1}), by_model("txt:b")), body=chat("x")),
    case("fallback of a stream", config=strategy("fallback", by_model("st500"), by_model("m")), body=chat("x", stream=True)),
    case("fallback of embeddings", path="/v1/embeddings", config=strategy("fallback", by_model("st500"), by_model("echo")), body={"model": "x", "input": "a"}),
    case("fallback of a proxy call", path="/v1/foo", config=strategy("fallback", by_model("st500"), by_model("echo")), body={"model": "x"}),
    case("fallback to anthropic", config=strategy("fallback", by_model("st500"), by_model("txt:c", provider="anthropic")), body=chat("x", max_tokens=5)),
    case("fallback to anthropic, stream", config=strategy("fallback", by_model("st500"), by_model("m", provider="anthropic")), body=chat("x", max_tokens=5, stream=True)),
    case("fallback from anthropic", config=strategy("fallback", by_model("st529", provider="anthropic"), by_model("txt:c")), body=chat("x", max_tokens=5)),
    case("fallback on unsupported endpoint", path="/v1/embeddings", config=strategy("fallback", target(provider="groq"), by_model("echo")), body={"model": "x", "input": "a"}),
    case("fallback on half a body", config=strategy("fallback", by_model("badjson"), by_model("txt:b")), body=chat("x")),
    case("fallback on html", config=strategy("fallback", by_model("html"), by_model("txt:b")), body=chat("x")),
    case("fallback, nested group fails", config=strategy("fallback", strategy("fallback", by_model("st500"), by_model("st502")), by_model("txt:z")), body=chat("x")),
    case("three deep", config=strategy("single", strategy("single", strategy("fallback", by_model("st500"), by_model("txt:d")))), body=chat("x")),
    case("single uses the first", config=strategy("single", by_model("st500"), by_model("txt:b")), body=chat("x")),
    case("loadbalance one", config=strategy("loadbalance", by_model("txt:a")), body=chat("x")),
    case("loadbalance does not fall back", config=strategy("loadbalance", by_model("st500", weight=1), by_model("txt:b", weight=0)), body=chat("x")),
    case("loadbalance nested fallback", config=strategy("loadbalance", strategy("fallback", *FIRST_FAILS) | {"weight": 1}, by_model("txt:z", weight=0)), body=chat("x")),
    case("override merges down", config=strategy("single", by_model("echo"), top={"override_params": {"top_p": 0.5, "model": "no"}}), body=chat("x")),
    case("host inherited", config=strategy("single", {"provider": "openai", "api_key": "k"}, top={"custom_host": U}), body=chat("echo")),
    case("timeout inherited", config=strategy("single", by_model("slow:400"), top={"request_timeout": 50}), body=chat("x")),
    case("timeout of the target wins", config=strategy("single", by_model("slow:400", request_timeout=50), top={"request_timeout": 5000}), body=chat("x")),
    case("forward headers inherited", config=strategy("single", target(), top={"forward_headers": ["x-foo"]}), headers={"x-foo": "1"}, body=chat("echo")),
    case("key not inherited", config=strategy("single", {"provider": "openai", "custom_host": U, "retry": {"attempts": 0}}, top={"api_key": "top"}), body=chat("echo")),
    case("header key unused beside targets", config=strategy("single", target()), headers={"authorization": "Bearer z"}, body=chat("echo")),
    case("strategy without targets", config={"strategy": {"mode": "single"}, "retry": {"attempts": 0}, "provider": "openai", "api_key": "k", "custom_host": U}, body=chat("echo")),
    case("empty targets, fallback", config=strategy("fallback"), body=chat("echo")),
    case("empty targets, single", config=strategy("single"), body=chat("echo")),
    case("target with its own strategy and provider", config=strategy("single", strategy("single", by_model("txt:q")) | {"provider": "openai", "api_key": "k"}), body=chat("x")),
]  # fmt: skip
