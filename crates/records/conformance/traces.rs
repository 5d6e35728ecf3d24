//! What every book of feedback and told spans does.

use tidegate_records::traces::{Book, Feedback, FeedbackChange, Place, ToldSpan, Value, Weight, told_id};
use tidegate_records::{IdSource, RecordId};

use crate::conformance::records::NOW;

fn place(workspace: &str) -> Place {
    Place { organisation: "o".into(), workspace: workspace.into() }
}

fn mark(ids: &IdSource, at: u64, workspace: &str, trace: &str, value: i64) -> Feedback {
    Feedback {
        id: ids.next(at),
        place: place(workspace),
        trace: trace.into(),
        value: Value::new(value).unwrap(),
        weight: Weight::new(0.5).unwrap(),
        metadata: [("_user".to_owned(), "alice".into())].into_iter().collect(),
        changed_ms: at,
    }
}

fn span(at: u64, workspace: &str, trace: &str, name: &str) -> ToldSpan {
    ToldSpan {
        id: told_id(at, workspace, trace, name).bits(),
        organisation: "o".into(),
        workspace: workspace.to_owned().into(),
        trace: trace.to_owned().into(),
        span: name.to_owned().into(),
        name: name.to_owned().into(),
        start_us: at * 1_000,
        ..ToldSpan::default()
    }
}

pub fn all<B: Book>(empty: impl Fn() -> B) {
    marks(&mut empty());
    spans(&mut empty());
    long_and_odd_names(&mut empty());
    what_is_old_goes(&mut empty());
}

fn marks(book: &mut dyn Book) {
    let ids = IdSource::new(1, None);
    let all = [
        mark(&ids, NOW, "w", "t", 10),
        mark(&ids, NOW + 1, "w", "t", -10),
        mark(&ids, NOW + 2, "w", "u", 0),
        mark(&ids, NOW + 3, "other", "t", 5),
    ];
    book.add_feedback(&all).unwrap();
    assert_eq!(book.feedback_on(&place("w"), &["t".into()]).unwrap(), all[..2]);
    assert_eq!(book.feedback_on(&place("w"), &["u".into(), "t".into()]).unwrap(), all[..3]);
    assert_eq!(book.feedback_on(&place("w"), &[]).unwrap(), []);
    assert_eq!(book.feedback_between(&place("w"), NOW + 1, NOW + 3).unwrap(), all[1..3]);
    assert_eq!(book.feedback_between(&place("other"), 0, u64::MAX).unwrap(), all[3..]);
    let change =
        FeedbackChange { value: Value::new(3).unwrap(), weight: None, metadata: None, at_ms: NOW + 9 };
    assert_eq!(book.change_feedback(&place("other"), all[0].id, &change).unwrap(), None);
    let stranger = Place { organisation: "p".into(), ..place("w") };
    assert_eq!(book.change_feedback(&stranger, all[0].id, &change).unwrap(), None);
    let changed = book.change_feedback(&place("w"), all[0].id, &change).unwrap().unwrap();
    assert_eq!(changed, Feedback { value: change.value, changed_ms: NOW + 9, ..all[0].clone() });
    let change = FeedbackChange { weight: Some(Weight::ONE), metadata: Some(Default::default()), ..change };
    let changed = book.change_feedback(&place("w"), all[0].id, &change).unwrap().unwrap();
    assert_eq!((changed.weight, changed.metadata.len()), (Weight::ONE, 0));
    assert_eq!(book.feedback_on(&place("w"), &["t".into()]).unwrap(), [changed, all[1].clone()]);
}

fn spans(book: &mut dyn Book) {
    let mut all: Vec<_> = (0..5).map(|i| span(NOW + i, "w", "t", &format!("s{i}"))).collect();
    all.push(span(NOW + 5, "w", "u", "s"));
    // The same id in another workspace is another span.
    let foreign = ToldSpan { workspace: "other".into(), name: "foreign".into(), ..all[0].clone() };
    book.add_spans(&all).unwrap();
    book.add_spans(std::slice::from_ref(&foreign)).unwrap();
    assert_eq!(book.spans_of(&place("w"), &["t".into()]).unwrap(), all[..5]);
    assert_eq!(book.spans_of(&place("other"), &["t".into(), "u".into()]).unwrap(), [foreign]);
    let newest: Vec<_> = all.iter().rev().cloned().collect();
    let last = RecordId::first_of(NOW + 100);
    assert_eq!(book.spans_before(&place("w"), 0, last, 100).unwrap(), newest);
    assert_eq!(book.spans_before(&place("w"), 0, newest[1].id(), 2).unwrap(), newest[2..4]);
    assert_eq!(book.spans_before(&place("w"), NOW + 5, last, 100).unwrap(), newest[..1]);
    let again = ToldSpan { duration_us: 7, ..all[1].clone() };
    book.add_spans(&[all[1].clone(), again.clone()]).unwrap();
    let found = book.spans_of(&place("w"), &["t".into()]).unwrap();
    assert_eq!((found.len(), &found[1]), (5, &again), "the later word counts");
}

fn long_and_odd_names(book: &mut dyn Book) {
    let ids = IdSource::new(1, None);
    let (long, other) = ("ü".repeat(3_000), format!("{}x", "ü".repeat(3_000)));
    for trace in [long.as_str(), &other, "' or 1=1 --", "a\u{1}b"] {
        let marked = mark(&ids, NOW, "w", trace, 1);
        book.add_feedback(std::slice::from_ref(&marked)).unwrap();
        book.add_spans(&[span(NOW, "w", trace, "s")]).unwrap();
        assert_eq!(book.feedback_on(&place("w"), &[trace.into()]).unwrap(), [marked], "{trace}");
        assert_eq!(book.spans_of(&place("w"), &[trace.into()]).unwrap().len(), 1, "{trace}");
    }
}

fn what_is_old_goes(book: &mut dyn Book) {
    let ids = IdSource::new(1, None);
    let marks: Vec<_> = (0..10).map(|i| mark(&ids, NOW + i, "w", "t", 1)).collect();
    book.add_feedback(&marks).unwrap();
    let spans: Vec<_> = (0..5_010).map(|i| span(NOW + i % 10, "w", "t", &format!("{i}"))).collect();
    book.add_spans(&spans).unwrap();
    assert!(book.forget(NOW + 10).unwrap(), "a part at a time");
    assert!(!book.forget(NOW + 5).unwrap());
    assert!(!book.forget(NOW + 10).unwrap());
    assert_eq!(book.spans_of(&place("w"), &["t".into()]).unwrap(), []);
    assert_eq!(book.feedback_on(&place("w"), &["t".into()]).unwrap(), []);
}
