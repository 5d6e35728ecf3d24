//! What each family of Claude models takes, told from the model's name: facts that change how a request must be
//! written, and that the API does not say before it refuses.
//!
//! One table, by version. A name that is no Claude name (a deployment's alias) gets [`Model::UNKNOWN`]: everything is
//! sent as asked and the provider answers.

/// How thinking is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Unsupported,
    /// `{"type":"enabled","budget_tokens":n}`.
    Budget,
    /// Both forms; `adaptive` is the recommended one.
    Both,
    /// `{"type":"adaptive"}` only.
    Adaptive,
}

/// The highest word that `output_config.effort` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EffortWords {
    Unsupported,
    UpToHigh,
    /// `low`, `medium`, `high` and `max`, but no `xhigh`.
    MaxWithoutXHigh,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) thinking: Thinking,
    pub(super) effort: EffortWords,
    /// Takes `temperature`, `top_p` and `top_k`.
    pub(super) sampling: bool,
    /// Takes `temperature` together with `top_p`.
    pub(super) temperature_with_top_p: bool,
    /// Takes `output_config.format` and `strict` tools.
    pub(super) structured_output: bool,
    /// Goes on from a last message of the assistant.
    pub(super) prefill: bool,
}

impl Model {
    pub(super) const UNKNOWN: Self = Self {
        thinking: Thinking::Both,
        effort: EffortWords::All,
        sampling: true,
        temperature_with_top_p: true,
        structured_output: true,
        prefill: true,
    };

    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let Some(at) = name.find("claude") else { return Self::UNKNOWN };
        let name = &name[at..];
        match version(name) {
            Some(version) => Self::of_version(version, name.contains("opus")),
            None if ["fable", "mythos"].iter().any(|family| name.contains(family)) => NEWEST,
            None if name.contains("instant") => OLDEST,
            None => Self::UNKNOWN,
        }
    }

    fn of_version(version: (u32, u32), opus: bool) -> Self {
        let row = TABLE.iter().find(|row| version >= row.since && (opus || !row.opus_only));
        row.map_or(OLDEST, |row| row.model)
    }
}

struct Row {
    since: (u32, u32),
    opus_only: bool,
    model: Model,
}

const OLDEST: Model = Model {
    thinking: Thinking::Unsupported,
    effort: EffortWords::Unsupported,
    sampling: true,
    temperature_with_top_p: true,
    structured_output: false,
    prefill: true,
};

const NEWEST: Model = Model {
    thinking: Thinking::Adaptive,
    effort: EffortWords::All,
    sampling: false,
    temperature_with_top_p: false,
    structured_output: true,
    prefill: false,
};

/// Newest first; the first row that fits is the model's.
const TABLE: [Row; 7] = [
    Row { since: (4, 7), opus_only: false, model: NEWEST },
    Row { since: (4, 6), opus_only: true, model: Model { prefill: false, ..V4_6 } },
    Row { since: (4, 6), opus_only: false, model: V4_6 },
    Row { since: (4, 5), opus_only: true, model: Model { effort: EffortWords::UpToHigh, ..V4_1 } },
    Row { since: (4, 1), opus_only: false, model: V4_1 },
    Row { since: (3, 7), opus_only: false, model: Model { thinking: Thinking::Budget, ..OLDEST } },
    Row { since: (0, 0), opus_only: false, model: OLDEST },
];

const V4_6: Model = Model {
    thinking: Thinking::Both,
    effort: EffortWords::MaxWithoutXHigh,
    sampling: true,
    temperature_with_top_p: false,
    structured_output: true,
    prefill: true,
};

const V4_1: Model = Model {
    thinking: Thinking::Budget,
    effort: EffortWords::Unsupported,
    sampling: true,
    temperature_with_top_p: false,
    structured_output: true,
    prefill: true,
};

/// The first one or two small numbers of the name, wherever the family's word stands: `claude-3-5-sonnet-20241022`,
/// `claude-opus-4-7`, `claude-sonnet-4.5@20250929`, `claude-v1`. A date is not a version.
fn version(name: &str) -> Option<(u32, u32)> {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(|word| word.trim_start_matches('v'));
    let small = |word: &str| word.parse::<u32>().ok().filter(|&number| number < 100);
    let major = words.find_map(small)?;
    Some((major, words.next().and_then(small).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_wherever_they_stand() {
        for (name, expected) in [
            ("claude-3-5-sonnet-20241022", Some((3, 5))),
            ("claude-3.7-sonnet:thinking", Some((3, 7))),
            ("claude-opus-4-20250514", Some((4, 0))),
            ("claude-opus-4-7-20260416", Some((4, 7))),
            ("claude-sonnet-4-5@20250929", Some((4, 5))),
            ("claude-haiku-5-5", Some((5, 5))),
            ("claude-v1", Some((1, 0))),
            ("claude-2.1", Some((2, 1))),
            ("claude-mythos-preview", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
    }

    #[test]
    fn families_differ_where_the_api_does() {
        for (name, thinking, sampling, structured, prefill) in [
            ("claude-3-haiku-20240307", Thinking::Unsupported, true, false, true),
            ("claude-instant", Thinking::Unsupported, true, false, true),
            ("claude-3-7-sonnet-latest", Thinking::Budget, true, false, true),
            ("claude-sonnet-4-0", Thinking::Budget, true, false, true),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Thinking::Budget, true, true, true),
            ("claude-sonnet-4-6", Thinking::Both, true, true, true),
            ("claude-opus-4-6", Thinking::Both, true, true, false),
            ("Claude-Opus-4-8", Thinking::Adaptive, false, true, false),
            ("claude-fable-5", Thinking::Adaptive, false, true, false),
            ("claude-mythos-preview", Thinking::Adaptive, false, true, false),
            ("my-deployment", Thinking::Both, true, true, true),
        ] {
            let model = Model::of(name);
            assert_eq!(
                (model.thinking, model.sampling, model.structured_output, model.prefill),
                (thinking, sampling, structured, prefill),
                "{name}"
            );
        }
    }

    #[test]
    fn effort_words_grow_with_the_version() {
        for (name, words) in [
            ("claude-sonnet-4-5", EffortWords::Unsupported),
            ("claude-opus-4-5", EffortWords::UpToHigh),
            ("claude-sonnet-4-6", EffortWords::MaxWithoutXHigh),
            ("claude-opus-4-6", EffortWords::MaxWithoutXHigh),
            ("claude-opus-4-7", EffortWords::All),
        ] {
            assert_eq!(Model::of(name).effort, words, "{name}");
        }
    }

    #[test]
    fn the_table_is_newest_first() {
        assert!(TABLE.windows(2).all(|pair| pair[0].since >= pair[1].since));
    }
}
