//! What a call that was told costs: by the public list of prices, at the time of the call.

use std::sync::LazyLock;

use tidegate_core::Usage;
use tidegate_pricing::{Bill, Cost, Line, ModelName, Prices, Quantities, Served};
use tidegate_records::{self as records, Text};

use super::told::ModelCall;

static PRICES: LazyLock<Prices> = LazyLock::new(Prices::default);

pub(super) fn of(call: &ModelCall, usage: &Usage, unix_s: u64) -> records::Cost {
    let found = PRICES.find(&ModelName {
        provider: &call.provider,
        asked: if call.asked_model.is_empty() { &call.model } else { &call.asked_model },
        answered: Some(&*call.model).filter(|model| !model.is_empty()),
        ..ModelName::default()
    });
    let served = Served { unix_s, ..Served::default() };
    match found.cost(&Quantities::of_usage(usage), &served) {
        Ok(Cost::Priced(bill)) => records::Cost {
            amount: Text::Own(bill.total.to_string().into()),
            currency: Text::Fixed("USD"),
            estimate: !bill.estimates.is_empty(),
            unpriced: !bill.is_complete(),
            parts: parts(&bill),
            ..records::Cost::default()
        },
        _ => records::Cost { unpriced: true, ..records::Cost::default() },
    }
}

/// Of a call that has a record already.
pub(super) fn counted_elsewhere() -> records::Cost {
    records::Cost { amount: Text::Fixed("0"), currency: Text::Fixed("USD"), ..records::Cost::default() }
}

fn parts(bill: &Bill) -> Vec<(Text, Text)> {
    let part = |line: &Line| (Text::Fixed(line.meter.name()), Text::Own(line.amount.to_string().into()));
    bill.lines.iter().map(part).collect()
}
