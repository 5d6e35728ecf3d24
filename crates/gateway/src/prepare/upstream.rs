//! Whom a target means: a row of the catalogue or the demo model, with credential, base and options.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use tidegate_catalog::{
    AuthScheme, Base, BodyModel, Call as UrlCall, Dialect, Endpoint, Inference, Pairs, Provider, UrlError,
    catalog, infer,
};
use tidegate_core::{ErrorKind, Secret};
use tidegate_dialect::{Adjust, DialectId};
use tidegate_directory::{Credential, Deployment};
use tidegate_routing::Target;
use tidegate_upstream::sign::{self, Scheme, SigV4};

use super::body::Draft;
use super::websocket::{encoded, without_model};
use super::{Reading, Scene};
use crate::accept::Call;
use crate::plan::DEMO;
use crate::realm::KnownProvider;
use crate::refuse::Refusal;

/// A target's upstream. `row` is absent for the demo model.
#[derive(Debug)]
pub struct Upstream<'a> {
    row: Option<&'static Provider>,
    key: Option<Secret>,
    base: Base<'a>,
    target: &'a Target,
    known: Option<&'a KnownProvider>,
    /// The place in its pool of the stored credential that is used, and the credential.
    credential: Option<(usize, &'a Credential)>,
    /// The deployment of the stored provider that serves the model.
    deployment: Option<&'a Deployment>,
}

/// How an endpoint is reached at this upstream.
pub struct Way<'a> {
    pub reading: Reading,
    /// The endpoint that is called, which differs from the client's when chat stands in for it.
    pub endpoint: Endpoint,
    pub method: Method,
    /// `None`: the demo model.
    pub url: Option<String>,
    pub model: BodyModel,
    pub set: std::borrow::Cow<'a, Pairs>,
}

impl<'a> Upstream<'a> {
    /// # Errors
    /// The provider is not known.
    pub fn resolve(scene: &Scene<'a>, call: &Call, target: &'a Target) -> Result<Self, Refusal> {
        let own = target.provider.strip_prefix('@').unwrap_or(&target.provider);
        let virtual_key = target.virtual_key.as_deref().map(|slug| slug.strip_prefix('@').unwrap_or(slug));
        let named = match virtual_key {
            Some(slug) if scene.realm.providers.contains_key(slug) => slug,
            Some(slug) if own.is_empty() => return Err(no_virtual_key(slug)),
            _ => own,
        };
        let name = if named.is_empty() { inferred(scene, call) } else { named };
        let custom_host = scene.resolved.overrides.custom_host.as_deref().or(target.custom_host.as_deref());
        let known = scene.realm.known(name);
        let row = known.map(|known| known.row).or_else(|| catalog().get(name));
        if row.is_none() && name != DEMO {
            return Err(Refusal::exception(500, format!("Provider {name} not found")));
        }
        // A stored key goes to the address it was stored for, never to one that a request names.
        let elsewhere = custom_host.is_some()
            || row.is_some_and(|row| target.options.keys().any(|name| row.is_address_option(name)));
        let here = known.filter(|_| !elsewhere);
        let credential = here.and_then(|known| known.stored.as_deref()).map(|stored| pick(scene, stored));
        let credential = credential.transpose()?.flatten();
        let of_pool = credential.and_then(|(_, credential)| credential.key.as_ref());
        let stored = of_pool.or_else(|| here.and_then(|known| known.api_key.as_ref()));
        let callers = scene.caller.credential.as_ref().filter(|_| scene.resolved.caller_key);
        let (first, second) =
            if scene.resolved.settings_first { (stored, callers) } else { (callers, stored) };
        let key = target.api_key.as_ref().or(first).or(second);
        // Stored options are credentials as well: they follow the key.
        let known = here;
        let base = match (custom_host, known.and_then(|known| known.base_url.as_deref())) {
            (Some(url), _) => Base::CustomHost(url),
            (None, Some(url)) => Base::BaseUrl(url),
            (None, None) => Base::Own,
        };
        // With a key of the caller's own, nothing of the pool is used.
        let credential =
            credential.filter(|_| key.is_none() || key.map(Secret::expose) == stored.map(Secret::expose));
        Ok(Self {
            row: row.filter(|_| name != DEMO),
            key: key.cloned(),
            base,
            target,
            known,
            credential,
            deployment: None,
        })
    }

