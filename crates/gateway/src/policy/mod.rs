//! The policies of a caller's workspace: which of them hold for a request, and what they were charged for it.
//!
//! What does not look at the provider is counted when the request comes in, with the caller's own limits. The rest is looked
//! at before each attempt. Whatever is tried, and how often: of a policy's value, a request is one request.

mod charges;

use std::sync::Arc;

use tidegate_access::Who;
use tidegate_catalog::Endpoint;
use tidegate_core::{ErrorKind, Moment};
use tidegate_directory::Workspace;
use tidegate_directory::policy::{Called, Counted, Facts, Holds, Measure, Policy};
use tidegate_ledger::{self as ledger, BudgetId};
use tidegate_limits::{Layer, Rule, Scope, Standing};
use tokio::sync::Mutex;

use crate::accept::Call;
use crate::account;
use crate::admit;
use crate::authenticate::Caller;
use crate::headers::GatewayHeaders;
use crate::plan::Resolved;
use crate::prepare::{Job, Scene};
use crate::refuse::Refusal;
use crate::route::Route;
use charges::Charges;

/// One request before the policies of its workspace.
#[derive(Debug)]
pub struct Review {
    workspace: Arc<Workspace>,
    api_key: Option<Arc<str>>,
    config: Option<Arc<str>>,
    endpoint_type: &'static str,
    metadata: Vec<(String, String)>,
    /// Without a slug.
    model: Option<Box<str>>,
    /// Held while charging: tries that run at the same time are charged one after the other.
    charges: Mutex<Charges>,
}

/// A policy that holds for a request, and what its value is counted by.
#[derive(Debug)]
pub struct Matched<'a> {
    pub policy: &'a Policy,
    pub counter: String,
}

impl Review {
    /// `None` where there is no policy, and for requests that only look.
    pub fn of(caller: &Caller, call: &Call, resolved: &Resolved) -> Option<Arc<Self>> {
        let workspace = caller.workspace.as_ref().filter(|workspace| !workspace.policies.is_empty())?;
        if call.parts.method.is_safe() {
            return None;
        }
        let key = caller.key.as_ref();
        let is_key = |who: &Who| matches!(who, Who::Key { .. });
        Some(Arc::new(Self {
            workspace: workspace.clone(),
            api_key: key.filter(|key| is_key(&key.principal.who)).map(|key| key.id.clone()),
            config: resolved.saved.as_ref().map(|(slug, _)| slug.clone()),
            endpoint_type: endpoint_type(call.route),
            metadata: metadata(caller, call),
            model: resolved.model.clone().or_else(|| call.peek.model.as_deref().map(Box::from)),
            charges: Mutex::default(),
        }))
    }

    fn facts<'a>(&'a self, called: Option<Called<'a>>) -> Facts<'a> {
        Facts {
            api_key: self.api_key.as_deref(),
            workspace: Some(self.workspace.name.id.text()),
            config: self.config.as_deref(),
            endpoint_type: Some(self.endpoint_type),
            metadata: &self.metadata,
            called,
        }
    }

    fn matching(&self, facts: &Facts<'_>) -> impl Iterator<Item = Matched<'_>> {
        self.workspace.policies.iter().filter_map(|policy| {
            let counter = policy.counter(&policy.value_key(facts)?);
            Some(Matched { policy, counter })
        })
    }

    /// The rate limits to charge when the request comes in.
    pub fn at_admission(&self) -> Vec<Matched<'_>> {
        let mut matching: Vec<_> = self.matching(&self.facts(None)).collect();
        matching.retain(|one| !one.policy.looks_at_target() && one.rule().is_some());
        matching
    }

    /// Charges what this attempt is the first to meet; gives the budgets that it has to reserve from.
    ///
    /// # Errors
    /// 429 and 412 naming the policy. Another target may be tried where the provider makes a difference to it.
    pub async fn attempt(
        &self,
        scene: &Scene<'_>,
        call: &Call,
        job: &Job,
        now: Moment,
    ) -> Result<Vec<BudgetId>, Refusal> {
        let slug = job.stored.as_deref().map(|stored| &*stored.slug);
        let called = Called { virtual_key: slug, provider: job.provider, model: self.model.as_deref() };
        let (mut rates, mut requests, mut budgets) = (Vec::new(), Vec::new(), Vec::new());
        for one in self.matching(&self.facts(Some(called))) {
            match &one.policy.holds {
                // Charged when the request came in.
                Holds::Rate(_) if !one.policy.looks_at_target() => {}
                Holds::Rate(rule) => rates.push((one, *rule)),
                Holds::Usage(counted) => {
                    let id = budget(&one, counted).await?;
                    match counted.measure {
                        Measure::Consumption => budgets.push(id),
                        Measure::Requests => requests.push((one, id)),
                    }
                }
            }
        }
        let mut charges = self.charges.lock().await;
        let met = rates.iter().map(|(one, _)| one).chain(requests.iter().map(|(one, _)| one));
        charges.begin(met.map(|one| &*one.counter));
        let reserved = charges.reserve(scene, call, &requests).await?;
        if let Err(refusal) = charges.admit(scene, call, &rates, now).await {
            charges.take_back(reserved);
            return Err(refusal);
        }
        Ok(budgets)
    }

