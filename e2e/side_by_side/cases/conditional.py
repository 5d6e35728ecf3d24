"""Conditional routing: rows 65 to 72, and every operator."""

from ..case import by_model, case, chat, strategy

ONE, TWO = by_model("txt:1", name="one"), by_model("txt:2", name="two")
META = {"x-portkey-metadata": '{"tier":"pro","n":"5","empty":""}'}
PRO = {"metadata.tier": {"$eq": "pro"}}


def config(query: dict, default: str | None = "two", then: str = "one") -> dict:
    more = {} if default is None else {"default": default}
    return strategy("conditional", ONE, TWO, conditions=[{"query": query, "then": then}], **more)


QUERIES = {
    "scalar": {"metadata.tier": "pro"},
    "scalar, other": {"metadata.tier": "free"},
    "$ne": {"metadata.tier": {"$ne": "free"}},
    "$ne of what is missing": {"metadata.none": {"$ne": "x"}},
    "$eq is strict": {"params.max_tokens": {"$eq": "7"}},
    "$gt": {"params.max_tokens": {"$gt": 6}},
    "$gt, equal": {"params.max_tokens": {"$gt": 7}},
    "$gte": {"params.max_tokens": {"$gte": 7}},
    "$lt": {"params.max_tokens": {"$lt": 8}},
    "$lte": {"params.max_tokens": {"$lte": 6}},
    "$gt of numbers in text": {"metadata.n": {"$gt": "4.5"}},
    "$gt of text": {"metadata.tier": {"$gt": 1}},
    "$in": {"metadata.tier": {"$in": ["a", "pro"]}},
    "$in without a list": {"metadata.tier": {"$in": "pro"}},
    "$nin": {"metadata.tier": {"$nin": ["a"]}},
    "$nin of what is missing": {"metadata.none": {"$nin": ["a"]}},
    "$regex": {"metadata.tier": {"$regex": "^p.o$"}},
    "$regex on the model": {"params.model": {"$regex": "x"}},
    "$regex broken": {"metadata.tier": {"$regex": "("}},
    "$regex ends the list": {"metadata.tier": {"$regex": "pro", "$eq": "other"}},
    "several operators": {"params.max_tokens": {"$gt": 1, "$lt": 7}},
    "several fields": {"metadata.tier": "pro", "params.max_tokens": {"$gt": 100}},
    "$and": {"$and": [{"metadata.tier": "pro"}, {"params.max_tokens": 7}]},
    "$and, one is not": {"$and": [{"metadata.tier": "pro"}, {"params.max_tokens": 8}]},
    "$or": {"$or": [{"metadata.tier": "free"}, {"params.max_tokens": 7}]},
    "$or in $and": {"$and": [{"$or": [{"metadata.tier": "x"}, {"metadata.tier": "pro"}]}]},
    "$or ends the list": {"$or": [{"metadata.tier": "pro"}], "metadata.tier": "free"},
    "empty query": {},
    "url": {"url.pathname": {"$eq": "/v1/chat/completions"}},
    "params.stream": {"params.stream": {"$eq": True}},
    "empty value": {"metadata.empty": {"$eq": ""}},
    "null": {"metadata.none": None},
    "unknown root": {"headers.x": {"$eq": "y"}},
    "without a dot": {"tier": {"$eq": "pro"}},
}

CASES = [
    case("065 metadata", config=config(PRO), headers={"x-portkey-metadata": '{"tier":"pro"}'}, body=chat("x")),
    case("066 default", config=config(PRO), body=chat("x")),
    case("067 params $in", config=config({"params.model": {"$in": ["x", "y"]}}), body=chat("x")),
    case("068 $or and $gt", config=config({"$or": [{"params.max_tokens": {"$gt": 10}}, {"metadata.a": {"$eq": "b"}}]}), body=chat("x", max_tokens=11)),
    case("069 unresolved", config=config(PRO, default=None), body=chat("x")),
    case("070 bad name", config=config(PRO, default="zz"), body=chat("x")),
    case("071 bad operator", config=config({"metadata.tier": {"$foo": 1}}), body=chat("x")),
    case("072 unresolved, embeddings", path="/v1/embeddings", config=config(PRO, default=None), body={"model": "x", "input": "a"}),
    *(case(name, config=config(query), headers=META, body=chat("x", max_tokens=7)) for name, query in QUERIES.items()),
    case("then without a target", config=config(PRO, then="zz"), headers=META, body=chat("x")),
    case("no conditions", config=strategy("conditional", ONE, TWO, default="two"), body=chat("x")),
    case("metadata not JSON", config=config(PRO), headers={"x-portkey-metadata": "{tier"}, body=chat("x")),
    case("unresolved, proxy", path="/v1/foo", config=config(PRO, default=None), body={"model": "x"}),
    case("inside a fallback", config=strategy("fallback", by_model("st500"), config(PRO)), headers=META, body=chat("x")),
    case("the client's model decides, not the override", config=config({"params.model": "x"}) | {"override_params": {"model": "y"}}, body=chat("x")),
]  # fmt: skip