    /// For this model, or for the deployment that the request names: the stored provider may have several.
    pub fn serving(mut self, model: &str) -> Self {
        let asked = self.target.option("deployment_id").unwrap_or(model);
        self.deployment = self
            .known
            .and_then(|known| known.stored.as_deref())
            .and_then(|stored| stored.deployments.of(asked));
        self
    }

    /// The model behind the name that was asked for, where the operator says it.
    pub fn model_behind(&self) -> Option<&str> {
        self.deployment.and_then(|deployment| deployment.model.as_deref())
    }

    /// Those that the operator wants every request to have.
    pub fn operators_headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.known.and_then(|known| known.stored.as_deref()).into_iter().flat_map(|stored| &stored.headers)
    }

    /// The workspace's provider that is called, if it is one.
    pub fn stored(&self) -> Option<Arc<tidegate_directory::Provider>> {
        self.known.and_then(|known| known.stored.clone())
    }

    /// Which credential of its pool was taken.
    pub fn credential_index(&self) -> Option<usize> {
        self.credential.map(|(at, _)| at)
    }

    /// # Errors
    /// 403 for a model that this provider may not be asked for.
    pub fn judge_model(&self, model: &str) -> Result<(), Refusal> {
        let Some(known) = self.known.filter(|known| !model.is_empty() && !known.allows(model)) else {
            return Ok(());
        };
        let slug = known.stored.as_ref().map_or(known.row.id, |stored| &*stored.slug);
        let message = format!("the model `{}` is not allowed for the provider `{slug}`", shown(model));
        let mut refusal = Refusal::with_status("model", ErrorKind::Permission, 403, message);
        refusal.error.param = Some("model".into());
        Err(refusal.of_target())
    }

    /// Catalogue id.
    pub fn label(&self) -> &'static str {
        self.row.map_or(DEMO, |row| row.id)
    }

    pub fn row(&self) -> Option<&'static Provider> {
        self.row
    }

    /// The provider's interface is OpenAI's, beyond chat as well.
    pub fn speaks_openai(&self) -> bool {
        self.row.is_some_and(|row| row.dialect == Dialect::OpenAi)
    }

    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub fn option(&self, name: &str) -> Option<&str> {
        self.target
            .option(name)
            .or_else(|| self.of_deployment(name))
            .or_else(|| self.credential.and_then(|(_, one)| one.options.get(name)).map(Secret::expose))
            .or_else(|| self.known.and_then(|known| known.options.get(name)).map(Secret::expose))
    }

    fn of_deployment(&self, name: &str) -> Option<&str> {
        let deployment = self.deployment?;
        match name {
            "deployment_id" => Some(&deployment.name),
            "api_version" => deployment.api_version.as_deref(),
            _ => None,
        }
    }

    /// The vendor's differences from OpenAI's chat.
    pub fn adjust(&self) -> &'static Adjust {
        static NONE: LazyLock<Adjust> = LazyLock::new(Adjust::default);
        static BY_ID: LazyLock<HashMap<&'static str, Adjust, foldhash::fast::RandomState>> =
            LazyLock::new(|| {
                catalog()
                    .iter()
                    .filter(|row| !row.adjust.is_empty())
                    .map(|row| (row.id, adjust_of(row)))
                    .collect()
            });
        self.row.and_then(|row| BY_ID.get(row.id)).unwrap_or(&NONE)
    }

    /// How the client's endpoint is served here; `None` when only an estimate can be given.
    ///
    /// # Errors
    /// The provider lacks it and nothing can stand in for it, or its address needs an option.
    pub fn way(&self, wanted: Endpoint, draft: &Draft<'_>) -> Result<Option<Way<'_>>, Refusal> {
        let Some(row) = self.row else { return self.demo_way(wanted) };
        let candidates: &[Endpoint] = match wanted {
            Endpoint::ChatCompletions if self.option("api") == Some("native") => {
                &[Endpoint::ChatNative, Endpoint::ChatCompletions]
            }
            Endpoint::Embeddings if self.option("api") == Some("native") => {
                &[Endpoint::EmbeddingsNative, Endpoint::Embeddings]
            }
            Endpoint::Messages | Endpoint::Completions => &[wanted, Endpoint::ChatCompletions],
            _ => &[wanted],
        };
        for endpoint in candidates {
            let Some(dialect) = row.dialect_of(*endpoint) else { continue };
            if reading(wanted, *endpoint, dialect).is_none() {
                continue;
            }
            let to = row
                .destination(&UrlCall {
                    endpoint: *endpoint,
                    model: &draft.model,
                    stream: draft.stream,
                    base: self.base,
                    options: &|name| self.option(name),
                    query: draft.query,
                })
                .map_err(|error| refuse_url(&error))?;
            // A model may have a dialect of its own (partners on one cloud).
            let Some(reading) = reading(wanted, *endpoint, to.dialect) else { continue };
            return Ok(Some(Way {
                reading,
                endpoint: *endpoint,
                method: method(to.method),
                url: Some(to.url),
                model: to.model,
                set: std::borrow::Cow::Owned(to.set),
            }));
        }
        if wanted == Endpoint::CountTokens && row.route(Endpoint::ChatCompletions).is_some() {
            return Ok(None);
        }
        Err(unsupported(wanted, row.id))
    }

    /// The provider's own address for a body that is not read.
    ///
    /// # Errors
    /// As [`Self::way`].
    pub fn address(&self, endpoint: Endpoint, query: Option<&str>) -> Result<(Method, String), Refusal> {
        let row = self.row.ok_or_else(|| unsupported(endpoint, DEMO))?;
        let to = row
            .destination(&UrlCall {
                endpoint,
                model: "",
                stream: false,
                base: self.base,
                options: &|name| self.option(name),
                query,
            })
            .map_err(|error| refuse_url(&error))?;
        Ok((method(to.method), to.url))
    }

    /// The provider's address for realtime sessions with `model`, and whether they are in OpenAI's form there.
    ///
    /// # Errors
    /// As [`Self::way`].
    pub fn realtime(&self, model: &str, query: Option<&str>) -> Result<(String, bool), Refusal> {
        let endpoint = Endpoint::Realtime;
        let row = self.row.ok_or_else(|| unsupported(endpoint, DEMO))?;
        let rest = without_model(query);
        let to = row
            .destination(&UrlCall {
                endpoint,
                model,
                stream: false,
                base: self.base,
                options: &|name| self.option(name),
                query: Some(&rest),
            })
            .map_err(|error| refuse_url(&error))?;
        let mut url = to.url;
        let mut add = |pair: &str| {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(pair);
        };
        // A row whose API has versions has taken the client's query along.
        if !row.has_versions() && !rest.is_empty() {
            add(&rest);
        }
        let is_openai = to.dialect == Dialect::OpenAi;
        let names_model = |url: &str| url.contains("?model=") || url.contains("deployment=");
        if is_openai && !model.is_empty() && !names_model(&url) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str("model=");
            url.push_str(&encoded(model));
        }
        Ok((url, is_openai))
    }

    /// # Errors
    /// The base needs an option that is not given, or the path climbs.
    pub fn pass_through(&self, path: &str, query: Option<&str>) -> Result<String, Refusal> {
        let Some(row) = self.row else {
            return Err(Refusal::exception(
                404,
                "the demo model answers chat, completions, embeddings and models only",
            ));
        };
        row.pass_through(path, query, self.base, &|name| self.option(name))
            .map_err(|error| refuse_url(&error))
    }

    /// An address that options of the request name is judged as a custom host is.
    ///
    /// # Errors
    /// A host that a request may not name.
    pub fn judge(&self, scene: &Scene<'_>, uri: &http::Uri) -> Result<(), Refusal> {
        let Some(row) = self.row else { return Ok(()) };
        let named = self.target.options.keys().any(|name| row.is_address_option(name));
        if matches!(self.base, Base::CustomHost(_)) || !named {
            return Ok(());
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let origin = format!("{}://{authority}", uri.scheme_str().unwrap_or("https"));
        tidegate_routing::custom_host::check(&origin, &scene.snapshot.hosts)
            .map_err(|why| Refusal::exception(400, format!("Invalid custom host: {}", why.reason())))
    }

    /// Shows the credential. Last of all: a signature covers the rest.
    ///
    /// # Errors
    /// A key that no header can carry, or a streamed body where the signature covers the body.
    pub fn sign(
        &self,
        scene: &Scene<'_>,
        parts: &mut Parts,
        body: Option<&Arc<[Bytes]>>,
    ) -> Result<(), Refusal> {
        let Some((scheme, key)) = self.credential() else { return Ok(()) };
        sign::apply(&scheme, &key, parts, body.map(|frames| &frames[..]), || scene.gateway.clock.unix_ms())
            .map_err(|error| Refusal::exception(400, format!("{}: {error}", self.label())))
    }

    /// What to show and how; nothing when there is no key (the provider then says what it thinks of that).
    fn credential(&self) -> Option<(Scheme, Secret)> {
        let row = self.row?;
        if let Some(token) = self.option("azure_ad_token") {
            return Some((Scheme::Bearer, token.into()));
        }
        let scheme = row.auth.scheme_for(self.key.is_some());
        if let AuthScheme::SigV4 { service } = scheme
            && let (Some(id), Some(secret)) =
                (self.option("aws_access_key_id"), self.option("aws_secret_access_key"))
        {
            let account = SigV4 {
                access_key_id: id.into(),
                session_token: self.option("aws_session_token").map(Secret::from),
                region: self.option("aws_region").unwrap_or("us-east-1").into(),
                service: service.into(),
            };
            return Some((Scheme::SigV4(account), secret.into()));
        }
        let key = self.key.clone()?;
        let scheme = match scheme {
            AuthScheme::None => Scheme::None,
            // OAuth access tokens of Anthropic go as bearers, and its API keys do not.
            AuthScheme::Header { .. } if sign::is_oauth_token(&key) => Scheme::Bearer,
            AuthScheme::Header { name, prefix } => {
                Scheme::Header { name: HeaderName::from_static(name), prefix: prefix.into() }
            }
            AuthScheme::Query { name } => Scheme::Query { name: name.into() },
            // Tokens made elsewhere (cloud API keys, access tokens) are bearers.
            AuthScheme::Bearer | AuthScheme::SigV4 { .. } | AuthScheme::OAuth { .. } | AuthScheme::Oci => {
                Scheme::Bearer
            }
        };
        Some((scheme, key))
    }

    fn demo_way(&self, wanted: Endpoint) -> Result<Option<Way<'_>>, Refusal> {
        static NOTHING: LazyLock<Pairs> = LazyLock::new(Pairs::default);
        let (reading, endpoint) = match wanted {
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
                (Reading::Same(DialectId::OpenAi), wanted)
            }
            Endpoint::Messages => (Reading::Chat(DialectId::OpenAi), Endpoint::ChatCompletions),
            Endpoint::CountTokens => return Ok(None),
            _ => return Err(unsupported(wanted, DEMO)),
        };
        Ok(Some(Way {
            reading,
            endpoint,
            method: Method::POST,
            url: None,
            model: BodyModel::AsGiven,
            set: std::borrow::Cow::Borrowed(&NOTHING),
        }))
    }
}

