//! Every rule of the books, broken once.

use super::{Account, Books, Broken, Entry, How, Move, What};
use crate::budget::Reset;
use crate::testing::{amount, budget};

use Account::{Ahead, Free, Granted, Held, Reserved, Settled};

fn step(from: Account, to: Account, of: &str) -> Move {
    Move { budget: 0, period: 1, from, to, amount: amount(of) }
}

fn reserve(id: u64) -> What {
    What::Reserve { id, request: "r".into(), trace: "t".into(), unpriced: false }
}

fn settle(id: u64) -> What {
    What::Settle { id, how: How::Success, estimated: false, unpriced: false }
}

/// A budget of 1 with 0.1 ahead, and reservation 1 of 0.4.
fn books() -> Books {
    let mut books = Books::default();
    let one = Box::new(budget("k", "1", Reset::Never, &["0.3"]));
    for (what, moves) in [
        (What::Budget { id: 0, budget: one }, vec![]),
        (
            What::Period { budget: 0, period: 1, start: 0, end: Reset::NEVER },
            vec![step(Granted, Free, "1"), step(Free, Ahead, "0.1")],
        ),
        (reserve(1), vec![step(Free, Reserved, "0.4")]),
    ] {
        let entry = Entry { seq: books.seq + 1, at: 5, what, moves };
        books.apply(&entry).unwrap();
    }
    books.prove().unwrap();
    books
}

fn broken(what: What, moves: Vec<Move>) -> Broken {
    let mut books = books();
    let entry = Entry { seq: books.seq + 1, at: 5, what, moves };
    books.apply(&entry).unwrap_err().rule
}

#[test]
fn every_rule_is_watched() {
    let alert = |mark| What::Alert { budget: 0, period: 1, mark: amount(mark) };
    let whole = || vec![step(Reserved, Settled, "0.4")];
    for (rule, what, moves) in [
        (Broken::Unknown, reserve(1), vec![step(Free, Reserved, "0.1")]),
        (Broken::Unknown, What::Close { budget: 0, period: 2 }, vec![]),
        (Broken::Unknown, What::Remove { id: 1 }, vec![]),
        (Broken::Unknown, What::Period { budget: 0, period: 3, start: 0, end: 1 }, vec![]),
        (Broken::Move, reserve(2), vec![step(Free, Reserved, "0")]),
        (Broken::Move, reserve(2), vec![step(Free, Free, "0.1")]),
        (Broken::Move, reserve(2), vec![step(Granted, Reserved, "0.1")]),
        (Broken::Move, settle(1), vec![step(Settled, Free, "0.4")]),
        (Broken::Move, What::Start, vec![step(Free, Settled, "0.1")]),
        (Broken::Balance, reserve(2), vec![step(Free, Reserved, "0.6")]),
        (Broken::Balance, What::Doubt { id: 2 }, vec![step(Ahead, Held, "0.2")]),
        (Broken::Balance, settle(1), vec![step(Reserved, Settled, "0.5")]),
        (Broken::Balance, What::Close { budget: 0, period: 1 }, vec![step(Free, Granted, "0.5")]),
        (Broken::Settlement, settle(2), vec![]),
        (Broken::Settlement, settle(1), vec![step(Reserved, Settled, "0.3")]),
        (Broken::Settlement, What::Hold { id: 2 }, vec![]),
        (Broken::Settlement, What::Resolve { id: 1 }, vec![]),
        (Broken::Alert, alert("0.3"), vec![]),
        (Broken::Alert, alert("0.2"), vec![]),
        (Broken::Alert, What::Handed { budget: 0, period: 1, mark: amount("0.3") }, vec![]),
    ] {
        assert_eq!(broken(what.clone(), moves.clone()), rule, "{what:?} {moves:?}");
    }
    let mut twice = books();
    let entry = |seq, what, moves| Entry { seq, at: 5, what, moves };
    twice.apply(&entry(4, settle(1), whole())).unwrap();
    twice.apply(&entry(5, alert("0.3"), vec![])).unwrap();
    assert_eq!(twice.clone().apply(&entry(6, settle(1), vec![])).unwrap_err().rule, Broken::Settlement);
    assert_eq!(twice.clone().apply(&entry(6, alert("0.3"), vec![])).unwrap_err().rule, Broken::Alert);
    assert_eq!(twice.clone().apply(&entry(7, What::Start, vec![])).unwrap_err().rule, Broken::Order);
    let early = Entry { at: 4, ..entry(6, What::Start, vec![]) };
    assert_eq!(twice.apply(&early).unwrap_err().rule, Broken::Order);
}

#[test]
fn accounts_that_do_not_add_up_are_named() {
    for change in [
        |books: &mut Books| books.open.clear(),
        |books: &mut Books| drop(books.held.insert(9, books.open[&1].clone())),
        |books: &mut Books| {
            let shelf = books.budgets.get_mut(&0).unwrap();
            shelf.periods.get_mut(&1).unwrap().balances.free += amount("0.1");
        },
    ] {
        let mut books = books();
        change(&mut books);
        let violation = books.prove().unwrap_err();
        assert_eq!(violation.rule, Broken::Balance);
        assert!(violation.detail.contains("(k), period 1"), "{violation}");
    }
}
