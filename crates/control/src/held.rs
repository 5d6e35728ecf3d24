//! What crashes left open in the books of this gateway: `/v1/admin/held-reservations`. It counts as spent until somebody
//! says what it cost.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_ledger::{Amount, Unit};
use tidegate_store::entity::{ApiKey, Entity, Integration, Organisation, Policy, Provider, Workspace};
use tidegate_store::id::EntityId as _;
use tidegate_store::{Action, Home};
use uuid::Uuid;

use crate::call::Call;
use crate::listing::{List, Paging, page};
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;
use crate::usage::{Held, Resolution, ResolveError, Subject};

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    /// Of this gateway's books: others have numbers of their own.
    id: String,
    /// When it was reserved; of what may have gone out unrecorded, when that was found.
    reserved_at: Timestamp,
    /// The id of its request, as logs have it. Null where nobody knows which requests those were: what may have gone out
    /// right before the crash.
    request_id: Option<String>,
    trace_id: Option<String>,
    /// On which budgets it lies.
    budgets: Vec<Part>,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    of: Kind,
    id: Uuid,
    name: String,
    r#type: Type,
    /// US dollars or tokens, exact.
    held: String,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    ApiKey,
    Workspace,
    Provider,
    Integration,
    Policy,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Type {
    Cost,
    Tokens,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Object {
    HeldReservation,
}

/// One of the three.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    /// It cost nothing: all of it is free again.
    #[serde(default)]
    release: bool,
    /// It cost all that is held.
    #[serde(default)]
    settle: bool,
    /// What it cost in US dollars, a decimal in quotes such as "0.0012"; the rest is free again. No more than is held.
    #[serde(default)]
    cost: Option<String>,
    /// With `cost`: how many tokens it used, for budgets in tokens.
    #[serde(default)]
    tokens: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Resolved {
    id: String,
    object: Object,
}

pub(crate) async fn list(call: Call, paging: Paging, _: Nothing) -> Answer<List<Row>> {
    call.authorize(Home::organisation(call.organisation))?;
    let (mut names, mut rows) = (Names::default(), Vec::new());
    for held in call.api.options.usage.held() {
        rows.extend(names.row(&call, held).await?);
    }
    let (total, rows) = page(paging, rows)?;
    ok(List::new(total, rows))
}

pub(crate) async fn resolve(call: Call, _: Nothing, body: Resolve) -> Answer<Resolved> {
    call.authorize(Home::organisation(call.organisation))?;
    let missing = || Problem::not_found("this held reservation");
    let id: u64 = call.name(0).parse().map_err(|_| missing())?;
    let usage = &call.api.options.usage;
    let held = usage.held().into_iter().find(|held| held.id == id).ok_or_else(missing)?;
    let resolution = body.read(&held)?;
    Names::default().row(&call, held).await?.ok_or_else(missing)?;
    usage.resolve(id, resolution).await.map_err(|error| match error {
        ResolveError::NotThere => missing(),
        ResolveError::Unable(why) => {
            let problem = "the books cannot be written now; try again";
            Problem::new(http::StatusCode::SERVICE_UNAVAILABLE, problem).because(why)
        }
    })?;
    // It is no change of the organisation, but who said so is to be known.
    let by = call.by.clone().saying(format!("held reservation {id}: {resolution}"));
    call.store().note::<Organisation>(&by, Action::Manage, &call.whole(), call.organisation).await?;
    ok(Resolved { id: id.to_string(), object: Object::HeldReservation })
}

impl Resolve {
    fn read(&self, held: &Held) -> Result<Resolution, Problem> {
        let expected = "one of `release`: true, `settle`: true and `cost`";
        match (self.release, self.settle, &self.cost) {
            (true, false, None) if self.tokens.is_none() => Ok(Resolution::Release),
            (false, true, None) if self.tokens.is_none() => Ok(Resolution::Settle),
            (false, false, Some(cost)) => {
                let number =
                    cost.parse().ok().filter(|cost: &Amount| !cost.is_negative() && cost.money().is_ok());
                let cost = number.ok_or_else(|| {
                    Problem::field("cost", "is no amount", "US dollars as a decimal, such as \"0.0012\"")
                })?;
                let most =
                    |unit| held.parts.iter().filter(|part| part.unit == unit).map(|part| part.amount).max();
                let tokens = self.tokens.unwrap_or(0);
                for (field, unit, amount) in
                    [("cost", Unit::Usd, cost), ("tokens", Unit::Tokens, Amount::tokens(tokens))]
                {
                    if let Some(most) = most(unit).filter(|most| amount > *most) {
                        let problem = format!("is more than the {most} that is held");
                        return Err(Problem::field(field, problem, format!("at most {most}")));
                    }
                }
                Ok(Resolution::Cost { cost, tokens })
            }
            (false, false, None) if self.tokens.is_some() => {
                Err(Problem::field("tokens", "stands without `cost`", "the cost beside it, \"0\" for none"))
            }
            (false, false, None) => Err(Problem::field("cost", "is missing", expected)),
            _ => Err(Problem::field("cost", "stands beside another answer", expected)),
        }
    }
}

/// Names of what is here, looked up once.
#[derive(Default)]
struct Names(HashMap<Subject, Option<String>>);

impl Names {
    /// `None` for what is on no budget of this organisation.
    async fn row(&mut self, call: &Call, held: Held) -> Result<Option<Row>, Problem> {
        let mut budgets = Vec::new();
        for part in held.parts {
            let (of, id) = match &part.subject {
                Subject::ApiKey(id) => (Kind::ApiKey, id.uuid()),
                Subject::Workspace(id) => (Kind::Workspace, id.uuid()),
                Subject::Provider(id) => (Kind::Provider, id.uuid()),
                Subject::Integration(id, _) => (Kind::Integration, id.uuid()),
                Subject::Policy(id, _) => (Kind::Policy, id.uuid()),
            };
            let Some(name) = self.of(call, &part.subject).await? else { continue };
            let r#type = if part.unit == Unit::Usd { Type::Cost } else { Type::Tokens };
            budgets.push(Part { of, id, name, r#type, held: part.amount.to_string() });
        }
        if budgets.is_empty() {
            return Ok(None);
        }
        let text = |text: String| (!text.is_empty()).then_some(text);
        Ok(Some(Row {
            id: held.id.to_string(),
            reserved_at: Timestamp(held.at),
            request_id: text(held.request),
            trace_id: text(held.trace),
            budgets,
            object: Object::HeldReservation,
        }))
    }

    async fn of(&mut self, call: &Call, subject: &Subject) -> Result<Option<String>, Problem> {
        async fn label<E: Entity>(call: &Call, id: E::Id) -> Result<Option<String>, Problem> {
            let stored = found(call.store().get::<E>(&call.whole(), id).await)?;
            Ok(stored.map(|stored| stored.entity.label().to_owned()))
        }
        if let Some(known) = self.0.get(subject) {
            return Ok(known.clone());
        }
        let name = match subject {
            Subject::ApiKey(id) => label::<ApiKey>(call, *id).await?,
            Subject::Workspace(id) => label::<Workspace>(call, *id).await?,
            Subject::Provider(id) => label::<Provider>(call, *id).await?,
            Subject::Integration(id, _) => label::<Integration>(call, *id).await?,
            Subject::Policy(id, _) => label::<Policy>(call, *id).await?,
        };
        self.0.insert(subject.clone(), name.clone());
        Ok(name)
    }
}
