//! `POST /v1/alerts/{id}/test`: a notice that says that it is a test, to each channel of a rule.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_alerts::{Channel, Notice, Told};
use tidegate_core::id;
use tokio::task::JoinSet;

use super::lookout::notice;
use super::{channels_of, named, question, rule_of};
use crate::call::Call;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tried {
    /// In the order of the channels.
    results: Vec<Told>,
    object: Object,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Object {
    AlertTest,
}

pub(crate) async fn run(call: Call, _: Nothing, _: Nothing) -> Answer<Tried> {
    let rule = named(&call).await?;
    let channels = channels_of(&rule)?;
    let messenger = call.api.options.messenger.clone();
    let messenger =
        messenger.ok_or_else(|| Problem::conflict("this gateway has nobody who brings notices"))?;
    let text = rule_of(&rule)?;
    let meaning = question::check(&text)?;
    let base = &call.api.options.public_url;
    let told = Notice {
        id: id::random("ntc_", 24),
        ..notice(&call.api.store, base, &rule, &meaning, None, call.now()).await
    };
    let mut trials = JoinSet::new();
    for (at, channel) in channels.iter().cloned().enumerate() {
        let (messenger, told) = (messenger.clone(), told.clone());
        trials.spawn(async move { (at, messenger.attempt(&channel.way, &told).await) });
    }
    let mut results: Vec<Told> = channels.iter().map(waiting).collect();
    while let Some(trial) = trials.join_next().await {
        let Ok((at, outcome)) = trial else { continue };
        if let Some(result) = results.get_mut(at) {
            result.delivered = Some(outcome.is_ok());
            result.problem = outcome.err();
        }
    }
    ok(Tried { results, object: Object::AlertTest })
}

pub(super) fn waiting(channel: &Channel) -> Told {
    Told { channel: channel.id.clone(), name: channel.name(), delivered: None, problem: None }
}
