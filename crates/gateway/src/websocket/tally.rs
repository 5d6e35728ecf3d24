//! What a session used so far, and who pays: each answer when it is over, and then so much is set aside for the next one.
//!
//! What is set aside is the most that one answer can cost. So a budget is held to, but for the last answer where less than
//! that was left: what a provider began cannot be shortened from here.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tidegate_core::Usage;
use tidegate_directory::Provider;
use tidegate_ledger::{Charge, How, Reservation};
use tidegate_pricing::{Class, Cost, Found, ModelName, Money, Quantities, Served};

use super::peek::{Event, Piece, Used, sum};
use crate::charge::{self, Meter};
use crate::record::{End, Record};
use crate::refuse::Refusal;

type Reserving = Pin<Box<dyn Future<Output = Result<Reservation, Refusal>> + Send>>;

/// The account of a session. Closes itself when dropped.
pub struct Tally {
    pub record: Box<Record>,
    meter: Option<Box<Meter>>,
    stored: Option<Arc<Provider>>,
    /// Found when it is first needed.
    prices: Option<Arc<Found>>,
    model: Box<str>,
    transcriber: Option<Transcriber>,
    usage: Option<Usage>,
    cost: Option<Cost>,
    answer: Answer,
    /// Of the answer before, in tokens.
    prompt: u64,
    /// Used while nothing was set aside for it.
    owed: Option<(Option<Money>, u64)>,
    reserving: Option<Reserving>,
    is_closed: bool,
}

/// The model that writes down what the client says, and its prices once they were needed.
struct Transcriber {
    model: Box<str>,
    prices: Option<Arc<Found>>,
}

/// An answer under way, in case that nobody ever says what it used.
#[derive(Debug, Default)]
struct Answer {
    has_begun: bool,
    audio_bytes: usize,
    texts: u64,
    client_bytes: u64,
}

impl Tally {
    pub fn new(
        record: Box<Record>,
        meter: Option<Box<Meter>>,
        stored: Option<Arc<Provider>>,
        model: &str,
    ) -> Self {
        Self {
            record,
            meter,
            stored,
            prices: None,
            model: model.into(),
            transcriber: None,
            usage: None,
            cost: None,
            answer: Answer::default(),
            prompt: 0,
            owed: None,
            reserving: None,
            is_closed: false,
        }
    }

    /// Bytes of the client's.
    pub fn heard(&mut self, bytes: usize) {
        self.answer.client_bytes += bytes as u64;
    }

    pub fn see(&mut self, event: Event) {
        match event {
            Event::Session { model, transcriber } => {
                if let Some(model) = model {
                    self.record.model = model;
                }
                // Who is told of no other keeps the one there was: what was said before may still be written down.
                if let Some(model) = transcriber
                    && self.transcriber.as_ref().is_none_or(|own| own.model != model)
                {
                    self.transcriber = Some(Transcriber { model, prices: None });
                }
            }
            Event::Transcribed { used } => {
                if let Some(used) = used {
                    let cost = self.price_of_transcript(&used);
                    let money = self.add(&used.usage, cost);
                    self.pay(money, used.usage.total());
                }
            }
            Event::Began => self.answer.has_begun = true,
            Event::Piece(piece) => {
                self.answer.has_begun = true;
                match piece {
                    Piece::Audio(bytes) => self.answer.audio_bytes += bytes,
                    Piece::Text => self.answer.texts += 1,
                }
            }
            Event::Done { used } => {
                self.answer = Answer::default();
                if let Some(used) = used {
                    self.done(&used);
                }
            }
            Event::Error { message } => self.record.detail = Some(format!("error event: {message}").into()),
        }
    }

    fn done(&mut self, used: &Used) {
        self.prompt = used.usage.prompt();
        let cost = self.price(&used.quantities, &used.usage);
        let money = self.add(&used.usage, cost);
        self.pay(money, used.usage.total());
    }

    /// Adds an answer to the sums; gives what it cost.
    fn add(&mut self, usage: &Usage, cost: Option<Cost>) -> Option<Money> {
        self.usage = Some(self.usage.as_ref().map_or_else(|| usage.clone(), |so_far| sum(so_far, usage)));
        let cost = cost?;
        let money = cost.bill().map(|bill| bill.total);
        // Sums of more than 28 digits are nobody's.
        self.cost = match self.cost.take() {
            None => Some(cost),
            Some(so_far) => so_far.and(cost).ok(),
        };
        money
    }

    fn price(&mut self, quantities: &Quantities, usage: &Usage) -> Option<Cost> {
        self.record.account.as_ref()?;
        if self.prices.is_none() {
            let answered = Some(&*self.record.model).filter(|model| !model.is_empty());
            self.prices = Some(self.prices_of(&self.model, answered));
        }
        self.cost(self.prices.as_deref()?, quantities, usage)
    }

