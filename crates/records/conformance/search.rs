//! Words in bodies.

use tidegate_records::body::prepare;
use tidegate_records::{
    Filter, Kind, Policy, RawBodies, RawBody, Reader, RequestRecord, Search, StoredBodies,
};

use super::Place;
use super::records::*;

/// What the gateway would keep of a body.
fn kept(text: &str) -> StoredBodies {
    let mut body = RawBody::new("request", Kind::Json, 1 << 20);
    body.frame(&text.to_owned().into_bytes().into());
    let paths = vec!["patient".parse().unwrap()];
    prepare(&RawBodies::from_iter([body]), &Policy { paths, ..Policy::default() })
}

fn asking(text: &str) -> StoredBodies {
    kept(&serde_json::json!({ "messages": [{ "role": "user", "content": text }] }).to_string())
}

fn search(text: &str) -> Filter {
    Filter { search: Search::parse(text).unwrap(), ..Filter::default() }
}

fn found(reader: &mut dyn Reader, filter: &Filter) -> Vec<u64> {
    let ids: Vec<u64> = list(reader, filter, 3).iter().map(|row| row.id.bits()).collect();
    assert_eq!(reader.count(filter, u64::MAX), Ok(ids.len() as u64), "{filter:?}");
    ids
}

/// Newest first.
fn ids_of(records: &[RequestRecord], which: &[usize]) -> Vec<u64> {
    which.iter().rev().map(|at| records[*at].id).collect()
}

pub fn words_in_bodies_are_found_by_whom_they_belong_to(place: &dyn Place) {
    let texts = [
        "Where is my refund for order 4711?",
        "我的退款什么时候到账？",
        "The refund policy says: 30 days",
        "\"AND\" OR (refund*) NEAR 'x' -- ; DROP TABLE body",
        "c:\\temp 100% a_b ' \u{1F680}",
        "what is the weather",
        "今天天气怎么样",
    ];
    let ids = ids();
    let records: Vec<_> = (0..14).map(|i| record(&ids, NOW - (i % 2) * DAY + i, i)).collect();
    let mut sink = place.sink();
    // In the order of time; the last seven have no bodies.
    let at = |record: &RequestRecord| records.iter().position(|other| other.id == record.id).unwrap();
    let with = |record: &RequestRecord| texts.get(at(record)).map(|text| asking(text));
    write(&mut *sink, &records, &with);
    // Once more, as after a crash.
    assert_eq!(write(&mut *sink, &records, &with).known, 14);
    let mut reader = place.reader();
    let mut expect = |text: &str, which: &[usize]| {
        let mut wanted = ids_of(&records, which);
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(found(&mut *reader, &search(text)), wanted, "{text}");
    };
    expect("refund", &[0, 2, 3]);
    expect("REFUND Order", &[0]);
    expect("order refund 4711", &[0]);
    expect("refunds", &[]);
    expect("退款", &[1]);
    expect("天气", &[6]);
    expect("今天天气怎么样", &[6]);
    expect("天天", &[6]);
    expect("气天", &[]);
    expect("到", &[1]);
    expect("你好", &[]);
    // Text, and no syntax.
    expect("AND", &[3]);
    expect("refund AND weather", &[]);
    expect("refund OR", &[3]);
    expect("\"refund\" -order", &[0]);
    expect("NEAR(refund x)", &[3]);
    expect("refun*", &[]);
    expect("words:refund", &[]);
    expect("'; DROP TABLE body; --", &[3]);
    expect("100% a_b c:\\temp", &[4]);
    expect("role", &[]);

    // Beside other filters, and of nobody else.
    for (name, filter) in [
        ("workspace", Filter { workspace: vec!["ws-a".into()], ..search("refund") }),
        ("organisation", Filter { organisation: vec!["org-2".into()], ..search("refund") }),
        ("time", Filter { from_ms: Some(NOW - 1_000), ..search("refund") }),
        ("end", Filter { to_ms: Some(NOW - 1_000), ..search("refund") }),
        ("model", Filter { model: vec!["gpt-4o".into()], ..search("refund 30") }),
        ("metadata", Filter { metadata: vec![("env".into(), "prod".into())], ..search("refund") }),
    ] {
        let mut wanted: Vec<u64> = records
            .iter()
            .filter(|record| {
                filter.fits(&tidegate_records::Facts::of(record)) && filter.search.fits(with(record).as_ref())
            })
            .map(|record| record.id)
            .collect();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(found(&mut *reader, &filter), wanted, "{name}");
    }

    // Figures look at the same records.
    let mut seen = 0;
    let wanted = tidegate_insight::Wanted { group: None, user: false };
    place.source().scan(&search("refund"), wanted, 100, &mut |_| seen += 1).unwrap();
    assert_eq!(seen, 3);
}

pub fn what_was_taken_out_is_not_found(place: &dyn Place) {
    let ids = ids();
    let one = record(&ids, NOW, 1);
    let text = r#"{"patient":"Ada Lovelace","api_key":"tide-4711-zulu","content":"my heart"}"#;
    write(&mut *place.sink(), std::slice::from_ref(&one), &|_| Some(kept(text)));
    let mut reader = place.reader();
    assert_eq!(found(&mut *reader, &search("heart")), [one.id]);
    for gone in ["Ada", "lovelace", "zulu", "4711"] {
        assert!(found(&mut *reader, &search(gone)).is_empty(), "{gone}");
    }
}

pub fn what_is_not_kept_any_more_is_not_found(place: &dyn Place) {
    let ids = ids();
    let records: Vec<_> = (0..40).rev().map(|day| record(&ids, NOW - day * DAY, day)).collect();
    let mut sink = place.sink();
    write(&mut *sink, &records, &|_| Some(asking("refund")));
    assert_eq!(found(&mut *place.reader(), &search("refund")).len(), 40);
    sink.tend(NOW).unwrap();
    // Bodies live shorter than records.
    let mut reader = place.reader();
    assert_eq!(found(&mut *reader, &search("refund")), ids_of(&records, &(26..40).collect::<Vec<_>>()));
    assert_eq!(reader.count(&Filter::default(), u64::MAX), Ok(30));
}

pub fn bodies_of_a_clash_are_not_found(place: &dyn Place) {
    let ids = ids();
    let first = record(&ids, NOW, 1);
    let mut other = record(&ids, NOW, 2);
    other.id = first.id;
    let mut sink = place.sink();
    write(&mut *sink, std::slice::from_ref(&first), &|_| None);
    assert_eq!(write(&mut *sink, std::slice::from_ref(&other), &|_| Some(asking("refund"))).clashed, 1);
    assert!(found(&mut *place.reader(), &search("refund")).is_empty());
}
