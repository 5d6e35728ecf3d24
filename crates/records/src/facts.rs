//! The part of a record that stores and lists look at, borrowed from its encoded form: reading it costs a fourth of reading
//! the record and, without metadata, no allocation.

use tidegate_core::Usage;

use crate::codec::{self, Cursor, DecodeError, Malformed, Message, Value};
use crate::id::RecordId;
use crate::record::RequestRecord;

/// Text is empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    pub id: RecordId,
    pub organisation: &'a str,
    pub workspace: &'a str,
    pub api_key: &'a str,
    pub key_owner: &'a str,
    pub user: &'a str,
    pub metadata: Vec<(&'a str, &'a str)>,
    pub route: &'a str,
    pub provider: &'a str,
    pub virtual_key: &'a str,
    pub config: &'a str,
    pub asked_model: &'a str,
    pub model: &'a str,
    pub stream: bool,
    pub attempts: u64,
    /// Where the first and the last attempt went.
    pub first_target: &'a str,
    pub last_target: &'a str,
    /// The last attempt was sent because another one was slow.
    pub last_hedge: bool,
    /// Attempts at the last target before its last one. A hedge is none.
    pub retries: u64,
    /// The first attempt had an error.
    pub first_failed: bool,
    /// Until attempts had an outcome, all together.
    pub upstream_us: u64,
    pub status: u16,
    pub end: &'a str,
    pub error: &'a str,
    pub total_us: u64,
    pub ttft_us: Option<u64>,
    pub waited_us: u64,
    pub usage: Option<Usage>,
    /// The usage was counted here.
    pub usage_estimated: bool,
    /// An exact decimal.
    pub cost: &'a str,
    /// An exact decimal: what a cache hit saved.
    pub saved: &'a str,
    pub currency: &'a str,
    /// The cost or the usage behind it is an estimate.
    pub estimate: bool,
    pub unpriced: bool,
    pub trace: &'a str,
    pub span: &'a str,
    pub session: &'a str,
    pub cache: &'a str,
    pub guardrail: &'a str,
    /// Which limit or budget refused.
    pub limit: &'a str,
    pub request_bytes: u64,
    pub response_bytes: u64,
}

impl<'a> Facts<'a> {
    pub fn of(record: &'a RequestRecord) -> Self {
        let mut facts = Self {
            id: record.id(),
            organisation: &record.who.organisation,
            workspace: &record.who.workspace,
            api_key: &record.who.api_key,
            key_owner: &record.who.key_owner,
            user: &record.who.user,
            metadata: record.who.metadata.iter().map(|(name, value)| (&**name, &**value)).collect(),
            route: &record.route,
            provider: &record.provider,
            virtual_key: &record.virtual_key,
            config: &record.config,
            asked_model: &record.asked_model,
            model: &record.model,
            stream: record.stream,
            status: record.status,
            end: &record.end,
            error: &record.error,
            total_us: record.timing.total_us,
            ttft_us: record.timing.ttft_us,
            waited_us: record.timing.waited_us,
            usage_estimated: record.usage_estimated,
            usage: record.usage.clone(),
            cost: &record.cost.amount,
            saved: &record.cost.saved,
            currency: &record.cost.currency,
            estimate: record.cost.estimate || record.usage_estimated,
            unpriced: record.cost.unpriced,
            trace: &record.span.trace,
            span: &record.span.span,
            session: &record.who.session,
            cache: &record.cache,
            guardrail: &record.guardrail,
            limit: &record.limit,
            request_bytes: record.bytes.request,
            response_bytes: record.bytes.response,
            ..Self::default()
        };
        for attempt in &record.attempts {
            facts.attempt(&Tried {
                target: &attempt.target,
                error: &attempt.error,
                duration_us: attempt.duration_us,
                hedge: attempt.hedge,
            });
        }
        facts
    }

    /// The last attempt went elsewhere than the first.
    pub fn fell_back(&self) -> bool {
        // Not a text of no length with another: see `Names::next` of the store in SQLite.
        !(self.first_target.is_empty() && self.last_target.is_empty())
            && self.first_target != self.last_target
    }

