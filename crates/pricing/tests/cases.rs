//! The worked requests of `fixtures/cases.json`: how each name is matched, the lines that follow from each usage object,
//! and each cost, all to the last digit. Quantities, prices and amounts in the file were typed in by hand.

use serde_json::{Map, Value};
use tidegate_catalog::Endpoint;
use tidegate_pricing::{
    Bill, Class, Cost, Facts, Found, Images, Measured, ModelName, PriceTable, Prices, Quantities, Reading,
    Served,
};

/// 2026-11-21, 12:00 UTC, a Saturday: where a case names no time.
const NOON: u64 = 1_795_262_400;

struct Case(Value);

impl Case {
    fn text(&self, path: &str) -> Option<&str> {
        self.0.pointer(path).and_then(Value::as_str)
    }

    fn id(&self) -> &str {
        self.text("/id").unwrap()
    }

    fn endpoint(&self) -> Endpoint {
        match self.text("/request/endpoint") {
            None => Endpoint::ChatCompletions,
            Some("responses") => Endpoint::Responses,
            Some("realtime") => Endpoint::Realtime,
            Some("images/generations") => Endpoint::ImagesGenerations,
            Some("images/edits") => Endpoint::ImagesEdits,
            Some("embeddings") => Endpoint::Embeddings,
            Some("rerank") => Endpoint::Rerank,
            Some("audio/transcriptions") => Endpoint::AudioTranscriptions,
            Some("audio/speech") => Endpoint::AudioSpeech,
            Some("videos") => Endpoint::Videos,
            Some("ocr") => Endpoint::Ocr,
            Some(other) => panic!("{}: {other}", self.id()),
        }
    }

    fn facts(&self) -> Facts {
        let none = Map::new();
        let request = self.0["request"].as_object().unwrap_or(&none);
        let text = |name: &str| request.get(name).and_then(Value::as_str).map(Box::from);
        let number = |name: &str| request.get(name).and_then(Value::as_u64);
        let mut facts = Facts { characters: number("characters"), ..Facts::default() };
        facts.searches = number("grounding_queries").unwrap_or(0);
        match self.endpoint() {
            Endpoint::ImagesGenerations | Endpoint::ImagesEdits => {
                let count = number("n").map_or(0, |n| u32::try_from(n).unwrap());
                facts.images = Some(Images { count, size: text("size"), quality: text("quality") });
            }
            Endpoint::Videos => {
                facts.video_out_seconds = number("seconds").map(Into::into);
                facts.resolution = text("size");
            }
            _ => {}
        }
        facts
    }

    fn quantities(&self) -> Quantities {
        let usage = &self.0["usage"];
        let measured = if usage.is_null() {
            Measured::default()
        } else {
            let reading = Reading::of(self.text("/provider").unwrap(), self.endpoint());
            Measured::read(usage, reading).unwrap_or_else(|error| panic!("{}: {error}", self.id()))
        };
        measured.quantities.with_facts(&self.facts()).unwrap()
    }

    fn served(&self) -> Served<'_> {
        let batch = self.0["request"]["batch"] == true;
        let class = if batch {
            Some(Class::Batch)
        } else {
            self.text("/request/service_tier").and_then(Class::of_answer)
        };
        let at = self.text("/request/at").map(|time| tidegate_core::clock::rfc3339_seconds(time).unwrap());
        Served {
            class: class.unwrap_or_default(),
            region: self.text("/request/region"),
            unix_s: at.unwrap_or(NOON),
        }
    }

    fn find(&self) -> std::sync::Arc<Found> {
        let (provider, model) = (self.text("/provider").unwrap(), self.text("/model").unwrap());
        Prices::default().find(&ModelName { provider, asked: model, ..ModelName::default() })
    }

    fn table(&self) -> Option<PriceTable> {
        let prices = self.0.get("prices").filter(|prices| !prices.is_null())?;
        Some(PriceTable::from_json(prices).unwrap_or_else(|error| panic!("{}: {error}", self.id())))
    }

    /// The lines as the file has them.
    fn lines(&self) -> Vec<String> {
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let lines = self.0["lines"].as_array().unwrap().iter();
        lines
            .map(|line| {
                ["meter", "quantity", "price", "multiplier", "per", "amount"]
                    .map(|name| text(line, name))
                    .join(" ")
            })
            .collect()
    }

    fn check(&self, bill: &Bill, estimated: bool) {
        let lines: Vec<_> = bill.lines.iter().map(line).collect();
        assert_eq!(lines, self.lines(), "{}", self.id());
        assert_eq!(Some(bill.total.to_string().as_str()), self.text("/cost"), "{}", self.id());
        assert_eq!(estimated, self.0["estimated"] == true, "{}: {:?}", self.id(), bill.estimates);
        assert!(bill.is_complete(), "{}: {:?}", self.id(), bill.missing);
    }
}

fn line(line: &tidegate_pricing::Line) -> String {
    let key = line.key.as_deref().map(|key| format!(":{key}")).unwrap_or_default();
    let multiplier = line.multiplier.map_or_else(|| "-".to_owned(), |by| by.to_string());
    let (quantity, price, per) = (line.quantity, line.price, line.meter.per());
    format!("{}{key} {quantity} {price} {multiplier} {per} {}", line.meter, line.amount)
}

fn cases() -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/cases.json")).unwrap();
    assert_eq!(cases.len(), 104);
    cases.into_iter().map(Case).collect()
}

#[test]
fn names_are_matched_as_the_cases_say() {
    for case in cases() {
        let found = case.find();
        let got = (found.id.as_deref(), Some(found.by.name()));
        assert_eq!(got, (case.text("/match/id"), case.text("/match/by")), "{}", case.id());
    }
}

/// With the table of the case, so that a refreshed catalogue does not change what is checked.
#[test]
fn lines_and_costs_follow_from_usage_and_table() {
    let mut priced = 0;
    for case in cases() {
        let Some(table) = case.table() else {
            assert_eq!(case.text("/status"), Some("unpriced"), "{}", case.id());
            continue;
        };
        let of_name = case.find().estimates;
        let cost = Found::from(table).cost(&case.quantities(), &case.served()).unwrap();
        let bill = cost.bill().unwrap_or_else(|| panic!("{}: {cost:?}", case.id()));
        case.check(bill, !bill.estimates.is_empty() || !of_name.is_empty());
        priced += 1;
    }
    assert_eq!(priced, 101);
}

/// From name to cost, through the catalogue. Cases whose table the catalogue no longer has are left to the test above.
#[test]
fn the_catalogue_gives_the_same_costs() {
    let mut same = 0;
    for case in cases() {
        let found = case.find();
        if found.table.as_deref() != case.table().as_ref() {
            continue;
        }
        match found.cost(&case.quantities(), &case.served()).unwrap() {
            Cost::Priced(bill) => case.check(&bill, !bill.estimates.is_empty()),
            Cost::Unpriced(why) => assert_eq!(case.text("/status"), Some("unpriced"), "{}: {why}", case.id()),
        }
        same += 1;
    }
    assert!(same >= 50, "only {same} cases have the catalogue's prices: renew the cases");
}
