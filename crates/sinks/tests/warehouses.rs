//! Records on their way to warehouses that take nothing they do not understand, and that fail.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tidegate_core::{Clock, Secret, SystemClock};
use tidegate_records::{
    Batch, Cost, Entry, Facts, RecordId, RequestRecord, Sink, SinkError, Timing, Who, Written, codec,
};
use tidegate_sinks::{ClickHouse, Format, Loss, S3, Shipper, SpoolOptions, Target, Tee, Told, channel};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings};

use crate::server::{ACCESS_KEY, House, PASSWORD, SECRET_KEY, house};

/// A store that takes everything.
struct Store;

impl Sink for Store {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        Ok(Written { new: batch.len() as u64, ..Written::default() })
    }
}

/// 2026-11-22 03:04:05 UTC.
const AT: u64 = 1_795_316_645_000;

fn record(i: u64) -> RequestRecord {
    let text = |text: &str| text.to_owned().into();
    RequestRecord {
        id: RecordId::first_of(AT + i).bits() + i,
        who: Who {
            workspace: text("ws"),
            metadata: vec![(text("team"), text("réd \"1\""))],
            ..Who::default()
        },
        model: text("gpt-4o"),
        status: 200,
        timing: Timing { total_us: 1_000 + i, ..Timing::default() },
        cost: Cost { amount: text("0.000001234567"), currency: text("USD"), ..Cost::default() },
        ..RequestRecord::default()
    }
}

fn write(tee: &mut Tee, numbers: impl Iterator<Item = u64>) {
    let encoded: Vec<Vec<u8>> = numbers
        .map(|i| {
            let mut bytes = Vec::new();
            codec::encode(&record(i), &mut bytes);
            bytes
        })
        .collect();
    let entry = |encoded| Entry { facts: Facts::read(encoded).unwrap(), encoded, bodies: None };
    let entries: Vec<_> = encoded.iter().map(|encoded| entry(encoded)).collect();
    assert_eq!(tee.write(&entries).unwrap().new, entries.len() as u64);
}

struct Spool(PathBuf);