/// The credential for this attempt.
fn pick<'a>(
    scene: &Scene<'a>,
    stored: &'a tidegate_directory::Provider,
) -> Result<Option<(usize, &'a Credential)>, Refusal> {
    let now = scene.gateway.clock.unix_ms();
    if stored.is_expired(now) {
        let message = format!("the provider `{}` has expired", stored.slug);
        return Err(Refusal::with_status("provider_expired", ErrorKind::Auth, 401, message).of_target());
    }
    Ok(stored.pool.pick(now, tidegate_core::id::draw()))
}

fn no_virtual_key(slug: &str) -> Refusal {
    let message = format!("no provider or virtual key here is called `{}`", shown(slug));
    let mut refusal = Refusal::with_status("virtual_key", ErrorKind::BadRequest, 400, message);
    refusal.error.param = Some("virtual_key".into());
    refusal.of_target()
}

/// User text in an error message: short and printable.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The demo model's answer.
pub fn demo(endpoint: Endpoint, frames: &[Bytes], now_s: u64) -> tidegate_demo::Reply {
    let endpoint = match endpoint {
        Endpoint::Embeddings => tidegate_demo::Endpoint::Embeddings,
        Endpoint::Completions => tidegate_demo::Endpoint::Completions,
        _ => tidegate_demo::Endpoint::ChatCompletions,
    };
    tidegate_demo::answer(endpoint, &frames.concat(), now_s)
}

