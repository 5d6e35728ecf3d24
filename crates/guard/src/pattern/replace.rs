//! `$1`, `$<name>`, `$&` and their like in replacement texts.

use regex::{Captures, Match};

/// Appends `template` to `out` with its references resolved. What refers to no group stands for itself.
pub(super) fn expand(out: &mut String, template: &str, text: &str, captures: &Captures<'_>) {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = &rest[reference(out, rest, text, captures)..];
    }
    out.push_str(rest);
}

/// Writes what the reference after a `$` stands for. Bytes of it that were used; 0 when it is no reference.
fn reference(out: &mut String, rest: &str, text: &str, captures: &Captures<'_>) -> usize {
    let (start, end) = captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
    let (value, used) = match rest.bytes().next() {
        Some(b'$') => ("$", 1),
        Some(b'&') => (&text[start..end], 1),
        Some(b'`') => (&text[..start], 1),
        Some(b'\'') => (&text[end..], 1),
        Some(b'<') => named(rest, captures).unwrap_or(("$", 0)),
        Some(b'0'..=b'9') => numbered(rest, captures).unwrap_or(("$", 0)),
        _ => ("$", 0),
    };
    out.push_str(value);
    used
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