impl Spool {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tidegate-sinks-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn options(&self) -> SpoolOptions {
        let soon = Duration::from_millis(1);
        SpoolOptions {
            batch_records: 10,
            // Nothing is sent for its age.
            interval: Duration::from_secs(3_600),
            gather: soon,
            pause: soon,
            pause_most: Duration::from_millis(5),
            refusals: 3,
            ..SpoolOptions::new(&self.0)
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn clickhouse(url: &str) -> Target {
    Target::ClickHouse(ClickHouse {
        url: url.to_owned(),
        user: "writer".to_owned(),
        password: Some(Secret::from(PASSWORD)),
        database: "tides".to_owned(),
        table: "records".to_owned(),
        timeout: Duration::from_secs(20),
    })
}

fn s3(url: &str, format: Format) -> Target {
    Target::S3(S3 {
        endpoint: url.to_owned(),
        region: "eu-central-1".to_owned(),
        bucket: "my.bucket".to_owned(),
        prefix: "gate/a=b/".to_owned(),
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: Secret::from(SECRET_KEY),
        session_token: None,
        format,
        timeout: Duration::from_secs(20),
    })
}

fn open(target: &Target, options: SpoolOptions) -> (Tee, Shipper) {
    let policy = AddressPolicy { allow_private: true, ..AddressPolicy::default() };
    let egress = Egress::new(EgressSettings { policy, ..EgressSettings::default() }).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    channel(target, options, egress, clock, Box::new(Store)).unwrap()
}

/// What was told, added up by kind.
#[derive(Debug, Default)]
struct Heard(Mutex<BTreeMap<String, u64>>);

impl Heard {
    fn hear(&self, told: &Told<'_>) {
        let (kind, count) = match told {
            Told::Sent(count) => ("sent".to_owned(), *count),
            Told::Lost(loss, count) => (loss.as_str().to_owned(), *count),
            Told::Failed(why) => ((*why).to_owned(), 1),
            Told::Spooled(_) => return,
        };
        *self.0.lock().unwrap().entry(kind).or_default() += count;
    }

    fn of(&self, kind: &str) -> u64 {
        self.0.lock().unwrap().get(kind).copied().unwrap_or(0)
    }
}

/// Writes records, closes, and lets everything go out.
async fn all(target: &Target, options: SpoolOptions, count: u64) -> Heard {
    let (mut tee, shipper) = open(target, options);
    let heard = Heard::default();
    write(&mut tee, 0..count);
    drop(tee);
    tokio::time::timeout(Duration::from_secs(120), shipper.run(|told| heard.hear(&told))).await.unwrap();
    heard
}

/// Writes records, and closes when all of them are there.
async fn sent(target: &Target, options: SpoolOptions, count: u64) -> Arc<Heard> {
    // Those that fill no batch go out as well.
    let options = SpoolOptions { interval: Duration::from_millis(20), ..options };
    let (mut tee, shipper) = open(target, options);
    write(&mut tee, 0..count);
    let heard = Arc::new(Heard::default());
    let hearing = heard.clone();
    let shipping = tokio::spawn(shipper.run(move |told| hearing.hear(&told)));
    let patience = std::time::Instant::now() + Duration::from_secs(120);
    while heard.of("sent") < count {
        assert!(std::time::Instant::now() < patience, "{heard:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(tee);
    shipping.await.unwrap();
    heard
}

/// Every record once, whatever came twice.
fn rows_are(house: &Mutex<House>, count: u64) {
    let house = house.lock().unwrap();
    let mut totals: Vec<i64> = house.rows().iter().map(|row| row["total_us"].as_i64().unwrap()).collect();
    totals.sort_unstable();
    let expected: Vec<i64> = (0..count).map(|i| 1_000 + i.cast_signed()).collect();
    assert_eq!(totals, expected);
    for row in house.rows() {
        assert_eq!(row["cost"], "0.000001234567");
        assert_eq!(row["metadata"], serde_json::json!({"team": "réd \"1\""}));
        assert!(row["time"].as_str().unwrap().starts_with("2026-11-22T03:04:05."), "{row}");
    }
}

#[tokio::test]
async fn clickhouse_has_every_row_once_though_answers_are_lost() {
    // 1: the table. Then an insert that fails, one whose answer is lost after it was done, and one that is told to wait.
    let (house, url) = house(&[200, 500, 0, 503]).await;
    let spool = Spool::new("clickhouse");
    let heard = sent(&clickhouse(&url), spool.options(), 25).await;
    assert_eq!(heard.of("sent"), 25, "{heard:?}");
    assert_eq!(heard.of("it answered 500 (ClickHouse code 241)"), 1, "{heard:?}");
    rows_are(&house, 25);
    let house = house.lock().unwrap();
    let create = &house.queries[0];
    assert!(create.starts_with("CREATE TABLE IF NOT EXISTS `tides`.`records` (`id` String, "), "{create}");
    for column in tidegate_sinks::columns() {
        assert!(create.contains(&format!("`{}` ", column.name)), "{}", column.name);
    }
    assert!(create.contains("non_replicated_deduplication_window = 1000"), "{create}");
    assert_eq!(house.blocks.len(), 3, "10, 10 and 5");
}

#[tokio::test]
async fn s3_has_objects_of_lines_under_names_that_stay() {
    let (house, url) = house(&[500, 0]).await;
    let spool = Spool::new("s3");
    let heard = sent(&s3(&url, Format::Jsonl), spool.options(), 20).await;
    assert_eq!(heard.of("sent"), 20, "{heard:?}");
    rows_are(&house, 20);
    let house = house.lock().unwrap();
    let names: Vec<&String> = house.blocks.keys().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        assert!(name.starts_with("/my.bucket/gate/a=b/day=2026-11-22/20261122T030405Z-"), "{name}");
        assert!(name.ends_with(".jsonl.gz"), "{name}");
    }
}

#[tokio::test]
async fn s3_has_tables() {
    let (house, url) = house(&[]).await;
    let spool = Spool::new("parquet");
    let heard = all(&s3(&url, Format::Parquet), spool.options(), 10).await;
    assert_eq!(heard.of("sent"), 10, "{heard:?}");
    let house = house.lock().unwrap();
    let (name, file): (_, &Bytes) = house.objects.iter().next().unwrap();
    assert!(name.ends_with(".parquet") && file.starts_with(b"PAR1") && file.ends_with(b"PAR1"), "{name}");
}

#[tokio::test]
async fn what_waits_outlives_the_process_and_keeps_its_name() {
    let (closed, url) = house(&[403; 100]).await;
    let spool = Spool::new("restart");
    // Refused for its credentials; the gateway stops, and that is the end of it for now.
    let heard = all(&s3(&url, Format::Jsonl), spool.options(), 7).await;
    assert_eq!(heard.of("sent"), 0, "{heard:?}");
    assert!(heard.of("it answered 403 (SignatureDoesNotMatch)") > 0, "{heard:?}");
    // Those after it bring it there, though the first hears nothing of that.
    let (open, url) = house(&[0]).await;
    let mut sent = 0;
    for _ in 0..3 {
        sent += all(&s3(&url, Format::Jsonl), spool.options(), 0).await.of("sent");
    }
    assert_eq!(sent, 7);
    rows_are(&open, 7);
    // One object, by one name, whoever sent it.
    let mut names = [closed.lock().unwrap().asked.clone(), open.lock().unwrap().asked.clone()].concat();
    assert!(names.len() >= 3, "{names:?}");
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(std::fs::read_dir(&spool.0).unwrap().count(), 1, "only the lock is left");
}

#[tokio::test]
async fn what_finds_no_room_or_is_refused_is_counted() {
    let (_, url) = house(&[]).await;
    // No room in memory: nobody takes from the queue yet.
    let spool = Spool::new("queue");
    let heard = all(&s3(&url, Format::Jsonl), SpoolOptions { queue: 4, ..spool.options() }, 10).await;
    assert_eq!((heard.of("sent"), heard.of(Loss::QueueFull.as_str())), (4, 6), "{heard:?}");
    // No room on disk.
    let spool = Spool::new("full");
    let heard = all(&s3(&url, Format::Jsonl), SpoolOptions { most_bytes: 10, ..spool.options() }, 10).await;
    assert_eq!((heard.of("sent"), heard.of(Loss::SpoolFull.as_str())), (0, 10), "{heard:?}");
    // A batch that is refused for what it is, again and again, does not hold up those behind it.
    let (house, url) = server::house(&[400, 400, 400]).await;
    let spool = Spool::new("refused");
    let (mut tee, shipper) = open(&s3(&url, Format::Jsonl), spool.options());
    let heard = Arc::new(Heard::default());
    let hearing = heard.clone();
    let shipping = tokio::spawn(shipper.run(move |told| hearing.hear(&told)));
    write(&mut tee, 0..20);
    let patience = std::time::Instant::now() + Duration::from_secs(120);
    while heard.of("sent") < 10 {
        assert!(std::time::Instant::now() < patience, "{heard:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(tee);
    shipping.await.unwrap();
    assert_eq!((heard.of("sent"), heard.of(Loss::Refused.as_str())), (10, 10), "{heard:?}");
    assert_eq!(house.lock().unwrap().blocks.len(), 1);
}

#[tokio::test]
async fn a_batch_goes_out_when_it_is_old_enough() {
    let (house, url) = house(&[]).await;
    let spool = Spool::new("interval");
    let options = SpoolOptions { interval: Duration::from_millis(20), ..spool.options() };
    let (mut tee, shipper) = open(&s3(&url, Format::Jsonl), options);
    let heard = Arc::new(Heard::default());
    let hearing = heard.clone();
    let shipping = tokio::spawn(shipper.run(move |told| hearing.hear(&told)));
    write(&mut tee, 0..3);
    let patience = std::time::Instant::now() + Duration::from_secs(120);
    while heard.of("sent") < 3 {
        assert!(std::time::Instant::now() < patience, "{heard:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rows_are(&house, 3);
    drop(tee);
    shipping.await.unwrap();
}

#[test]
fn places_that_are_none_are_named() {
    let spool = Spool::new("places");
    let policy = AddressPolicy::default();
    let egress = Egress::new(EgressSettings { policy, ..EgressSettings::default() }).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let said = |target: Target| {
        channel(&target, spool.options(), egress.clone(), clock.clone(), Box::new(Store))
            .unwrap_err()
            .to_string()
    };
    for url in ["ftp://a", "nothing at all", "http://user:secret@a", "http://a/?b=c"] {
        let told = said(clickhouse(url));
        assert!(told.starts_with("sinks.clickhouse.url: ") && !told.contains("secret"), "{told}");
        assert!(said(s3(url, Format::Jsonl)).starts_with("sinks.s3.endpoint: "));
    }
    let Target::S3(options) = s3("http://a", Format::Jsonl) else { panic!("it is") };
    let with = |change: fn(&mut S3)| {
        let mut options = options.clone();
        change(&mut options);
        said(Target::S3(options))
    };
    assert!(with(|s3| s3.bucket = "a/b".to_owned()).starts_with("sinks.s3.bucket: "));
    assert!(with(|s3| s3.prefix = "a b".to_owned()).starts_with("sinks.s3.prefix: "));
    assert!(with(|s3| s3.region = "a/b".to_owned()).starts_with("sinks.s3.region: "));
}