/// How an answer of `endpoint` in `dialect` serves a client of `wanted`; `None` when it cannot.
fn reading(wanted: Endpoint, endpoint: Endpoint, dialect: Dialect) -> Option<Reading> {
    let code = code_of(dialect);
    match wanted {
        Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Messages => {
            let own = if wanted == Endpoint::Messages { DialectId::Anthropic } else { DialectId::OpenAi };
            if endpoint == wanted && code == Some(own) {
                return Some(Reading::Same(own));
            }
            // A legacy completions endpoint of another dialect is no chat endpoint.
            if endpoint == wanted && wanted != Endpoint::ChatCompletions {
                return None;
            }
            code.map(Reading::Chat)
        }
        Endpoint::Embeddings => Some(match code? {
            DialectId::OpenAi => Reading::Same(DialectId::OpenAi),
            dialect => Reading::Embeddings { dialect, base64: false },
        }),
        Endpoint::CountTokens => {
            (code == Some(DialectId::Anthropic)).then_some(Reading::Same(DialectId::Anthropic))
        }
        _ => Some(Reading::Same(DialectId::OpenAi)),
    }
}

fn code_of(dialect: Dialect) -> Option<DialectId> {
    Some(match dialect {
        Dialect::OpenAi => DialectId::OpenAi,
        Dialect::Anthropic => DialectId::Anthropic,
        Dialect::Gemini => DialectId::Gemini,
        Dialect::Cohere => DialectId::Cohere,
        Dialect::Ollama => DialectId::Ollama,
        Dialect::Other(_) => return None,
    })
}

