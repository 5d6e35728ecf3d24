//! The rewrites of names: each takes a name apart in one way, or says that it does not fit.

use super::Platform;

/// A rewrite: the other spelling, if the name is of that form.
pub(super) type Step = fn(&Platform<'_>, &str) -> Option<String>;

/// `@slug/model` without the slug.
pub(super) fn without_slug(_: &Platform<'_>, name: &str) -> Option<String> {
    let (_, model) = name.strip_prefix('@')?.split_once('/')?;
    filled(model)
}

/// `openai/gpt-4o` at OpenAI: the first segment names the provider. One segment, not two.
pub(super) fn without_provider(platform: &Platform<'_>, name: &str) -> Option<String> {
    let (first, model) = name.split_once('/')?;
    platform.is_called(first).then_some(model).and_then(filled)
}

/// Beginnings that a platform puts before names.
pub(super) fn without_publisher(platform: &Platform<'_>, name: &str) -> Option<String> {
    platform.habits.drop.iter().find_map(|prefix| {
        let model = match prefix.split_once('*') {
            None => strip(name, prefix)?,
            Some((before, after)) => {
                let rest = strip(name, before)?;
                strip(rest.get(rest.find('/')?..)?, after)?
            }
        };
        filled(model)
    })
}

/// Beginnings that clients leave out.
pub(super) fn with_prefix(platform: &Platform<'_>, name: &str) -> Option<String> {
    let prefix = platform.habits.add?;
    strip(name, prefix).is_none().then(|| format!("{prefix}{name}"))
}

/// The last segment of a resource name that leads to a public model. Profiles and throughput that an account made for
/// itself say nothing about the model: their base model must be configured.
pub(super) fn of_arn(platform: &Platform<'_>, name: &str) -> Option<String> {
    let resource = strip(name, "arn:").filter(|_| platform.habits.profiles)?;
    let (before, model) = resource.rsplit_once('/')?;
    let public = before.ends_with(":foundation-model") || before.ends_with(":inference-profile");
    public.then_some(model).and_then(filled)
}

/// `…-20240806` as `…-2024-08-06`, and the other way round.
pub(super) fn other_date_form(_: &Platform<'_>, name: &str) -> Option<String> {
    if let Some((rest, date)) = ending(name, "dddd-dd-dd", &['-']) {
        return Some(format!("{rest}-{}", date.replace('-', "")));
    }
    let (rest, date) = ending(name, "dddddddd", &['-'])?;
    Some(format!("{rest}-{}-{}-{}", date.get(..4)?, date.get(4..6)?, date.get(6..)?))
}

/// Endings that choose among hosts.
pub(super) fn without_variant(platform: &Platform<'_>, name: &str) -> Option<String> {
    let at = name.rfind(':')?;
    let variant = name.get(at..)?;
    let known = platform.habits.variants.iter().any(|known| known.eq_ignore_ascii_case(variant));
    known.then(|| name.get(..at)).flatten().and_then(filled)
}

/// `us.anthropic.claude-…` as the place and the model.
pub(super) fn without_geography<'n>(
    platform: &Platform<'_>,
    name: &'n str,
) -> Option<(&'static str, &'n str)> {
    const PLACES: [&str; 8] = ["us.", "eu.", "apac.", "au.", "jp.", "ca.", "us-gov.", "global."];
    let found = PLACES.into_iter().find_map(|place| Some((place, strip(name, place)?)));
    found.filter(|_| platform.habits.profiles)
}

/// Whether profiles of a region cost more: Claude from 4.5 on. `name` as `anthropic.claude-opus-4-5-20251101-v1:0`.
pub(super) fn has_regional_surcharge(name: &str) -> bool {
    let Some(model) = strip(name, "anthropic.claude-") else { return false };
    let mut parts = model.split('-').skip_while(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()));
    // Names before version 4 have the number first: their family follows, and it is no number below a hundred.
    let mut number = || parts.next().filter(|part| part.len() <= 2)?.parse::<u32>().ok();
    let is_newer_style = model.starts_with(|c: char| c.is_ascii_alphabetic());
    let (major, minor) = (number(), number());
    is_newer_style && major.is_some_and(|major| (major, minor.unwrap_or(0)) >= (4, 5))
}

/// Whether the name is of a model that someone trained further.
pub(super) fn is_fine_tune(name: &str) -> bool {
    strip(name, "ft:").is_some() || name.contains(".ft-")
}

/// `ft:BASE:org:…` as `ft:BASE`, and `BASE.ft-…` as `BASE.ft`.
pub(super) fn fine_tune_base(name: &str) -> Option<String> {
    match strip(name, "ft:") {
        Some(rest) => filled(rest.split(':').next()?).map(|base| format!("ft:{base}")),
        None => name.split_once(".ft-").and_then(|(base, _)| filled(base)).map(|base| format!("{base}.ft")),
    }
}

/// A fine-tune's base without its date.
pub(super) fn without_date_of_fine_tune(base: &str) -> Option<String> {
    match base.strip_suffix(".ft") {
        Some(model) => without_tail(model).map(|family| format!("{family}.ft")),
        None => without_tail(base).filter(|family| family.len() > "ft:".len()).map(str::to_owned),
    }
}

/// A name without the one date, version or `latest` at its end.
pub(crate) fn without_tail(name: &str) -> Option<&str> {
    // Longest first: `-2024-08-06` is not a model with the date `-08-06`.
    const TAILS: [&str; 9] =
        ["dddd-dd-dd", "dddddddd", "dd-dddd", "default", "latest", "dddddd", "dd-dd", "dddd", "00d"];
    let latest = strip_end(name, ":latest");
    let rest =
        latest.or_else(|| TAILS.iter().find_map(|tail| ending(name, tail, &['-', '@']).map(|found| found.0)));
    rest.filter(|rest| !rest.is_empty())
}

/// The name before and behind a separator, if what is behind looks like `form` (`d` stands for a digit).
fn ending<'n>(name: &'n str, form: &str, separators: &[char]) -> Option<(&'n str, &'n str)> {
    let at = name.len().checked_sub(form.len())?;
    let (rest, tail) = (name.get(..at)?, name.get(at..)?);
    let fits = tail.bytes().zip(form.bytes()).all(|(found, wanted)| match wanted {
        // No form has this letter in a word, but for "default", which is compared as a whole.
        b'd' if form != "default" => found.is_ascii_digit(),
        wanted => found.eq_ignore_ascii_case(&wanted),
    });
    let rest = rest.strip_suffix(separators).filter(|rest| fits && !rest.is_empty())?;
    Some((rest, tail))
}

fn strip<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let start = name.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| name.get(prefix.len()..)).flatten()
}

fn strip_end<'n>(name: &'n str, suffix: &str) -> Option<&'n str> {
    let at = name.len().checked_sub(suffix.len())?;
    name.get(at..)?.eq_ignore_ascii_case(suffix).then(|| name.get(..at)).flatten()
}

fn filled(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}
