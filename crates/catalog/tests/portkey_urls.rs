//! The addresses that Portkey's gateway calls with a custom host `U`, provider by provider. Clients and mocks written
//! for it must see the same paths.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::collections::BTreeSet;

use tidegate_catalog::{Base, BodyModel, Call, Destination, Dialect, Endpoint, PORTKEY_IDS, catalog};

const HOST: &str = "http://u.test/base";

/// A call of `model` with a custom host and options; the URL is what follows the host.
fn call(
    provider: &str,
    endpoint: Endpoint,
    model: &str,
    options: &[(&str, &'static str)],
    stream: bool,
) -> Destination {
    let lookup = |name: &str| options.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let base = Base::CustomHost(HOST);
    let call = Call { endpoint, model, stream, base, options: &lookup, query: None };
    let mut destination = catalog().get(provider).unwrap().destination(&call).unwrap();
    destination.url = destination.url.strip_prefix(HOST).unwrap().to_owned();
    destination
}

fn chat(provider: &str, model: &str, options: Options) -> String {
    call(provider, Endpoint::ChatCompletions, model, options, false).url
}

const PLAIN: &str = "anyscale deepbricks deepinfra ncompass groq fireworks-ai zhipu monsterapi siliconflow cerebras \
                     inference-net lemonfox-ai upstage lambda dashscope x-ai nebius kluster-ai nscale featherless-ai \
                     krutrim cometapi matterai nextbit modal z-ai iointelligence aibadgr ovhcloud mistral-ai openai \
                     perplexity-ai github azure-ai";
const UNDER_V1: &str =
    "together-ai ollama moonshot openrouter lingyi novita-ai deepseek sambanova hyperbolic 302ai";
const WITHOUT_CHAT: &str = "jina meshy milvus nomic portkey qdrant recraft-ai replicate sagemaker segmind stability-ai \
                            tripo3d voyage";
type Options = &'static [(&'static str, &'static str)];
const OWN_PATHS: [(&str, Options, &str); 13] = [
    ("anthropic", &[], "/messages"),
    ("cohere", &[], "/v2/chat"),
    ("google", &[], "/v1beta/models/m:generateContent"),
    ("palm", &[], "/models/m:generateMessage"),
    ("bedrock", &[], "/model/m/converse"),
    ("bytez", &[], "/models/v2/m"),
    ("lepton", &[], "/api/v1/chat/completions"),
    ("huggingface", &[], "/models/m/v1/chat/completions"),
    ("oracle", &[], "/20231130/actions/chat"),
    ("predibase", &[("user", "tenant")], "/tenant/deployments/v2/llms/m/v1/chat/completions"),
    (
        "vertex-ai",
        &[("vertex_region", "us-central1"), ("vertex_project_id", "p")],
        "/v1/projects/p/locations/us-central1/publishers/google/models/m:generateContent",
    ),
    (
        "azure-openai",
        &[("deployment_id", "d"), ("api_version", "2024-02-01")],
        "/deployments/d/chat/completions?api-version=2024-02-01",
    ),
    ("azure-openai", &[("deployment_id", "d"), ("api_version", "v1")], "/v1/chat/completions"),
];
/// Where the vendor has an OpenAI-shaped chat now, it is called in place of the native one that Portkey speaks.
const NEWER: [(&str, &str); 5] = [
    ("ai21", "/chat/completions"),
    ("reka-ai", "/v1/chat/completions"),
    ("workers-ai", "/v1/chat/completions"),
    ("triton", "/v1/chat/completions"),
    ("cortex", "/cortex/v1/chat/completions"),
];

#[test]
fn chat_paths_are_portkeys() {
    for provider in PLAIN.split_whitespace() {
        assert_eq!(chat(provider, "m", &[]), "/chat/completions", "{provider}");
    }
    for provider in UNDER_V1.split_whitespace() {
        assert_eq!(chat(provider, "m", &[]), "/v1/chat/completions", "{provider}");
    }
    for (provider, options, expected) in OWN_PATHS {
        assert_eq!(chat(provider, "m", options), expected, "{provider}");
    }
}

#[test]
fn newer_paths_where_portkey_speaks_a_native_shape() {
    for (provider, expected) in NEWER {
        let to = call(provider, Endpoint::ChatCompletions, "m", &[], false);
        assert_eq!((to.url.as_str(), to.dialect), (expected, Dialect::OpenAi), "{provider}");
    }
}

#[test]
fn no_provider_is_forgotten() {
    let lists = [PLAIN, UNDER_V1, WITHOUT_CHAT].into_iter().flat_map(str::split_whitespace);
    let tables = OWN_PATHS.iter().map(|row| row.0).chain(NEWER.iter().map(|row| row.0));
    let named: BTreeSet<&str> = lists.chain(tables).collect();
    assert_eq!(named, PORTKEY_IDS.into_iter().collect());
}

#[test]
fn observed_requests() {
    use Endpoint::{ChatCompletions, Completions, Embeddings};
    let vertex: Options = &[("vertex_region", "us-central1"), ("vertex_project_id", "p")];
    let global: Options = &[("vertex_region", "global"), ("vertex_project_id", "p")];
    let west: Options = &[("aws_region", "us-west-2")];
    let cases: [(&str, Endpoint, &str, Options, &str); 12] = [
        ("anthropic", Completions, "cl", &[], "/complete"),
        ("google", ChatCompletions, "gemini-2.0", &[], "/v1beta/models/gemini-2.0:generateContent"),
        (
            "vertex-ai",
            ChatCompletions,
            "gemini-2.0",
            vertex,
            "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.0:generateContent",
        ),
        (
            "vertex-ai",
            ChatCompletions,
            "anthropic.claude-3",
            global,
            "/v1/projects/p/locations/global/publishers/anthropic/models/claude-3:rawPredict",
        ),
        (
            "vertex-ai",
            ChatCompletions,
            "meta.llama-3",
            vertex,
            "/v1beta1/projects/p/locations/us-central1/endpoints/openapi/chat/completions",
        ),
        ("bedrock", ChatCompletions, "us.anthropic.claude-3", west, "/model/us.anthropic.claude-3/converse"),
        (
            "bedrock",
            Embeddings,
            "amazon.titan-embed-text-v2:0",
            west,
            "/model/amazon.titan-embed-text-v2%3A0/invoke",
        ),
        ("cohere", Embeddings, "embed-v3", &[], "/v2/embed"),
        ("huggingface", ChatCompletions, "org/m", &[], "/models/org/m/v1/chat/completions"),
        ("azure-ai", ChatCompletions, "m", &[("azure_foundry_url", "https://x/y")], "/chat/completions"),
        ("nomic", Embeddings, "m", &[], "/embedding/text"),
        (
            "predibase",
            ChatCompletions,
            "base:adapter/1",
            &[("user", "tenant")],
            "/tenant/deployments/v2/llms/base/v1/chat/completions",
        ),
    ];
    for (provider, endpoint, model, options, expected) in cases {
        assert_eq!(call(provider, endpoint, model, options, false).url, expected, "{provider} {model}");
    }
}

#[test]
fn the_bodys_model_follows_the_path() {
    let vertex: Options = &[("vertex_region", "r"), ("vertex_project_id", "p")];
    let v1: Options = &[("deployment_id", "d"), ("api_version", "v1")];
    let dated: Options = &[("deployment_id", "d"), ("api_version", "2024-02-01")];
    let replaced = |model: &str| BodyModel::Replaced(model.to_owned());
    let cases: [(&str, &str, Options, BodyModel); 9] = [
        ("openai", "gpt-4o", &[], BodyModel::AsGiven),
        ("azure-openai", "gpt-4o", v1, replaced("d")),
        ("azure-openai", "gpt-4o", dated, BodyModel::AsGiven),
        ("mistral-ai", "mistralai.mistral-large", &[], replaced("mistral-large")),
        ("vertex-ai", "meta.llama-3", vertex, replaced("meta/llama-3")),
        ("vertex-ai", "anthropic.claude-3", vertex, BodyModel::Omitted),
        ("google", "models/gemini-2.0", &[], replaced("gemini-2.0")),
        ("predibase", "base:adapter/1", &[("user", "t")], replaced("adapter/1")),
        ("predibase", "base", &[("user", "t")], replaced("")),
    ];
    for (provider, model, options, expected) in cases {
        let to = call(provider, Endpoint::ChatCompletions, model, options, false);
        assert_eq!(to.model, expected, "{provider} {model}");
    }
}

#[test]
fn streams_have_paths_of_their_own_where_the_provider_has() {
    let stream =
        |provider: &str, options: Options| call(provider, Endpoint::ChatCompletions, "m", options, true).url;
    assert_eq!(stream("google", &[]), "/v1beta/models/m:streamGenerateContent?alt=sse");
    assert_eq!(stream("bedrock", &[]), "/model/m/converse-stream");
    assert_eq!(stream("openai", &[]), "/chat/completions");
}
