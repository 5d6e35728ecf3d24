//! From a filter to SQL. Names become numbers first: a name that a day does not know has no rows there.
//!
//! One filter drives: the one that is expected to leave the fewest rows, and its index gives them in the order of the list.
//! The others are only looked at (`+column` keeps the planner from trading places: without knowing the data it would as
//! soon walk through half a day). Where the driver has several values each is a query of its own, and SQLite merges them:
//! an index on (column, id) is in order for one value only.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result};
use tidegate_records::{Filter, RecordId, StatusFilter};

/// More values than this are looked up at once and sorted.
const MOST_ARMS: usize = 64;

/// Conditions on `row` and their parameters.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    /// What every arm says beside the driver.
    terms: Vec<String>,
    values: Vec<Value>,
    driver: Option<Driver>,
}

#[derive(Debug)]
struct Driver {
    column: &'static str,
    /// Said so that an index which leaves out rows may be used.
    besides: &'static str,
    arms: Vec<Value>,
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
            all.terms.push("id >= ?".into());
            all.values.push(Value::Integer(RecordId::first_of(from).signed()));
        }
        if let Some(end) = end {
            all.terms.push("id < ?".into());
            all.values.push(Value::Integer(end.signed()));
        }
        if !filter.trace.is_empty() {
            let mut traces = filter.trace.clone();
            traces.sort_unstable();
            traces.dedup();
            let sparse = !traces.iter().any(String::is_empty);
            let traces = traces.into_iter().map(Value::Text).collect();
            all.one_of("trace", traces, if sparse { "trace <> ''" } else { "" }, sparse);
        }
        // The fewest rows first.
        for (column, names, besides) in [
            ("user", &filter.user, "user <> 0"),
            ("api_key", &filter.api_key, "api_key <> 0"),
            ("virtual_key", &filter.virtual_key, "virtual_key <> 0"),
            ("model", &filter.model, ""),
        ] {
            if !all.names(column, names, besides, connection)? {
                return Ok(None);
            }
        }
        if let Some(status) = &filter.status {
            all.status(status, connection)?;
        }
        for (column, names) in [("provider", &filter.provider), ("workspace", &filter.workspace)] {
            if !all.names(column, names, "", connection)? {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// A query for `columns`, of which the first is `id`, newest first.
    pub(crate) fn list(&self, columns: &str, limit: usize) -> (String, Vec<Value>) {
        let order = format!("order by 1 desc limit {limit}");
        let Some(driver) = self.driver.as_ref().filter(|driver| (2..=MOST_ARMS).contains(&driver.arms.len()))
        else {
            let (conditions, values) = self.plain();
            return (format!("select {columns} from row{conditions} {order}"), values);
        };
        let mut values = Vec::new();
        let arms: Vec<_> = driver
            .arms
            .iter()
            .map(|arm| {
                values.push(arm.clone());
                values.extend_from_slice(&self.values);
                let terms = self.all_terms(format!("{} = ?", driver.column));
                format!("select {columns} from row where {}", terms.join(" and "))
            })
            .collect();
        (format!("{} {order}", arms.join(" union all ")), values)
    }

    /// As one `where`, for counting.
    pub(crate) fn plain(&self) -> (String, Vec<Value>) {
        let mut values = Vec::new();
        let terms = match &self.driver {
            Some(driver) => {
                values.extend_from_slice(&driver.arms);
                self.all_terms(format!("{} in ({})", driver.column, places(driver.arms.len())))
            }
            None => self.terms.clone(),
        };
        values.extend_from_slice(&self.values);
        let conditions =
            if terms.is_empty() { String::new() } else { format!(" where {}", terms.join(" and ")) };
        (conditions, values)
    }

    fn all_terms(&self, driver: String) -> Vec<String> {
        let besides = self.driver.as_ref().map_or("", |driver| driver.besides);
        let besides = (!besides.is_empty()).then(|| besides.to_owned());
        [driver].into_iter().chain(besides).chain(self.terms.iter().cloned()).collect()
    }

    /// `may_drive`: the column's index has the rows that are wanted.
    fn one_of(&mut self, column: &'static str, values: Vec<Value>, besides: &'static str, may_drive: bool) {
        if self.driver.is_none() && may_drive {
            self.driver = Some(Driver { column, besides, arms: values });
        } else {
            self.terms.push(format!("+{column} in ({})", places(values.len())));
            self.values.extend(values);
        }
    }

    /// The index on status leaves out 200. A range becomes the values that are there: they are few.
    fn status(&mut self, status: &StatusFilter, connection: &Connection) -> Result<()> {
        let (wanted, with_200) = match status {
            StatusFilter::Is(statuses) => (statuses.clone(), statuses.contains(&200)),
            StatusFilter::Range(first, last) if (*first..=*last).contains(&200) || self.driver.is_some() => {
                self.terms.push("+status between ? and ?".into());
                self.values.extend([first, last].map(|end| Value::Integer((*end).into())));
                return Ok(());
            }
            StatusFilter::Range(first, last) => (statuses_between(*first, *last, connection)?, false),
        };
        let mut wanted = wanted;
        wanted.sort_unstable();
        wanted.dedup();
        let values = wanted.into_iter().map(|status| Value::Integer(status.into())).collect();
        self.one_of("status", values, if with_200 { "" } else { "status <> 200" }, !with_200);
        Ok(())
    }

    /// False: none of the names is known here.
    fn names(
        &mut self,
        column: &'static str,
        names: &[String],
        besides: &'static str,
        connection: &Connection,
    ) -> Result<bool> {
        if names.is_empty() {
            return Ok(true);
        }
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            if name.is_empty() {
                numbers.push(0);
                continue;
            }
            let find = "select id from name where text = ?";
            let number = connection.prepare_cached(find)?.query_row([name], |row| row.get(0)).optional()?;
            numbers.extend::<Option<i64>>(number);
        }
        // A value that is asked for twice would be found twice.
        numbers.sort_unstable();
        numbers.dedup();
        let may_drive = besides.is_empty() || !numbers.contains(&0);
        let known = !numbers.is_empty();
        self.one_of(column, numbers.into_iter().map(Value::Integer).collect(), besides, may_drive);
        Ok(known)
    }
}

/// Each step of the loop is one look into the index.
fn statuses_between(first: u16, last: u16, connection: &Connection) -> Result<Vec<u16>> {
    let mut find = connection
        .prepare_cached("select min(status) from row where status >= ? and status <= ? and status <> 200")?;
    let (mut found, mut from) = (Vec::new(), first);
    while let Some(status) = find.query_row([from, last], |row| row.get::<_, Option<u16>>(0))? {
        found.push(status);
        let Some(next) = status.checked_add(1) else { break };
        from = next;
    }
    Ok(found)
}

fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}
