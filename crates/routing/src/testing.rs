//! What the tests of this crate share: a permissive context, plans from JSON, and a request that walks with
//! scripted outcomes.

use serde_json::Value;
use tidegate_core::Moment;

use crate::config::{self, Config, ConfigContext, ConfigError};
use crate::custom_host::HostRules;
use crate::health::Health;
use crate::plan::{Defaults, JsonMap, Plan, Target};
use crate::walk::{Env, Facts, Outcome, RouteError, Step, Walk};

pub(crate) const PROVIDERS: [&str; 8] =
    ["anthropic", "azure-openai", "bedrock", "google", "ollama", "openai", "triton", "vertex-ai"];

pub(crate) fn parse_with(text: &str, provider_header: bool) -> Result<Config, ConfigError> {
    let hosts = HostRules::default();
    config::parse(
        text,
        &ConfigContext {
            is_provider: &|id| PROVIDERS.contains(&id.strip_prefix("@my-").unwrap_or(id)),
            provider_ids: &PROVIDERS,
            has_key: &|id| id == "google",
            hosts: &hosts,
            provider_header,
        },
    )
}

pub(crate) fn parse(config: &Value) -> Config {
    parse_with(&config.to_string(), false).unwrap_or_else(|error| panic!("{config}: {error}"))
}

pub(crate) fn plan(config: &Value) -> Plan {
    Plan::new(&parse(config), Defaults::default(), None)
}

type PriceList = Box<dyn Fn(&Target) -> Option<u64>>;

/// Requests of one test: their facts, their luck, the health they share.
pub(crate) struct Road {
    pub(crate) health: Health,
    pub(crate) now: Moment,
    pub(crate) metadata: JsonMap,
    pub(crate) params: JsonMap,
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) prompt_prefix_hash: Option<u64>,
    pub(crate) draw: Box<dyn FnMut() -> f64>,
    pub(crate) price: PriceList,
}

/// Steps taken by a request, as `path#retry+wait`, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) tries: Vec<String>,
    pub(crate) end: Result<i32, RouteError>,
}

impl Road {
    pub(crate) fn new() -> Self {
        Self {
            health: Health::new(),
            now: Moment(1_000),
            metadata: JsonMap::new(),
            params: JsonMap::new(),
            header: None,
            prompt_prefix_hash: None,
            draw: Box::new(|| 0.5),
            price: Box::new(|_| None),
        }
    }

    /// Walks until the end. `outcome` says what each try leads to; it is recorded, and time goes on by the
    /// waits.
    pub(crate) fn travel(&mut self, plan: &Plan, mut outcome: impl FnMut(&Target, u32) -> Outcome) -> Trip {
        let mut walk = Walk::new(plan);
        let mut tries = Vec::new();
        let mut step = self.with(|facts, env| walk.begin(facts, env));
        loop {
            assert!(tries.len() < 10_000, "the walk does not end");
            let (target, retry) = match step {
                Err(error) => return Trip { tries, end: Err(error) },
                Ok(Step::Done { retry_count }) => return Trip { tries, end: Ok(retry_count) },
                Ok(Step::Try { target, retry, wait_ms, .. }) => {
                    self.now = self.now.plus(wait_ms);
                    tries.push(format!("{}#{retry}+{wait_ms}", target.path));
                    (target, retry)
                }
            };
            let outcome = outcome(&target, retry);
            self.health.record(&target.key, &outcome, self.now);
            step = self.with(|facts, env| walk.after(&outcome, facts, env));
        }
    }

    /// The targets tried when each try ends with the status its own `override_params.model` names (`st503`),
    /// else 200.
    pub(crate) fn paths(&mut self, plan: &Plan) -> Vec<String> {
        let trip = self.travel(plan, |target, _| Outcome::of_status(scripted_status(target)));
        let path = |tried: &String| tried.split('#').next().unwrap_or_default().to_owned();
        trip.tries.iter().map(path).collect()
    }

    fn with<T>(&mut self, act: impl FnOnce(&Facts<'_>, &mut Env<'_>) -> T) -> T {
        let header = &self.header;
        let look_up =
            |name: &str| header.as_ref().filter(|(own, _)| *own == name).map(|(_, value)| value.as_str());
        let facts = Facts {
            metadata: &self.metadata,
            params: &self.params,
            url_path: "/v1/chat/completions",
            header: &look_up,
            prompt_prefix_hash: self.prompt_prefix_hash,
        };
        let mut env = Env { now: self.now, draw: &mut *self.draw, health: &self.health, price: &*self.price };
        act(&facts, &mut env)
    }
}

pub(crate) fn scripted_status(target: &Target) -> u16 {
    let model =
        target.override_params.as_ref().and_then(|params| params.get("model")).and_then(Value::as_str);
    model.and_then(|model| model.strip_prefix("st")).and_then(|status| status.parse().ok()).unwrap_or(200)
}

/// Evenly spread draws, the same in every run.
pub(crate) fn even_draws() -> Box<dyn FnMut() -> f64> {
    let mut state = 0u64;
    Box::new(move || crate::dry_run::draw(&mut state))
}