    fn attempt(&mut self, tried: &Tried<'a>) {
        if self.attempts == 0 {
            self.first_target = tried.target;
            self.first_failed = !tried.error.is_empty();
        }
        // Of the last target: what went there before this one.
        self.retries = match self.attempts > 0 && !self.last_hedge && tried.target == self.last_target {
            true => self.retries + 1,
            false => 0,
        };
        self.attempts += 1;
        self.last_target = tried.target;
        self.last_hedge = tried.hedge;
        self.upstream_us = self.upstream_us.saturating_add(tried.duration_us);
    }

    /// From a record as encoded by [`codec::encode`]. What is not among the facts is passed over, not checked.
    ///
    /// # Errors
    /// As [`codec::decode`].
    pub fn read(encoded: &'a [u8]) -> Result<Self, DecodeError> {
        let mut facts = Self::default();
        facts.fill(encoded)?;
        Ok(facts)
    }

    /// As [`Facts::read`], of facts that are empty, for those who have a place for them: they are large.
    pub(crate) fn fill(&mut self, encoded: &'a [u8]) -> Result<(), DecodeError> {
        each(codec::body(encoded)?, |number, value| self.set(number, value)).map_err(DecodeError::Malformed)
    }

    // The numbers are those at the end of `record.rs`; a test reads what that table writes.
    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Malformed> {
        match number {
            1 => self.id = RecordId::from_bits(value.number()?),
            2 => each(value.group()?, |number, value| self.who(number, value))?,
            3 => self.route = value.text()?,
            6 => self.provider = value.text()?,
            7 => self.virtual_key = value.text()?,
            8 => self.config = value.text()?,
            12 => self.asked_model = value.text()?,
            13 => self.model = value.text()?,
            14 => self.stream = value.number()? != 0,
            15 => {
                let mut tried = Tried::default();
                each(value.group()?, |number, value| {
                    match number {
                        2 => tried.target = value.text()?,
                        7 => tried.duration_us = value.number()?,
                        9 => tried.error = value.text()?,
                        11 => tried.hedge = value.number()? != 0,
                        _ => {}
                    }
                    Ok(())
                })?;
                self.attempt(&tried);
            }
            16 => self.status = u16::try_from(value.number()?).map_err(|_| Malformed)?,
            17 => self.end = value.text()?,
            18 => self.error = value.text()?,
            20 => each(value.group()?, |number, value| {
                match number {
                    1 => self.total_us = value.number()?,
                    2 => self.ttft_us = Some(value.number()?),
                    4 => self.waited_us = value.number()?,
                    _ => {}
                }
                Ok(())
            })?,
            21 => self.usage = Some(Usage::read(value.group()?)?),
            22 => {
                self.usage_estimated = value.number()? != 0;
                self.estimate |= self.usage_estimated;
            }
            23 => each(value.group()?, |number, value| {
                match number {
                    1 => self.cost = value.text()?,
                    2 => self.currency = value.text()?,
                    3 => self.estimate |= value.number()? != 0,
                    4 => self.unpriced = value.number()? != 0,
                    5 => self.saved = value.text()?,
                    _ => {}
                }
                Ok(())
            })?,
            24 => each(value.group()?, |number, value| {
                match number {
                    1 => self.trace = value.text()?,
                    2 => self.span = value.text()?,
                    _ => {}
                }
                Ok(())
            })?,
            25 => self.cache = value.text()?,
            26 => self.guardrail = value.text()?,
            27 => self.limit = value.text()?,
            29 => each(value.group()?, |number, value| {
                match number {
                    1 => self.request_bytes = value.number()?,
                    2 => self.response_bytes = value.number()?,
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    }

    fn who(&mut self, number: u32, value: Value<'a>) -> Result<(), Malformed> {
        match number {
            1 => self.organisation = value.text()?,
            2 => self.workspace = value.text()?,
            3 => self.api_key = value.text()?,
            4 => self.user = value.text()?,
            5 => self.session = value.text()?,
            6 => self.metadata.push(value.pair()?),
            7 => self.key_owner = value.text()?,
            _ => {}
        }
        Ok(())
    }
}

/// What is looked at of one attempt.
#[derive(Debug, Default)]
struct Tried<'a> {
    target: &'a str,
    error: &'a str,
    duration_us: u64,
    hedge: bool,
}

fn each<'a>(
    bytes: &'a [u8],
    mut set: impl FnMut(u32, Value<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut cursor = Cursor(bytes);
    while let Some((number, value)) = cursor.field()? {
        set(number, value)?;
    }
    Ok(())
}