/// A target without a provider: the model may say it.
fn inferred<'a>(scene: &Scene<'_>, call: &'a Call) -> &'a str {
    match call.peek.model.as_deref().map(infer) {
        Some(Inference::Explicit { provider, .. } | Inference::ByName(provider))
            if scene.realm.known(provider.id).is_some() =>
        {
            provider.id
        }
        _ => "",
    }
}

fn method(method: tidegate_catalog::Method) -> Method {
    match method {
        tidegate_catalog::Method::Get => Method::GET,
        tidegate_catalog::Method::Post => Method::POST,
        tidegate_catalog::Method::Put => Method::PUT,
        tidegate_catalog::Method::Delete => Method::DELETE,
    }
}

fn adjust_of(row: &Provider) -> Adjust {
    let given = &row.adjust;
    Adjust {
        rename: given.rename.iter().map(|(from, to)| (from.to_owned(), to.to_owned())).collect(),
        drop: given.drop.iter().map(|name| (*name).to_owned()).collect(),
        clamp: given.clamp.iter().map(|c| (c.param.to_owned(), c.min, c.max)).collect(),
        developer_to_system: given.developer_to_system,
        tool_choice_required: given.tool_choice_required.map(str::to_owned),
        stop_as_list: given.stop_as_list,
        reasoning_member: given.reasoning_member.map(str::to_owned),
        cache_control: given.cache_control,
        tool_id_length: given.tool_id_length,
    }
}

fn unsupported(endpoint: Endpoint, provider: &str) -> Refusal {
    Refusal::exception(500, format!("{} is not supported by {provider}", endpoint.portkey_fn_name()))
}

fn refuse_url(error: &UrlError) -> Refusal {
    match error {
        UrlError::NotOffered { provider, endpoint } => unsupported(*endpoint, provider),
        UrlError::ModelRequired { .. } => {
            let mut refusal = Refusal::exception(400, "Model is required");
            refusal.error.param = Some("model".into());
            refusal
        }
        _ => Refusal::exception(400, error.to_string()),
    }
}