    /// A transcript of a session that never said who makes it has the session's prices, which are higher.
    fn price_of_transcript(&mut self, used: &Used) -> Option<Cost> {
        self.record.account.as_ref()?;
        let Some(Transcriber { model, prices }) = &self.transcriber else {
            return self.price(&used.quantities, &used.usage);
        };
        let prices = prices.clone().unwrap_or_else(|| self.prices_of(model, None));
        let cost = self.cost(&prices, &used.quantities, &used.usage);
        if let Some(own) = &mut self.transcriber {
            own.prices = Some(prices);
        }
        cost
    }

    fn prices_of(&self, asked: &str, answered: Option<&str>) -> Arc<Found> {
        let slug = self.stored.as_ref().map(|stored| &*stored.slug);
        let name = ModelName { provider: self.record.provider, slug, asked, answered, base_model: None };
        charge::prices(&self.record.gateway.control.prices, self.stored.as_deref(), &name)
    }

    fn cost(&self, prices: &Found, quantities: &Quantities, usage: &Usage) -> Option<Cost> {
        let unix_s = self.record.gateway.clock.unix_ms() / 1_000;
        let served = Served { class: Class::of_usage(usage), unix_s, ..Served::default() };
        prices.cost(quantities, &served).ok()
    }

    /// Settles an answer, and sets aside what the next one may cost.
    fn pay(&mut self, money: Option<Money>, tokens: u64) {
        let Some(meter) = &mut self.meter else { return };
        let Some(tab) = meter.tab().cloned() else { return };
        if !meter.step(&Charge { cost: money, tokens, estimated: false }) {
            self.owed = Some(sum_of(self.owed, money, tokens));
        }
        if self.reserving.is_none() {
            self.reserving = Some(Box::pin(async move { tab.reserve().await }));
        }
    }

    /// Ready when the budget has nothing left for another answer.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Refusal> {
        while let Some(reserving) = &mut self.reserving {
            let Poll::Ready(reserved) = reserving.as_mut().poll(cx) else { return Poll::Pending };
            self.reserving = None;
            match (reserved, &mut self.meter) {
                (Ok(reservation), Some(meter)) => {
                    meter.renew(reservation);
                    if let Some((money, tokens)) = self.owed.take() {
                        self.pay(money, tokens);
                    }
                }
                (Ok(reservation), None) => drop(reservation.cancel()),
                (Err(refusal), _) => return Poll::Ready(refusal),
            }
        }
        Poll::Pending
    }

    /// An answer that was cut off is counted by what came of it: providers do not give it for nothing.
    fn cut_off(&mut self) -> Option<Usage> {
        /// OpenAI's: a token is 50 ms of its own audio and 100 ms of the client's. In base64, of 24,000 samples a second
        /// with two bytes each.
        const OWN_BYTES: u64 = 3_200;
        const CLIENTS_BYTES: u64 = 6_400;
        let Answer { has_begun, audio_bytes, texts, client_bytes } = std::mem::take(&mut self.answer);
        if !has_begun {
            return None;
        }
        let (audio, heard) = (audio_bytes as u64 / OWN_BYTES, client_bytes / CLIENTS_BYTES);
        Some(Usage {
            input: self.prompt + heard,
            audio_input: Some(heard),
            output: audio + texts,
            audio_output: Some(audio),
            ..Usage::default()
        })
    }

    pub fn close(&mut self, end: End) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        self.record.ended(end);
        self.record.is_finished = end == End::Ok;
        let mut rest = Charge::NOTHING;
        if let Some((cost, tokens)) = self.owed.take() {
            rest = Charge { cost, tokens, ..rest };
        }
        if let Some(usage) = self.cut_off() {
            let cost = self.price(&Quantities::of_usage(&usage).guessed(), &usage);
            let money = self.add(&usage, cost);
            let (cost, tokens) = sum_of(Some((rest.cost, rest.tokens)), money, usage.total());
            rest = Charge { cost, tokens, estimated: true };
        }
        if let Some(account) = &mut self.record.account {
            account.summed(self.cost.take(), rest.estimated, self.meter.is_some());
        }
        let total = self.usage.as_ref().map_or(0, Usage::total);
        self.record.usage = self.usage.take();
        let how = if end == End::Ok { How::Success } else { How::Disconnect };
        let now = self.record.gateway.clock.now();
        if let Some(meter) = self.meter.take() {
            meter.settle_session(&rest, total, how, now);
        }
        // What is being set aside for another answer goes back when it is let go of.
        self.reserving = None;
    }
}

/// More is owed. What has no price makes the sum one without.
fn sum_of(owed: Option<(Option<Money>, u64)>, money: Option<Money>, tokens: u64) -> (Option<Money>, u64) {
    let (before, tokens_before) = owed.unwrap_or((Some(Money::ZERO), 0));
    let sum = before.zip(money).and_then(|(before, money)| before.checked_add(money).ok());
    (sum, tokens_before.saturating_add(tokens))
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.close(End::ClientGone);
    }
}
