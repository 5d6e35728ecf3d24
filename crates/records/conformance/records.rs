//! Records that differ in what lists filter by.

use tidegate_core::Usage;
use tidegate_records::record::{Bytes, Span, Timing, Who};
use tidegate_records::{
    Attempt, Cost, Entry, Facts, Filter, IdSource, ListRow, Reader, RequestRecord, Sink, StoredBodies,
    StoredBody, Written, codec,
};

/// 2026-09-21, some time of the day.
pub const NOW: u64 = 1_790_000_000_000;
pub const DAY: u64 = 86_400_000;

pub fn ids() -> IdSource {
    IdSource::new(1, None)
}

/// The `i`th of records that have every combination of some names.
pub fn record(ids: &IdSource, unix_ms: u64, i: u64) -> RequestRecord {
    let pick = |names: &[&'static str], every: u64| names[(i / every % names.len() as u64) as usize].into();
    RequestRecord {
        id: ids.next(unix_ms).bits(),
        who: Who {
            organisation: pick(&["org-1", "org-2"], 17),
            workspace: pick(&["ws-a", "ws-b"], 1),
            api_key: pick(&["", "key-1", "key-2", "key-3"], 2),
            key_owner: pick(&["", "ann", "bea"], 5),
            user: format!("user-{}", i % 50).into(),
            session: if i.is_multiple_of(3) { "".into() } else { format!("session-{}", i % 23).into() },
            metadata: match i % 6 {
                0 => vec![],
                1 => vec![("env".into(), "prod".into())],
                2 => vec![("a=b".into(), "c".into()), ("nul\0".into(), "%\u{1}".into())],
                3 => vec![("a".into(), "b=c".into()), ("long".into(), "x".repeat(9_000).into())],
                _ => {
                    vec![("env".into(), pick(&["prod", "test"], 6)), ("n".into(), (i % 9).to_string().into())]
                }
            },
        },
        route: "chat_completions".into(),
        provider: pick(&["openai", "anthropic", "azure-openai"], 1),
        virtual_key: pick(&["", "", "vk-1", "vk-2"], 3),
        model: pick(&["gpt-4o", "claude-x", "gpt-4o-mini", "o9", "rare"], 7),
        asked_model: "gpt-4o".into(),
        config: pick(&["pc-1", "", "pc-2"], 11),
        cache: pick(&["", "hit", "miss", "semantic_hit", "disabled"], 13),
        attempts: (0..i % 5)
            .map(|attempt| Attempt {
                target: pick(&["targets[0]", "targets[1]"], attempt / 2 + 1),
                error: if attempt + 1 == i % 5 { "".into() } else { "timeout".into() },
                duration_us: 100 + attempt,
                hedge: i % 7 == attempt,
                ..Attempt::default()
            })
            .collect(),
        limit: pick(&["", "", "rate_limit"], 19),
        bytes: Bytes { request: i * 3, response: i % 1_000 },
        usage_estimated: i.is_multiple_of(23),
        status: [200, 200, 200, 200, 429, 500, 200, 404, 200, 200][(i % 10) as usize],
        end: pick(&["ok", "ok", "client_gone", "stalled"], 3),
        stream: i.is_multiple_of(2),
        timing: Timing {
            total_us: 1_000 + i * 7_919 % 3_000_000,
            ttft_us: i.is_multiple_of(3).then_some(i),
            waited_us: if i.is_multiple_of(12) { i } else { 0 },
            ..Timing::default()
        },
        usage: (!i.is_multiple_of(4)).then(|| Usage {
            input: i,
            cache_read: Some(2),
            cache_write: i.is_multiple_of(5).then_some(4),
            reasoning: i.is_multiple_of(6).then_some(1),
            audio_input: i.is_multiple_of(9).then_some(7),
            image_output: i.is_multiple_of(10).then_some(8),
            searches: i.is_multiple_of(8).then_some(1),
            output: 3 + i % 10,
            ..Usage::default()
        }),
        cost: Cost {
            amount: match i % 11 {
                0 => "".into(),
                1 => format!("0.{i:020}").into(),
                _ => format!("0.00{:04}", i % 97).into(),
            },
            currency: pick(&["USD", "USD", "", "EUR"], 29),
            saved: pick(&["", "0.01", "0.00000000000049"], 3),
            unpriced: i.is_multiple_of(5),
            ..Cost::default()
        },
        span: Span {
            trace: match i % 3 {
                0 => format!("trace-{}", i / 30).into(),
                1 if i % 7 == 1 => format!("nul\0{}", "long".repeat(3_000)).into(),
                _ => "".into(),
            },
            span: if i.is_multiple_of(5) { "".into() } else { format!("span-{}", i % 31).into() },
            ..Span::default()
        },
        ..RequestRecord::default()
    }
}

pub fn bodies(text: &str) -> StoredBodies {
    let body = StoredBody {
        part: "request".into(),
        kind: "text".into(),
        data: text.as_bytes().to_vec(),
        plain: text.len() as u64,
        ..StoredBody::default()
    };
    StoredBodies { bodies: vec![body] }
}

pub fn write(
    sink: &mut dyn Sink,
    records: &[RequestRecord],
    with: &dyn Fn(&RequestRecord) -> Option<StoredBodies>,
) -> Written {
    let mut all = Written::default();
    for batch in records.chunks(100) {
        let encoded: Vec<_> = batch
            .iter()
            .map(|record| {
                let mut bytes = Vec::new();
                codec::encode(record, &mut bytes);
                (bytes, with(record))
            })
            .collect();
        let entries: Vec<_> = batch
            .iter()
            .zip(&encoded)
            .map(|(record, (encoded, bodies))| Entry {
                facts: Facts::of(record),
                encoded,
                bodies: bodies.as_ref(),
            })
            .collect();
        let written = sink.write(&entries).unwrap();
        all.new += written.new;
        all.known += written.known;
        all.clashed += written.clashed;
        all.expired += written.expired;
    }
    all
}

/// All pages.
pub fn list(reader: &mut dyn Reader, filter: &Filter, limit: usize) -> Vec<ListRow> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = reader.list(filter, before, limit).unwrap();
        assert!(page.rows.len() <= limit);
        all.extend(page.rows);
        match page.next {
            Some(next) => before = Some(next),
            None => return all,
        }
    }
}
