use serde_json::json;

use super::*;

fn matches(query: Value) -> Result<bool, String> {
    let metadata = json!({"tier": "pro", "n": "12abc", "empty": null, "flag": true});
    let params =
        json!({"model": "gpt-4o", "max_tokens": 11, "a": {"b": 1}, "stop": ["x", "y"], "temperature": 1.0});
    let facts = Facts {
        metadata: metadata.as_object().unwrap(),
        params: params.as_object().unwrap(),
        url_path: "/v1/chat/completions",
        header: &|_| None,
        prompt_prefix_hash: None,
    };
    Query::compile(&query, &mut Needs::default()).matches(&facts).map_err(|error| error.message)
}

#[test]
fn what_matches() {
    for query in [
        json!({}),
        json!({"metadata.tier": "pro"}),
        json!({"metadata.tier": {"$eq": "pro"}}),
        json!({"metadata.tier": {}}),
        json!({"metadata.tier": []}),
        json!({"metadata.tier": {"$ne": "free"}}),
        json!({"metadata.missing": {"$ne": "x"}}),
        json!({"metadata.missing": {"$nin": ["x"]}}),
        json!({"metadata.empty": null}),
        json!({"metadata.flag": true}),
        json!({"metadata.n": {"$gt": 11, "$lt": "12.5"}}),
        json!({"params.max_tokens": {"$gte": 11, "$lte": 11}}),
        json!({"params.temperature": 1}),
        json!({"params.model": {"$in": ["x", "gpt-4o"]}}),
        json!({"params.model": {"$regex": "^gpt"}}),
        json!({"params.missing": {"$regex": "undef"}}),
        json!({"params.max_tokens": {"$regex": "^11$"}}),
        // Nothing after a pattern is looked at, not even nonsense.
        json!({"params.model": {"$regex": "^gpt", "$foo": 1}}),
        json!({"url.pathname": {"$regex": "^/v1/chat"}}),
        json!({"params.stop": {"$length": 2}}),
        json!({"params.stop": {"$length": {"$gt": 1}}}),
        json!({"$or": [{"metadata.tier": "free"}, {"metadata.tier": "pro"}]}),
        json!({"$and": [{"metadata.tier": "pro"}, {"params.model": "gpt-4o"}]}),
        json!({"$and": []}),
        // Their result stands: what follows is ignored, what comes before is not.
        json!({"$or": [{}], "metadata.tier": "free"}),
        json!({"$and": [{}], "metadata.tier": {"$foo": 1}}),
        // Only two segments count.
        json!({"metadata.tier.deep.er": "pro"}),
    ] {
        assert_eq!(matches(query.clone()), Ok(true), "{query}");
    }
}

#[test]
fn what_does_not() {
    for query in [
        json!({"metadata.tier": "free"}),
        json!({"metadata.missing": null}),
        json!({"metadata.missing": {"$eq": null}}),
        json!({"params.max_tokens": "11"}),
        json!({"params.a": {"$eq": {"b": 1}}}),
        json!({"params.a.b": 1}),
        json!({"params.model": {"$gt": 1}}),
        json!({"params.max_tokens": {"$gt": "x"}}),
        json!({"params.model": {"$in": "gpt-4o"}}),
        json!({"params.model": {"$nin": "x"}}),
        json!({"params.model": {"$regex": "("}}),
        json!({"params.model": {"$length": 6}}),
        json!({"params.stop": {"$length": {"$gt": 2}}}),
        json!({"$or": []}),
        json!({"$or": [{"metadata.tier": "free"}]}),
        json!({"$or": "x"}),
        json!({"metadata": "pro"}),
        json!({"headers.x": "y"}),
        json!({"url.host": "y"}),
        json!({"metadata.tier": "free", "$or": [{}]}),
    ] {
        assert_eq!(matches(query.clone()), Ok(false), "{query}");
    }
}

#[test]
fn an_operator_that_does_not_exist_is_an_error_once_reached() {
    let error = |op: &str| Err(format!("Unsupported operator used in the query router: {op}"));
    assert_eq!(matches(json!({"metadata.tier": {"$foo": 1}})), error("$foo"));
    assert_eq!(matches(json!({"$or": [{"metadata.tier": {"$foo": 1}}]})), error("$foo"));
    assert_eq!(matches(json!({"metadata.tier": ["pro"]})), error("0"));
    assert_eq!(matches(json!({"$and": {"metadata.tier": "pro"}})), error("metadata.tier"));
    assert_eq!(matches(json!({"metadata.tier": {"$eq": "free", "$foo": 1}})), Ok(false));
}

#[test]
fn the_plan_learns_what_is_looked_at() {
    let needs = |query: Value| {
        let mut needs = Needs::default();
        Query::compile(&query, &mut needs);
        (needs.metadata, needs.params)
    };
    assert_eq!(needs(json!({"metadata.a": 1})), (true, false));
    assert_eq!(needs(json!({"$or": [{"$and": [{"params.a": {"$gt": 1}}]}]})), (false, true));
    assert_eq!(needs(json!({"url.pathname": "/"})), (false, false));
}
