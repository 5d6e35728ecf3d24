//! A notice in words.

use rust_decimal::Decimal;
use tidegate_core::clock::rfc3339_text;
use tidegate_ledger::{Alert, Amount, Reset, Unit};

use crate::notice::{Event, Notice};

/// Money in words has so many decimals at most.
const DECIMALS: u32 = 4;

/// One line.
pub(crate) fn subject(notice: &Notice) -> String {
    match &notice.event {
        Event::Test => "Tidegate: this is a test".to_owned(),
        Event::Rule(notice) => crate::rule::subject(notice),
        Event::Budget(budget) => {
            let alert = &budget.alert;
            let (level, name) = (alert.scope.word(), visible(budget.name()));
            if alert.exhausted {
                return format!("Tidegate: the budget of {level} '{name}' is used up");
            }
            let share = share(alert).map_or_else(String::new, |share| format!(" ({share}%)"));
            format!(
                "Tidegate: {level} '{name}' has used {}{share} of its budget",
                amount(alert.mark, alert.unit)
            )
        }
    }
}

/// Some lines, with what to do about it.
pub(crate) fn body(notice: &Notice) -> String {
    let budget = match &notice.event {
        Event::Budget(budget) => budget,
        Event::Rule(notice) => return crate::rule::body(notice),
        Event::Test => {
            let text = "Nothing happened. Somebody wanted to see whether notices arrive here: they do.\n";
            return text.to_owned();
        }
    };
    let alert = &budget.alert;
    let mut lines = vec![
        format!("{}: {}", alert.scope.word(), visible(budget.name())),
        format!("used: {} of {}", amount(alert.used, alert.unit), amount(alert.amount, alert.unit)),
    ];
    if let Some(workspace) = &budget.holder.workspace {
        lines.push(format!("workspace: {}", visible(workspace)));
    }
    if alert.period_end == Reset::NEVER {
        lines.push("starts anew: never".to_owned());
    } else {
        lines.push(format!("starts anew: {}", rfc3339_text(alert.period_end)));
    }
    lines.push(format!("at: {}", rfc3339_text(notice.at)));
    lines.push(String::new());
    lines.push(match (alert.exhausted, alert.period_end == Reset::NEVER) {
        (true, true) => {
            "Requests that it pays for are refused (412) until the budget is raised or reset.".to_owned()
        }
        (true, false) => {
            "Requests that it pays for are refused (412) until then, or until the budget is raised or reset."
                .to_owned()
        }
        (false, _) => "Requests go on; they are refused when all of the budget is used.".to_owned(),
    });
    lines.join("\n") + "\n"
}

fn amount(amount: Amount, unit: Unit) -> String {
    let text = amount.to_string();
    let rounded =
        text.parse::<Decimal>().map_or(text, |exact| exact.round_dp(DECIMALS).normalize().to_string());
    match unit {
        Unit::Usd => format!("{rounded} USD"),
        Unit::Tokens => format!("{rounded} tokens"),
    }
}

/// The threshold in percent.
fn share(alert: &Alert) -> Option<Decimal> {
    let (mark, whole): (Decimal, Decimal) =
        (alert.mark.to_string().parse().ok()?, alert.amount.to_string().parse().ok()?);
    mark.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole).map(|share| share.round_dp(1).normalize())
}

/// Names come from others: nothing in them begins another line, or another header.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
