//! Calls that were told and that the gateway served too: an agent's library tells of a call, and the call itself came this
//! way. They are one call, and stand in the tree once. Pure.

use std::collections::{HashMap, HashSet};

use tidegate_records::RequestRecord;

/// Clocks of two machines differ.
pub(crate) const APART_US: u64 = 2_000_000;

/// Which record of a served request is the same call as which record that was told: ids, told to served.
pub(crate) fn same(records: &[RequestRecord]) -> HashMap<u64, u64> {
    let (mut told, mut served): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| !record.source.is_empty());
    told.sort_by_key(|record| record.id);
    served.sort_by_key(|record| record.id);
    let (mut found, mut taken) = (HashMap::new(), HashSet::new());
    // A request that names the told call as its parent is that call.
    let by_span: HashMap<&str, u64> = told.iter().map(|call| (&*call.span.span, call.id)).collect();
    for request in &served {
        let parent = by_span.get(&*request.span.parent).filter(|_| !request.span.parent.is_empty());
        if let Some(call) = parent.filter(|call| !found.contains_key(*call)) {
            found.insert(*call, request.id);
            taken.insert(request.id);
        }
    }
    // Others are told to have come this way, or not to have gone elsewhere: in their order, where time and model agree.
    let unnamed = told.iter().filter(|call| call.is_counted_elsewhere() || is_of_nowhere(call));
    for call in unnamed {
        if found.contains_key(&call.id) {
            continue;
        }
        let fits = |request: &&&RequestRecord| {
            request.span.parent.is_empty() && !taken.contains(&request.id) && is_within(request, call)
        };
        if let Some(request) = served.iter().find(fits).map(|request| request.id) {
            found.insert(call.id, request);
            taken.insert(request);
        }
    }
    found
}

/// A handler told of the call and gave no host: newer versions of the agents' libraries keep addresses to themselves.
pub(crate) fn is_of_nowhere(call: &RequestRecord) -> bool {
    let mut metadata = call.who.metadata.iter();
    !call.path.contains("://")
        && metadata.any(|(name, value)| *name == "_source" && matches!(&**value, "Langchain" | "LlamaIndex"))
}

fn is_within(request: &RequestRecord, call: &RequestRecord) -> bool {
    let end = |record: &RequestRecord| record.began_us() + record.timing.total_us;
    if request.began_us() + APART_US < call.began_us() || end(request) > end(call) + APART_US {
        return false;
    }
    let names = |record: &RequestRecord| {
        let names = [&record.asked_model, &record.model];
        names
            .into_iter()
            .filter(|name| !name.is_empty())
            .map(|name| bare(name).to_owned())
            .collect::<Vec<_>>()
    };
    let (asked, said) = (names(request), names(call));
    asked.is_empty() || said.is_empty() || asked.iter().any(|name| said.contains(name))
}

/// Without the provider that it may name: `@openai/gpt-4o`.
fn bare(model: &str) -> &str {
    match model.strip_prefix('@') {
        Some(rest) => rest.split_once('/').map_or(rest, |(_, model)| model),
        None => model,
    }
}

#[cfg(test)]
mod tests {
    use tidegate_records::{COUNTED_ELSEWHERE, RecordId, Span, Timing};

    use super::*;

    const AT: u64 = 1_790_000_000_000;

    fn served(ms: u64, model: &'static str, parent: &'static str) -> RequestRecord {
        RequestRecord {
            id: RecordId::first_of(AT + ms).bits() | 1,
            asked_model: model.into(),
            timing: Timing { total_us: 100_000, ..Timing::default() },
            span: Span { parent: parent.into(), ..Span::default() },
            ..RequestRecord::default()
        }
    }

    fn told(ms: u64, model: &'static str, span: &'static str) -> RequestRecord {
        RequestRecord {
            id: RecordId::first_of(AT + ms).bits() | 2,
            source: "log".into(),
            span: Span { span: span.into(), ..Span::default() },
            warnings: vec![COUNTED_ELSEWHERE.into()],
            ..served(ms, model, "")
        }
    }

    #[test]
    fn by_parent_whatever_the_clocks_say() {
        let records = [served(0, "a", "far"), told(90_000, "b", "far")];
        assert_eq!(same(&records), HashMap::from([(records[1].id, records[0].id)]));
    }

    #[test]
    fn by_time_and_model_in_their_order() {
        let records = [
            told(0, "gpt-4o", "1"),
            told(200, "gpt-4o", "2"),
            told(200, "other", "3"),
            served(10, "@openai/gpt-4o", ""),
            served(210, "gpt-4o", ""),
        ];
        let found = same(&records);
        assert_eq!(found, HashMap::from([(records[0].id, records[3].id), (records[1].id, records[4].id)]));
    }

    #[test]
    fn not_what_went_elsewhere_or_at_another_time() {
        let late = [told(0, "a", "1"), served(10_000, "a", "")];
        assert!(same(&late).is_empty());
        let elsewhere = [RequestRecord { warnings: Vec::new(), ..told(0, "a", "1") }, served(0, "a", "")];
        assert!(same(&elsewhere).is_empty());
        let unknown = RequestRecord { path: "chat/completions".into(), ..elsewhere[0].clone() };
        assert!(same(&[unknown.clone(), elsewhere[1].clone()]).is_empty(), "no handler told of it");
        let who = tidegate_records::Who {
            metadata: vec![("_source".into(), "LlamaIndex".into())],
            ..Default::default()
        };
        let of_handler = RequestRecord { who, ..unknown };
        assert_eq!(same(&[of_handler.clone(), elsewhere[1].clone()]).len(), 1);
        let addressed = RequestRecord { path: "https://api.openai.com/v1".into(), ..of_handler };
        assert!(same(&[addressed, elsewhere[1].clone()]).is_empty());
        let below_a_step = [told(0, "a", "1"), served(0, "a", "step")];
        assert!(same(&below_a_step).is_empty());
    }
}
