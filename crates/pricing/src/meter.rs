//! What is counted, and in which units it is priced. One row per meter.

use std::fmt;

/// A thing that a price list has a price for. The order is that of the lines of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meter {
    /// Prompt tokens neither read from nor written to a cache, of no other modality.
    Input,
    CacheRead,
    /// Written with a life of five minutes, or the provider's only one.
    CacheWrite,
    CacheWrite1h,
    AudioIn,
    AudioCacheRead,
    ImageIn,
    ImageCacheRead,
    VideoIn,
    /// Generated tokens of no other kind; reasoning inside, where the provider counts so.
    Output,
    Reasoning,
    AudioOut,
    ImageOut,
    VideoOut,
    Citation,
    Training,
    RouterInput,
    /// Unicode scalar values.
    CharsIn,
    AudioInHour,
    AudioOutHour,
    VideoInSecond,
    VideoOutSecond,
    /// Generated images, priced by quality and size.
    Image,
    /// Images that went in (embeddings).
    ImageInEach,
    Megapixel,
    Page,
    AnnotatedPage,
    /// Search units of a reranker, or queries of a search API.
    Search,
    Request,
    /// Calls of server-side tools.
    WebSearch,
    EnterpriseWebSearch,
    MapsSearch,
    XSearch,
    FileSearch,
    AttachmentSearch,
    CodeExecution,
    CodeSession,
}

/// Which side of the model a meter is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Tokens of the prompt; they decide the tier.
    Prompt,
    /// Tokens that were generated, or come with the answer.
    Answer,
    /// Tokens of neither.
    Apart,
    /// Not tokens.
    Other,
}

struct Row {
    meter: Meter,
    name: &'static str,
    side: Side,
    /// How many units the price is for. Quantities of hours are seconds.
    per: u32,
    /// The meter whose price holds where this one has none.
    or_as: Option<Meter>,
}

const MILLION: u32 = 1_000_000;
const HOUR: u32 = 3_600;

const fn tokens(meter: Meter, name: &'static str, side: Side, or_as: Option<Meter>) -> Row {
    Row { meter, name, side, per: MILLION, or_as }
}

const fn each(meter: Meter, name: &'static str) -> Row {
    Row { meter, name, side: Side::Other, per: 1, or_as: None }
}

const fn other(meter: Meter, name: &'static str, per: u32) -> Row {
    Row { meter, name, side: Side::Other, per, or_as: None }
}

use Meter as M;
use Side::{Answer, Apart, Prompt};

const ALL: [Row; 37] = [
    tokens(M::Input, "input", Prompt, None),
    tokens(M::CacheRead, "cache_read", Prompt, Some(M::Input)),
    tokens(M::CacheWrite, "cache_write", Prompt, Some(M::Input)),
    tokens(M::CacheWrite1h, "cache_write_1h", Prompt, Some(M::CacheWrite)),
    tokens(M::AudioIn, "audio_in", Prompt, Some(M::Input)),
    tokens(M::AudioCacheRead, "audio_cache_read", Prompt, Some(M::CacheRead)),
    tokens(M::ImageIn, "image_in", Prompt, Some(M::Input)),
    tokens(M::ImageCacheRead, "image_cache_read", Prompt, Some(M::CacheRead)),
    tokens(M::VideoIn, "video_in", Prompt, Some(M::Input)),
    tokens(M::Output, "output", Answer, None),
    tokens(M::Reasoning, "reasoning", Answer, Some(M::Output)),
    tokens(M::AudioOut, "audio_out", Answer, Some(M::Output)),
    tokens(M::ImageOut, "image_out", Answer, Some(M::Output)),
    tokens(M::VideoOut, "video_out", Answer, Some(M::Output)),
    tokens(M::Citation, "citation", Answer, Some(M::Output)),
    tokens(M::Training, "training", Apart, None),
    tokens(M::RouterInput, "router_input", Apart, None),
    other(M::CharsIn, "chars_in", MILLION),
    other(M::AudioInHour, "audio_in_hour", HOUR),
    other(M::AudioOutHour, "audio_out_hour", HOUR),
    each(M::VideoInSecond, "video_in_second"),
    each(M::VideoOutSecond, "video_out_second"),
    each(M::Image, "image"),
    each(M::ImageInEach, "image_in_each"),
    each(M::Megapixel, "megapixel"),
    each(M::Page, "page"),
    each(M::AnnotatedPage, "annotated_page"),
    each(M::Search, "search"),
    each(M::Request, "request"),
    each(M::WebSearch, "web_search"),
    each(M::EnterpriseWebSearch, "enterprise_web_search"),
    each(M::MapsSearch, "maps_search"),
    each(M::XSearch, "x_search"),
    each(M::FileSearch, "file_search"),
    each(M::AttachmentSearch, "attachment_search"),
    each(M::CodeExecution, "code_execution"),
    each(M::CodeSession, "code_session"),
];

impl Meter {
    /// Every meter, in the order of the lines of a bill.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|row| row.meter)
    }

    /// The meter's name in price tables.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn of(name: &str) -> Option<Self> {
        ALL.iter().find(|row| row.name == name).map(|row| row.meter)
    }

    /// How many units a price is for: 1,000,000 tokens or characters, 3,600 seconds, or 1.
    pub fn per(self) -> u32 {
        self.row().per
    }

    pub fn is_tokens(self) -> bool {
        self.side() != Side::Other
    }

    pub(crate) fn side(self) -> Side {
        self.row().side
    }

    pub(crate) fn or_as(self) -> Option<Self> {
        self.row().or_as
    }

    /// Figures for what the provider's own token counts say more exactly: not billed beside them.
    pub(crate) fn stands_for_tokens(self) -> bool {
        matches!(self, M::Image | M::Megapixel | M::AudioInHour | M::AudioOutHour | M::CharsIn)
    }

    /// Calls of tools and the like: never the only thing that a request is billed for.
    pub(crate) fn is_beside_the_work(self) -> bool {
        self >= M::Request
    }

    fn row(self) -> &'static Row {
        &ALL[self as usize]
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_meters() {
        for (at, row) in ALL.iter().enumerate() {
            assert_eq!(row.meter as usize, at, "{}", row.name);
            assert_eq!(Meter::of(row.name), Some(row.meter));
        }
        assert_eq!(Meter::of("tokens"), None);
    }

    #[test]
    fn fallbacks_end_and_stay_on_their_side() {
        for meter in Meter::all() {
            let mut steps = 0;
            let mut at = meter;
            while let Some(next) = at.or_as() {
                assert_eq!(next.side(), meter.side(), "{meter}");
                (at, steps) = (next, steps + 1);
                assert!(steps < 3, "{meter}");
            }
        }
    }
}
