//! `$1`, `$<name>`, `$&` and their like in replacement texts.

use regex::{Captures, Match};

use super::{Bounded, ReplacementTooLong};

/// Appends `template` to `out` with its references resolved. What refers to no group stands for itself.
pub(super) fn expand(
    out: &mut Bounded<'_>,
    template: &str,
    text: &str,
    captures: &Captures<'_>,
) -> Result<(), ReplacementTooLong> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        let (value, used) = reference(after, text, captures).unwrap_or(("$", 0));
        out.push(before)?;
        out.push(value)?;
        rest = &after[used..];
    }
    out.push(rest)
}

/// What the reference after a `$` stands for, and its length in bytes.
fn reference<'t>(rest: &str, text: &'t str, captures: &Captures<'t>) -> Option<(&'t str, usize)> {
    let whole = captures.get(0)?;
    match rest.bytes().next()? {
        b'$' => Some(("$", 1)),
        b'&' => Some((whole.as_str(), 1)),
        b'`' => Some((&text[..whole.start()], 1)),
        b'\'' => Some((&text[whole.end()..], 1)),
        b'<' => named(rest, captures),
        b'0'..=b'9' => numbered(rest, captures),
        _ => None,
    }
}

/// `<name>`, when the pattern has names at all.
fn named<'t>(rest: &str, captures: &Captures<'t>) -> Option<(&'t str, usize)> {
    let end = rest.find('>')?;
    captures.name(&rest[1..end]).map(|group| (group.as_str(), end + 1))
}

/// Two digits when there is such a group, else one.
fn numbered<'t>(rest: &str, captures: &Captures<'t>) -> Option<(&'t str, usize)> {
    [2, 1].into_iter().find_map(|digits| {
        let number = rest
            .get(..digits)?
            .parse::<usize>()
            .ok()
            .filter(|number| (1..captures.len()).contains(number))?;
        Some((captures.get(number).as_ref().map_or("", Match::as_str), digits))
    })
}
