use tidegate_limits::{Algorithm, Period, Span, Window};

use super::*;

fn policy(conditions: &[(Key, &[&str], &[&str])], group_by: &[Key]) -> Policy {
    let conditions = conditions.iter().map(|(key, values, excludes)| {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(key, text)).collect();
        Condition { key: key.clone(), values: patterns(values), excludes: patterns(excludes) }
    });
    let window = Window { span: Span::one(Period::Minute), algorithm: Algorithm::FixedOnTheClock };
    let holds = Holds::Rate(Rule::requests(1, window));
    Policy::new(("p".into(), "policy".into()), conditions.collect(), group_by.into(), holds)
}

fn user() -> Key {
    Key::Metadata("_user".into())
}

#[test]
fn values_of_a_condition_are_alternatives_and_all_conditions_hold() {
    let called = Called { virtual_key: Some("main"), provider: "openai", model: Some("gpt-4o") };
    let metadata = [("_user".to_owned(), "ann".to_owned()), ("team".to_owned(), "red".to_owned())];
    let facts = Facts {
        api_key: Some("k1"),
        workspace: Some("w1"),
        config: Some("pc-a"),
        endpoint_type: Some("chatComplete"),
        metadata: &metadata,
        called: Some(called),
    };
    let team = || Key::Metadata("team".into());
    let none = Key::Metadata("none".into());
    type Row<'a> = (Key, &'a [&'a str], &'a [&'a str], bool);
    let rows: &[Row<'_>] = &[
        (Key::ApiKey, &["k1"], &[], true),
        (Key::ApiKey, &["k2", "k1"], &[], true),
        (Key::ApiKey, &["k2"], &[], false),
        (Key::ApiKey, &["*"], &[], true),
        (Key::ApiKey, &["*"], &["k1"], false),
        (Key::ApiKey, &["*"], &["k2"], true),
        (Key::Workspace, &["w1"], &[], true),
        (Key::Config, &["pc-a"], &[], true),
        (Key::Prompt, &["*"], &[], false),
        (Key::EndpointType, &["embed"], &[], false),
        (Key::EndpointType, &["chatComplete"], &[], true),
        (team(), &["red"], &[], true),
        (none, &["*"], &[], false),
        (Key::VirtualKey, &["main"], &[], true),
        (Key::VirtualKey, &["openai"], &[], false),
        (Key::Provider, &["openai"], &[], true),
        (Key::Provider, &["@main"], &[], true),
        (Key::Provider, &["azure"], &[], false),
        (Key::Model, &["@main/gpt-4o"], &[], true),
        (Key::Model, &["@openai/gpt-4o"], &[], true),
        (Key::Model, &["@main/*"], &[], true),
        (Key::Model, &["@other/*"], &[], false),
        (Key::Model, &["@main/gpt-4"], &[], false),
        (Key::Model, &["gpt-4o"], &[], true),
        (Key::Model, &["*"], &["@main/gpt-4o"], false),
    ];
    for (key, values, excludes, want) in rows {
        let found = policy(&[(key.clone(), values, excludes)], &[user()]).value_key(&facts);
        assert_eq!(found.is_some(), *want, "{key:?} {values:?} {excludes:?}");
    }
    let both = |second| policy(&[(Key::ApiKey, &["*"], &[]), (team(), &[second], &[])], &[user()]);
    assert!(both("red").value_key(&facts).is_some());
    assert!(both("blue").value_key(&facts).is_none());
}

#[test]
fn each_tuple_counts_by_itself() {
    let called = Called { virtual_key: None, provider: "openai", model: Some("gpt-4o") };
    let metadata = [("_user".to_owned(), "a,b\\c".to_owned())];
    let facts = Facts { api_key: Some("k1"), metadata: &metadata, called: Some(called), ..Facts::default() };
    let all = |group: &[Key]| policy(&[(Key::ApiKey, &["*"], &[])], group).value_key(&facts).unwrap();
    assert_eq!(all(&[user()]), "metadata._user:a,b\\c");
    assert_eq!(all(&[user(), Key::ApiKey]), "metadata._user:a\\,b\\\\c,api_key:k1");
    assert_eq!(all(&[Key::Model]), "model:@openai/gpt-4o");
    assert_eq!(all(&[Key::VirtualKey]), "virtual_key:", "who has none counts all the same");
    let policy = policy(&[(Key::ApiKey, &["*"], &[])], &[user()]);
    assert_eq!(policy.counter("metadata._user:ann"), "p/metadata._user:ann");
}

#[test]
fn what_needs_the_target() {
    for (key, want) in
        [(Key::Model, true), (Key::Provider, true), (Key::VirtualKey, true), (Key::ApiKey, false)]
    {
        assert_eq!(policy(&[(user(), &["*"], &[])], std::slice::from_ref(&key)).looks_at_target(), want);
        assert_eq!(policy(&[(key, &["*"], &[])], &[user()]).looks_at_target(), want);
    }
}
