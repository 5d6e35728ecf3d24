//! Which entry a model's name means. The ways are tried in a fixed order and the first hit wins; no way looks at
//! other entries than the ones it spells out, so adding a model never changes how another name is matched.

mod platform;
mod rewrite;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::estimate::Estimate;
pub(crate) use platform::Platform;
pub(crate) use rewrite::without_tail;

/// How a name was matched. Stored with the request, so that a doubtful price can be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The operator's own price.
    Override,
    Exact,
    Alias,
    ProviderPrefix,
    Arn,
    DateForm,
    Variant,
    FineTune,
    Family,
    GeoPrefix,
    None,
}

impl By {
    pub fn name(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Exact => "exact",
            Self::Alias => "alias",
            Self::ProviderPrefix => "provider-prefix",
            Self::Arn => "arn",
            Self::DateForm => "date-form",
            Self::Variant => "variant",
            Self::FineTune => "fine-tune",
            Self::Family => "family",
            Self::GeoPrefix => "geo-prefix",
            Self::None => "none",
        }
    }

    /// Whether the very name that was given is known.
    pub fn is_sure(self) -> bool {
        matches!(self, Self::Override | Self::Exact | Self::Alias)
    }
}

/// A hit of the look-up, and the way to it.
#[derive(Debug)]
pub(crate) struct Match<H> {
    pub(crate) hit: H,
    pub(crate) by: By,
    pub(crate) estimate: Option<Estimate>,
    /// The surcharge of a regional profile is to be added.
    pub(crate) premium: bool,
}

/// What a look-up finds: enough to tell how.
pub(crate) trait Hit {
    /// The way, when the name itself was looked up.
    fn direct(&self) -> By;
    /// The name of the entry.
    fn id(&self) -> &str;
}

/// Tries the ways in order. `look` knows names as they stand: the operator's prices, ids, aliases.
pub(crate) fn search<H: Hit>(
    platform: &Platform<'_>,
    name: &str,
    look: impl Fn(&str) -> Option<H>,
) -> Option<Match<H>> {
    if let Some(hit) = look(name) {
        let by = hit.direct();
        return Some(Match { hit, by, estimate: None, premium: false });
    }
    let rewritten = match rewrites(platform, name, &look) {
        Ok(found) => return Some(found),
        Err(rewritten) => rewritten,
    };
    if rewrite::is_fine_tune(&rewritten) {
        return fine_tune(&rewritten, &look);
    }
    let family = family(platform, &rewritten, &look).map(|hit| made(hit, By::Family, Some(Estimate::Family)));
    family.or_else(|| geography(platform, &rewritten, &look))
}

/// The rewrites, one after the other; what is left of the name when none leads to an entry.
fn rewrites<'n, H: Hit>(
    platform: &Platform<'_>,
    name: &'n str,
    look: &impl Fn(&str) -> Option<H>,
) -> Result<Match<H>, Cow<'n, str>> {
    let mut name = Cow::Borrowed(name);
    let steps: [(By, rewrite::Step); 7] = [
        (By::ProviderPrefix, rewrite::without_slug),
        (By::ProviderPrefix, rewrite::without_provider),
        (By::ProviderPrefix, rewrite::without_publisher),
        (By::ProviderPrefix, rewrite::with_prefix),
        (By::Arn, rewrite::of_arn),
        (By::DateForm, rewrite::other_date_form),
        (By::Variant, rewrite::without_variant),
    ];
    for (by, step) in steps {
        if let Some(next) = step(platform, &name) {
            if let Some(hit) = look(&next) {
                return Ok(made(hit, by, None));
            }
            name = Cow::Owned(next);
        }
    }
    Err(name)
}

/// A fine-tune never takes the price of the model it was made from.
fn fine_tune<H: Hit>(name: &str, look: &impl Fn(&str) -> Option<H>) -> Option<Match<H>> {
    let base = rewrite::fine_tune_base(name)?;
    if let Some(hit) = look(&base) {
        return Some(made(hit, By::FineTune, None));
    }
    let hit = look(&rewrite::without_date_of_fine_tune(&base)?)?;
    Some(made(hit, By::FineTune, Some(Estimate::FineTuneFamily)))
}

/// The entry of the name without its date or version.
fn family<H>(platform: &Platform<'_>, name: &str, look: &impl Fn(&str) -> Option<H>) -> Option<H> {
    let family = without_tail(name)?;
    let latest = || look(&format!("{family}-latest"));
    if platform.habits.latest_first {
        latest().or_else(|| look(family))
    } else {
        look(family).or_else(latest)
    }
}

/// The entry of the model that a regional profile leads to.
fn geography<H: Hit>(
    platform: &Platform<'_>,
    name: &str,
    look: &impl Fn(&str) -> Option<H>,
) -> Option<Match<H>> {
    let (place, model) = rewrite::without_geography(platform, name)?;
    let hit = look(model).or_else(|| family(platform, model, look))?;
    // Entries of that kind have the surcharge in their price.
    let premium = !place.eq_ignore_ascii_case("global.")
        && !hit.id().starts_with("regional.")
        && rewrite::has_regional_surcharge(model);
    Some(Match { premium, ..made(hit, By::GeoPrefix, Some(Estimate::GeoPrefix)) })
}

fn made<H: Hit>(hit: H, by: By, estimate: Option<Estimate>) -> Match<H> {
    let by = if hit.direct() == By::Override { By::Override } else { by };
    Match { hit, by, estimate, premium: false }
}
