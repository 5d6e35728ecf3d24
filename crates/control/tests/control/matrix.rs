//! Every route of the admin API × everybody: who may and who may not is written in `access`'s fixtures, which know
//! nothing of handlers. What is asked here is whether the requests come to the same.

use std::collections::BTreeMap;

use crate::world::{NOBODY, World};

const MATRIX: &str = include_str!("../../../access/fixtures/matrix.tsv");
const ROUTES: &str = include_str!("../../../access/fixtures/routes.tsv");

#[tokio::test]
async fn every_route_for_everybody() {
    let world = World::new().await;
    let rights = rights();
    let mut asked = 0;
    for line in rows(ROUTES) {
        let [method, path, group, scopes] = <[&str; 4]>::try_from(line).unwrap();
        let Some(row) = rights.get(group).filter(|_| group != "data" && group != "models.read") else {
            continue;
        };
        let nobody = world.ask(NOBODY, method, path, None).await;
        assert_eq!(nobody.status, 401, "{method} {path} as nobody: {}", nobody.text);
        for (who, may) in row {
            // A removal by somebody who may would take the others' things away: things of this name are nobody's.
            let got = world.ask(who, method, path, None).await;
            assert_ne!(got.status, 401, "{method} {path} as {who}: {}", got.text);
            assert!(got.status == 501 || got.status < 500, "{method} {path} as {who}: {}", got.text);
            let missing = got.body["data"]["missing_scope"].as_str();
            if *may {
                assert_eq!(missing, None, "{method} {path} as {who} may: {}", got.text);
            } else {
                assert_eq!(got.status, 403, "{method} {path} as {who} may not: {}", got.text);
                let missing = missing.unwrap_or_else(|| panic!("{method} {path} as {who}: {}", got.text));
                assert!(missing.split(" or ").any(|scope| scopes.contains(scope)), "{missing} for {scopes}");
                assert!(got.body.get("object").is_none());
            }
            asked += 1;
        }
    }
    assert!(asked > 1_500, "{asked}");
}

/// Group → role → whether.
fn rights() -> BTreeMap<&'static str, BTreeMap<&'static str, bool>> {
    let mut rows = rows(MATRIX);
    let roles = rows.next().unwrap();
    rows.map(|row| {
        let cells = roles[1..].iter().zip(&row[1..]).map(|(role, field)| (*role, *field == "y"));
        (row[0], cells.collect())
    })
    .collect()
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}
