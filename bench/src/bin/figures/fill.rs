//! Records that differ in everything that is asked for.

use std::sync::Arc;

use tidegate_core::Usage;
use tidegate_records::{Cost, Entry, Facts, IdSource, RequestRecord, Sink, Text, codec};

use crate::load::Names;

/// What was written, to compare figures with.
#[derive(Debug, Default)]
pub struct Told {
    /// Microseconds.
    pub latencies: Vec<u32>,
    pub prompt_tokens: u64,
    /// 10^-12 USD.
    pub cost: u128,
}

pub struct Maker {
    names: Names,
    owners: Vec<Arc<str>>,
    ids: IdSource,
    made: usize,
    pub told: Told,
}

impl Maker {
    /// `node`: of the ids, so that two makers make different ones.
    pub fn new(node: u16) -> Self {
        let owners = (0..50).map(|i| format!("owner-{i}").into()).collect();
        let (ids, told) = (IdSource::new(node, None), Told::default());
        Self { names: Names::new(), owners, ids, made: 0, told }
    }

    pub fn made(&self) -> u64 {
        self.made as u64
    }

    fn record(&mut self, unix_ms: u64) -> RequestRecord {
        let i = self.made;
        self.made += 1;
        // SplitMix64: the same at every run.
        let mut mixed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let chance = (mixed >> 11) as f64 / (1u64 << 53) as f64;
        let mut record = self.names.record(&self.ids, unix_ms, i);
        record.who.key_owner = self.owners[i * 13 % self.owners.len()].clone().into();
        record.virtual_key = ["openai-eu", "openai-us", ""][i % 3].into();
        record.config = ["pc-main-1", "pc-batch", "", ""][i / 3 % 4].into();
        record.cache = ["miss", "miss", "hit", "disabled"][i / 5 % 4].into();
        record.status = match i % 1_000 {
            0..30 => 500,
            30..50 => 429,
            50 => 446,
            _ => 200,
        };
        let latency = (300_000.0 * ((chance - 0.5) * 7.0).exp()) as u32;
        record.timing.total_us = latency.into();
        record.timing.ttft_us = Some(u64::from(latency / 4));
        let input = mixed % 9_000;
        record.usage = Some(Usage { input, output: mixed % 700, ..Usage::default() });
        let micros = mixed % 40_000;
        record.cost =
            Cost { amount: Text::from(format!("0.{micros:06}")), currency: "USD".into(), ..Cost::default() };
        self.told.latencies.push(latency);
        self.told.prompt_tokens += input;
        self.told.cost += u128::from(micros) * 1_000_000;
        record
    }

    /// A batch of requests that began around this time.
    pub fn write(&mut self, sink: &mut impl Sink, unix_ms: u64, count: u64) {
        let encoded: Vec<Vec<u8>> = (0..count)
            .map(|i| {
                let mut bytes = Vec::with_capacity(512);
                codec::encode(&self.record(unix_ms + i % 997), &mut bytes);
                bytes
            })
            .collect();
        let entry = |encoded| Entry { facts: Facts::read(encoded).unwrap(), encoded, bodies: None };
        let entries: Vec<Entry<'_>> = encoded.iter().map(|encoded| entry(encoded)).collect();
        if !entries.is_empty() {
            let written = sink.write(&entries).unwrap();
            assert_eq!(written.new, count, "{written:?}");
        }
    }
}
