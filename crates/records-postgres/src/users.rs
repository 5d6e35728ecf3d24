//! Which users were seen with what on a day, as the server says.

use std::borrow::Cow;

use tidegate_insight::{By, Cells, Combination, Cube, Gather, Names};
use tidegate_records::RecordId;
use tokio_postgres::Error;

use crate::numbers::Numbers;
use crate::session::Connected;
use crate::text::{may_be_cut, unpaired};

const DAY_MS: u64 = 86_400_000;
/// Cells of a day. Of a day with more the records are read.
const MOST: usize = 200_000;

fn column(by: By) -> &'static str {
    match by {
        By::Provider => "provider",
        By::Model => "model",
        By::Route => "route",
        By::Status => "status",
        By::Cache => "cache",
        By::ApiKey => "api_key",
        By::KeyOwner => "key_owner",
        By::VirtualKey => "virtual_key",
        By::Config => "config",
        By::Metadata => "metadata",
    }
}

/// The cells of a day as a block. `None`: there would be too many, or names are too long for their columns.
pub(crate) async fn cells(server: &mut Connected, by: By, day: u32) -> Result<Option<Vec<u8>>, Error> {
    let sql = format!(
        "SELECT DISTINCT organisation, workspace, {}, user_name FROM request_record \
         WHERE id >= $1 AND id < $2 AND user_name <> '' LIMIT {}",
        column(by),
        MOST + 1
    );
    let start = u64::from(day) * DAY_MS;
    let [first, end] = [start, start + DAY_MS].map(|ms| RecordId::first_of(ms).signed());
    let rows = server.client.query(&sql, &[&first, &end]).await?;
    let cube = Cube::UsersBy(by);
    let (mut gather, mut numbers) = (Gather::new(&[cube]), Numbers::default());
    for row in &rows {
        let status = if by == By::Status { row.get::<_, i32>(2) } else { 0 };
        let name: Cow<'_, str> = match by {
            By::Status => "".into(),
            By::Metadata => match combination(&row.get::<_, Vec<&str>>(2)) {
                Some(text) => text.into(),
                None => return Ok(None),
            },
            _ => row.get::<_, &str>(2).into(),
        };
        let texts = [row.get(0), row.get(1), &*name, row.get(3)];
        if texts.into_iter().any(may_be_cut) {
            return Ok(None);
        }
        let [organisation, workspace, name, user] = texts.map(|text| numbers.of(text));
        let names = Names { organisation, workspace, user, ..Names::default() };
        gather.add_user(start, u16::try_from(status).unwrap_or(0), &with(names, by, name));
    }
    if rows.len() > MOST {
        return Ok(None);
    }
    let cells = numbers.finish(gather).into_iter().next();
    Ok(Some(cells.map_or_else(|| Cells::new(cube).encode(), |cells| cells.bytes)))
}

fn with(names: Names<u64>, by: By, name: u64) -> Names<u64> {
    match by {
        By::Provider => Names { provider: name, ..names },
        By::Model => Names { model: name, ..names },
        By::Route => Names { route: name, ..names },
        By::Status => names,
        By::Cache => Names { cache: name, ..names },
        By::ApiKey => Names { api_key: name, ..names },
        By::KeyOwner => Names { key_owner: name, ..names },
        By::VirtualKey => Names { virtual_key: name, ..names },
        By::Config => Names { config: name, ..names },
        By::Metadata => Names { metadata: name, ..names },
    }
}

/// From pairs as the column has them.
fn combination(pairs: &[&str]) -> Option<String> {
    let pairs: Vec<(String, String)> = pairs.iter().map(|pair| unpaired(pair)).collect::<Option<_>>()?;
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    Some(Combination::write(&pairs))
}
