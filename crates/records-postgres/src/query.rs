//! From a filter to SQL. The planner knows the data, so it chooses the index.

use tidegate_records::{Between, Filter, RecordId, StatusFilter};
use tokio_postgres::types::ToSql;

use crate::batch::signed;
use crate::text::{column, pair};

/// Conditions on `request_record` and their parameters.
#[derive(Default)]
pub(crate) struct Conditions {
    terms: Vec<String>,
    values: Vec<Box<dyn ToSql + Sync>>,
}

impl Conditions {
    pub(crate) fn of(filter: &Filter, before: Option<RecordId>) -> Self {
        let mut all = Self::default();
        let end = [filter.to_ms.map(RecordId::first_of), before].into_iter().flatten().min();
        if let Some(from) = filter.from_ms {
            all.add("id >= ?", RecordId::first_of(from).signed());
        }
        if let Some(end) = end {
            all.add("id < ?", end.signed());
        }
        for (name, sparse, names) in [
            ("organisation", "", &filter.organisation),
            ("workspace", "", &filter.workspace),
            ("provider", "", &filter.provider),
            ("model", "", &filter.model),
            ("api_key", "api_key <> ''", &filter.api_key),
            ("key_owner", "key_owner <> ''", &filter.key_owner),
            ("virtual_key", "virtual_key <> ''", &filter.virtual_key),
            ("config", "config <> ''", &filter.config),
            ("user_name", "user_name <> ''", &filter.user),
            ("cache", "", &filter.cache),
            ("trace", "trace <> ''", &filter.trace),
            // Every request has one: an index would cost more than it is asked for, which is within a time or a trace.
            ("span", "", &filter.span),
            ("session", "session <> ''", &filter.session),
        ] {
            if names.is_empty() {
                continue;
            }
            if !sparse.is_empty() && !names.iter().any(String::is_empty) {
                // Said so that an index which leaves out rows may be used.
                all.terms.push(sparse.into());
            }
            let mut names: Vec<String> = names.iter().map(|name| column(name).into_owned()).collect();
            match names.pop() {
                // Not as a list of one: an index gives the newest first only for what equals one value.
                Some(one) if names.is_empty() => all.add(&format!("{name} = ?"), one),
                last => {
                    names.extend(last);
                    all.add(&format!("{name} = ANY (?)"), names);
                }
            }
        }
        if filter.in_session {
            all.terms.push("session <> ''".into());
        }
        match &filter.status {
            None => {}
            Some(StatusFilter::Is(statuses)) => {
                if !statuses.contains(&200) {
                    all.terms.push("status <> 200".into());
                }
                all.add(
                    "status = ANY (?)",
                    statuses.iter().map(|status| (*status).into()).collect::<Vec<i32>>(),
                );
            }
            Some(StatusFilter::Range(first, last)) => {
                if !(*first..=*last).contains(&200) {
                    all.terms.push("status <> 200".into());
                }
                all.add("status >= ?", i32::from(*first));
                all.add("status <= ?", i32::from(*last));
            }
        }
        if !filter.metadata.is_empty() {
            let pairs =
                filter.metadata.iter().map(|(name, value)| pair(name, value)).collect::<Vec<String>>();
            all.add("metadata @> ?", pairs);
        }
        if !filter.search.is_any() {
            // Said of the bodies' own ids, too, so that only partitions of the time are looked into.
            let times: Vec<String> =
                all.terms.iter().filter(|term| term.starts_with("id ")).cloned().collect();
            all.add("words @> ?", filter.search.words().to_vec());
            let words = all.terms.pop().into_iter().chain(times).collect::<Vec<_>>().join(" AND ");
            all.terms.push("has_bodies".into());
            all.terms.push(format!("id IN (SELECT id FROM request_body WHERE {words})"));
        }
        let cost = filter.cost_bounds();
        all.between("cost", "?::TEXT::NUMERIC", &cost, |bound| bound.to_string());
        for (name, bounds) in [
            ("prompt_tokens", &filter.prompt_tokens),
            ("completion_tokens", &filter.completion_tokens),
            ("total_tokens", &filter.total_tokens),
        ] {
            all.between(name, "?", bounds, |bound| signed(*bound));
        }
        all
    }

    /// `?` stands for the value.
    fn add(&mut self, term: &str, value: impl ToSql + Sync + 'static) {
        self.values.push(Box::new(value));
        self.terms.push(term.replace('?', &format!("${}", self.values.len())));
    }

    fn between<T, V: ToSql + Sync + 'static>(
        &mut self,
        column: &str,
        place: &str,
        bounds: &Between<T>,
        value: impl Fn(&T) -> V,
    ) {
        for (sign, bound) in [(">=", &bounds.min), ("<=", &bounds.max)] {
            if let Some(bound) = bound {
                self.add(&format!("{column} {sign} {place}"), value(bound));
            }
        }
    }

    pub(crate) fn clause(&self) -> String {
        if self.terms.is_empty() { String::new() } else { format!(" WHERE {}", self.terms.join(" AND ")) }
    }

    pub(crate) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }
}
