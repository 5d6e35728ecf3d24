//! The two entries that every request makes, as JSON without a serializer: the same bytes, in a third of the time.

use crate::amount::ROOM;
use crate::books::{Account, Entry, How, Move, What};

/// Appends the line of an entry. `false`, and nothing is appended: another kind of entry.
pub(super) fn write(entry: &Entry, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let written = parts(entry, out).is_some();
    if !written {
        out.truncate(start);
    }
    written
}

fn parts(entry: &Entry, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(b"{\"entry\":{\"seq\":");
    number(entry.seq, out);
    out.extend_from_slice(b",\"at\":");
    number(entry.at, out);
    match &entry.what {
        What::Reserve { id, request, trace, unpriced } => {
            out.extend_from_slice(b",\"what\":{\"reserve\":{\"id\":");
            number(*id, out);
            out.extend_from_slice(b",\"request\":\"");
            out.extend_from_slice(plain(request)?);
            out.extend_from_slice(b"\",\"trace\":\"");
            out.extend_from_slice(plain(trace)?);
            out.push(b'"');
            flag("unpriced", *unpriced, out);
        }
        What::Settle { id, how, estimated, unpriced } => {
            out.extend_from_slice(b",\"what\":{\"settle\":{\"id\":");
            number(*id, out);
            out.extend_from_slice(b",\"how\":\"");
            out.extend_from_slice(how_word(*how).as_bytes());
            out.push(b'"');
            flag("estimated", *estimated, out);
            flag("unpriced", *unpriced, out);
        }
        _ => return None,
    }
    out.extend_from_slice(b"}}");
    for (at, one) in entry.moves.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b",\"moves\":[" } else { b"," });
        moved(one, out);
    }
    out.extend_from_slice(if entry.moves.is_empty() { b"}}" } else { b"]}}" });
    Some(())
}

fn moved(one: &Move, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"b\":");
    number(one.budget.into(), out);
    out.extend_from_slice(b",\"p\":");
    number(one.period.into(), out);
    out.extend_from_slice(b",\"f\":\"");
    out.extend_from_slice(account_word(one.from).as_bytes());
    out.extend_from_slice(b"\",\"t\":\"");
    out.extend_from_slice(account_word(one.to).as_bytes());
    out.extend_from_slice(b"\",\"a\":\"");
    out.extend_from_slice(one.amount.spell(&mut [0; ROOM]));
    out.extend_from_slice(b"\"}");
}

fn flag(name: &str, is: bool, out: &mut Vec<u8>) {
    if is {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":true");
    }
}

fn number(value: u64, out: &mut Vec<u8>) {
    let (mut digits, mut rest, mut at) = ([0; 20], value, 20);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Text that stands in JSON as it is.
fn plain(text: &str) -> Option<&[u8]> {
    let is_plain = text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    is_plain.then_some(text.as_bytes())
}

fn account_word(account: Account) -> &'static str {
    match account {
        Account::Granted => "granted",
        Account::Free => "free",
        Account::Reserved => "reserved",
        Account::Settled => "settled",
        Account::Held => "held",
        Account::Ahead => "ahead",
    }
}

fn how_word(how: How) -> &'static str {
    match how {
        How::Success => "success",
        How::Error => "error",
        How::Disconnect => "disconnect",
        How::Panic => "panic",
        How::Dropped => "dropped",
        How::Cancelled => "cancelled",
        How::Crash => "crash",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::frame::LineRef;

    #[test]
    fn lines_are_what_the_serializer_writes() {
        let accounts = [
            Account::Granted,
            Account::Free,
            Account::Reserved,
            Account::Settled,
            Account::Held,
            Account::Ahead,
        ];
        let hows =
            [How::Success, How::Error, How::Disconnect, How::Panic, How::Dropped, How::Cancelled, How::Crash];
        let texts = ["", "trace-1", "with \"quotes\"", "back\\slash", "\u{1}", "é"];
        let amounts =
            ["1", "0.00000000000000000001", "999999999.12345678901234567891", "0.5", "12.0000000001"];
        let mut whats: Vec<What> = Vec::new();
        for (at, text) in texts.into_iter().enumerate() {
            let (request, trace) = (texts[at / 2].into(), text.into());
            whats.push(What::Reserve { id: 7 << (at * 9), request, trace, unpriced: at % 2 == 1 });
        }
        for (at, how) in hows.into_iter().enumerate() {
            let (estimated, unpriced) = (at % 2 == 1, at % 3 == 1);
            whats.push(What::Settle { id: u64::MAX, how, estimated, unpriced });
        }
        whats.push(What::Hold { id: 3 });
        let mut quick = 0;
        for (seq, what) in whats.into_iter().enumerate() {
            let moves = amounts.iter().zip(accounts).take(seq % 6).map(|(amount, from)| Move {
                budget: seq as u32,
                period: u32::MAX,
                from,
                to: accounts[seq % 6],
                amount: amount.parse().unwrap(),
            });
            let entry = Entry { seq: seq as u64, at: 1_700_000_000_000, what, moves: moves.collect() };
            let mut out = b"before".to_vec();
            if write(&entry, &mut out) {
                quick += 1;
                let wanted = serde_json::to_string(&LineRef::Entry(&entry)).unwrap();
                assert_eq!(std::str::from_utf8(&out[6..]).unwrap(), wanted);
            } else {
                assert_eq!(out, b"before");
            }
        }
        assert_eq!(quick, 9);
    }
}
