//! From totals with parts inside to parts that stand beside each other.

use crate::meter::Meter;
use crate::quantities::Quantities;

/// The prompt as most providers count it: a total, and what is inside of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PromptSide {
    pub(crate) total: u64,
    /// Inside `total`; more than the total means that they were counted beside it.
    pub(crate) cached: u64,
    /// All lifetimes together, inside `total`.
    pub(crate) written: u64,
    /// Inside `written`.
    pub(crate) written_1h: u64,
    pub(crate) audio: u64,
    pub(crate) image: u64,
    pub(crate) video: u64,
    /// The cached part by modality, where it is said.
    pub(crate) cached_by: Option<CachedBy>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CachedBy {
    pub(crate) audio: u64,
    pub(crate) image: u64,
    pub(crate) video: u64,
}

/// The answer: a total, and what is inside of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnswerSide {
    pub(crate) total: u64,
    pub(crate) audio: u64,
    pub(crate) image: u64,
    pub(crate) video: u64,
    pub(crate) reasoning_inside: u64,
    pub(crate) reasoning_beside: Option<u64>,
}

impl PromptSide {
    pub(crate) fn put(self, quantities: &mut Quantities) {
        let beside = self.cached.saturating_add(self.written) > self.total;
        let media = self.audio.saturating_add(self.image).saturating_add(self.video);
        quantities.odd |= beside || media > self.total || self.written_1h > self.written;
        let mut text = self.total.saturating_sub(media);
        let [mut audio, mut image, mut video] = [self.audio, self.image, self.video];
        let (mut cached_text, mut cached_audio, mut cached_image) = (self.cached, 0, 0);
        if !beside {
            text = text.saturating_sub(self.written);
            let by = self.cached_by.unwrap_or_else(|| self.text_first(text));
            // There is no cached price for video of its own: it is the one of text.
            let cached_video = by.video.min(video);
            (cached_audio, cached_image) = (by.audio.min(audio), by.image.min(image));
            cached_text = self.cached.saturating_sub(cached_audio).saturating_sub(cached_image);
            let out_of_text = cached_text.saturating_sub(cached_video);
            quantities.odd |= out_of_text > text;
            text = text.saturating_sub(out_of_text);
            (audio, image, video) = (audio - cached_audio, image - cached_image, video - cached_video);
        }
        let written_5m = self.written.saturating_sub(self.written_1h);
        let parts = [
            (Meter::CacheRead, cached_text),
            (Meter::CacheWrite, written_5m),
            (Meter::CacheWrite1h, self.written_1h),
            (Meter::AudioIn, audio),
            (Meter::AudioCacheRead, cached_audio),
            (Meter::ImageIn, image),
            (Meter::ImageCacheRead, cached_image),
            (Meter::VideoIn, video),
        ];
        put(quantities, Meter::Input, text, &parts);
    }

    /// Where the cached part lies when nobody says: in the text, as far as that goes.
    fn text_first(&self, text: u64) -> CachedBy {
        let mut left = self.cached.saturating_sub(text);
        let mut take = |of: u64| {
            let taken = left.min(of);
            left -= taken;
            taken
        };
        CachedBy { image: take(self.image), video: take(self.video), audio: take(self.audio) }
    }
}

impl AnswerSide {
    pub(crate) fn put(self, quantities: &mut Quantities) {
        let media = self.audio.saturating_add(self.image).saturating_add(self.video);
        quantities.odd |= media > self.total;
        let text = self.total.saturating_sub(media);
        let parts = [
            (Meter::Reasoning, self.reasoning_beside.unwrap_or(0)),
            (Meter::AudioOut, self.audio),
            (Meter::ImageOut, self.image),
            (Meter::VideoOut, self.video),
        ];
        put(quantities, Meter::Output, text, &parts);
        quantities.reasoning_inside = self.reasoning_inside.min(text);
    }
}

/// Puts what there is. The main meter is there when the whole side is zero, too: that is a count, not a gap.
fn put(quantities: &mut Quantities, main: Meter, rest: u64, parts: &[(Meter, u64)]) {
    let counted: Vec<_> = parts.iter().copied().filter(|part| part.1 > 0).collect();
    if rest > 0 || counted.is_empty() {
        quantities.put(main, rest);
    }
    for (meter, count) in counted {
        quantities.put(meter, count);
    }
}