    /// An attempt goes out.
    pub async fn sent(&self) {
        self.charges.lock().await.sent();
    }

    /// The request is over.
    pub fn close(&self, tokens: u64, now: Moment) {
        // Nobody charges any more; if somebody did, what is charged settles when it is dropped.
        if let Ok(mut charges) = self.charges.try_lock() {
            charges.close(tokens, now);
        }
    }

    /// Whether an attempt was charged anything.
    pub fn is_charged(&self) -> bool {
        self.charges.try_lock().is_ok_and(|charges| !charges.is_empty())
    }

    /// How the limits stood that attempts were charged.
    pub fn standing(&self) -> Option<Standing> {
        self.charges.try_lock().ok()?.standing()
    }

    /// What somebody is told whose budget of a policy is used up. `counter` is the budget's id.
    pub fn exhausted(&self, counter: &str) -> Refusal {
        let of = |policy: &&Arc<Policy>| {
            counter.strip_prefix(&*policy.id).is_some_and(|rest| rest.starts_with('/'))
        };
        match self.workspace.policies.iter().find(of) {
            Some(policy) => exhausted(policy),
            None => over_budget(counter),
        }
    }
}

impl Matched<'_> {
    fn rule(&self) -> Option<&Rule> {
        match &self.policy.holds {
            Holds::Rate(rule) => Some(rule),
            Holds::Usage(_) => None,
        }
    }

    /// Where it is counted.
    pub fn layer(&self) -> Layer<'_> {
        let rules = self.rule().map(std::slice::from_ref).unwrap_or_default();
        Layer { scope: Scope::Policy, id: &self.counter, rules }
    }
}

async fn budget(one: &Matched<'_>, counted: &Counted) -> Result<BudgetId, Refusal> {
    counted.budget(&one.counter).await.map_err(|_| {
        let name = admit::shown(&one.policy.name);
        let message = format!(
            "the policy '{name}' has as many budgets as there may be, or none can be kept at this moment"
        );
        Refusal::with_status("ledger", ErrorKind::Overloaded, 503, message)
    })
}

fn exhausted(policy: &Policy) -> Refusal {
    let told = over_budget(&policy.name);
    if policy.looks_at_target() { told.of_target() } else { told }
}

fn over_budget(name: &str) -> Refusal {
    let word = ledger::Scope::Policy.word();
    let message = format!("Usage limit exceeded for {word} '{}'", admit::shown(name));
    let mut told = Refusal::with_status("budget", ErrorKind::BadRequest, 412, message);
    told.error.code = Some("412".into());
    told.error.vendor_type = Some("usage_limit_exceeded".into());
    told
}

/// The request's, and above them those that an administrator gave the key: nobody is somebody else by saying so.
fn metadata(caller: &Caller, call: &Call) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if let Some(given) = &caller.defaults().metadata {
        all.extend(account::pairs((**given).clone()));
    }
    if let Some(text) = GatewayHeaders::text(call.own.metadata.as_ref()) {
        for (name, value) in account::metadata_pairs(text) {
            if !all.iter().any(|(known, _)| *known == name) {
                all.push((name, value));
            }
        }
    }
    all
}

/// The reference's word for what is asked.
fn endpoint_type(route: Route) -> &'static str {
    let endpoint = match route {
        Route::Unified(endpoint) => endpoint,
        Route::Realtime => Endpoint::Realtime,
        _ => return "proxy",
    };
    match endpoint {
        Endpoint::ChatCompletions => "chatComplete",
        Endpoint::Completions => "complete",
        Endpoint::Embeddings => "embed",
        Endpoint::Messages => "messages",
        Endpoint::CountTokens => "messagesCountTokens",
        Endpoint::Responses => "createModelResponse",
        Endpoint::ImagesGenerations => "imageGenerate",
        Endpoint::ImagesEdits => "imageEdit",
        Endpoint::AudioSpeech => "createSpeech",
        Endpoint::AudioTranscriptions => "createTranscription",
        Endpoint::AudioTranslations => "createTranslation",
        Endpoint::Realtime => "realtime",
        _ => "proxy",
    }
}
