//! From a filter to SQL. Names become numbers first: a name that a day does not know has no rows there.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result};
use tidegate_records::{Filter, RecordId, StatusFilter};

/// Conditions on `row` and their parameters.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    terms: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    /// `None`: nothing in this file can fit.
    pub(crate) fn of(
        filter: &Filter,
        before: Option<RecordId>,
        connection: &Connection,
    ) -> Result<Option<Self>> {
        let mut all = Self::default();
        let end = [filter.to_ms.map(RecordId::first_of), before].into_iter().flatten().min();
        if let Some(from) = filter.from_ms {
            all.push("id >= ?", from_id(from));
        }
        if let Some(end) = end {
            all.push("id < ?", end.signed());
        }
        if let Some(status) = &filter.status {
            all.status(status);
        }
        for (column, names, sparse) in [
            ("workspace", &filter.workspace, false),
            ("provider", &filter.provider, false),
            ("model", &filter.model, false),
            ("api_key", &filter.api_key, true),
            ("virtual_key", &filter.virtual_key, true),
            ("user", &filter.user, true),
        ] {
            if !names.is_empty() && !all.names(column, names, sparse, connection)? {
                return Ok(None);
            }
        }
        if !filter.trace.is_empty() {
            all.terms.push(format!("trace in ({})", places(filter.trace.len())));
            all.values.extend(filter.trace.iter().map(|trace| Value::Text(trace.clone())));
            if !filter.trace.iter().any(String::is_empty) {
                all.terms.push("trace <> ''".into());
            }
        }
        Ok(Some(all))
    }

    pub(crate) fn sql(&self) -> String {
        if self.terms.is_empty() { String::new() } else { format!(" where {}", self.terms.join(" and ")) }
    }

    fn push(&mut self, term: &str, value: i64) {
        self.terms.push(term.into());
        self.values.push(Value::Integer(value));
    }

    /// The index on status leaves out 200, so a query may use it only if it says that it wants none.
    fn status(&mut self, status: &StatusFilter) {
        let without_200 = match status {
            StatusFilter::Is(statuses) => {
                self.terms.push(format!("status in ({})", places(statuses.len())));
                self.values.extend(statuses.iter().map(|status| Value::Integer((*status).into())));
                !statuses.contains(&200)
            }
            StatusFilter::Range(first, last) => {
                self.push("status >= ?", (*first).into());
                self.push("status <= ?", (*last).into());
                !(*first..=*last).contains(&200)
            }
        };
        if without_200 {
            self.terms.push("status <> 200".into());
        }
    }

    /// False: none of the names is known here.
    fn names(
        &mut self,
        column: &str,
        names: &[String],
        sparse: bool,
        connection: &Connection,
    ) -> Result<bool> {
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            if name.is_empty() {
                numbers.push(0);
                continue;
            }
            let find = "select id from name where text = ?";
            let number =
                connection.prepare_cached(find)?.query_row([name], |row| row.get::<_, i64>(0)).optional()?;
            numbers.extend(number);
        }
        if numbers.is_empty() {
            return Ok(false);
        }
        self.terms.push(format!("{column} in ({})", places(numbers.len())));
        if sparse && !numbers.contains(&0) {
            self.terms.push(format!("{column} <> 0"));
        }
        self.values.extend(numbers.into_iter().map(Value::Integer));
        Ok(true)
    }
}

fn from_id(unix_ms: u64) -> i64 {
    RecordId::first_of(unix_ms).signed()
}

fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}
