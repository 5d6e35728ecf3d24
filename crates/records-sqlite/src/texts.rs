//! What the numbers of a block stand for.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::Connection;
use tidegate_insight::{Cached, Dimension, Measure, Names, is_usd};
use tidegate_records::RecordId;

use crate::columns::{Block, Column};
use crate::schema;

/// A day's names by their numbers.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    connection: &'a Connection,
    known: HashMap<u64, Rc<str>, foldhash::fast::RandomState>,
    /// The last ones: they are mostly the next ones as well.
    cache: (u64, Cached),
    currency: (u64, bool),
}

impl<'a> Texts<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::default(), cache: (0, Cached::Off), currency: (0, true) }
    }

    pub(crate) fn get(&mut self, number: u64) -> rusqlite::Result<Rc<str>> {
        if let Some(text) = self.known.get(&number) {
            return Ok(Rc::clone(text));
        }
        let text: Rc<str> = match number {
            0 => "".into(),
            number => self
                .connection
                .prepare_cached("select text from name where id = ?")?
                .query_row([number.cast_signed()], |row| row.get::<_, String>(0))?
                .into(),
        };
        self.known.insert(number, Rc::clone(&text));
        Ok(text)
    }

    pub(crate) fn key(
        &mut self,
        group: &Dimension,
        block: &Block<'_>,
        at: usize,
    ) -> rusqlite::Result<Rc<str>> {
        let column = match group {
            Dimension::Workspace => Column::Workspace,
            Dimension::Provider => Column::Provider,
            Dimension::Model => Column::Model,
            Dimension::Route => Column::Route,
            Dimension::Cache => Column::Cache,
            Dimension::ApiKey => Column::ApiKey,
            Dimension::KeyOwner => Column::KeyOwner,
            Dimension::VirtualKey => Column::VirtualKey,
            Dimension::Config => Column::Config,
            Dimension::User => Column::User,
            Dimension::Status => return Ok(block.get(Column::Status, at).to_string().into()),
            // Read from the record.
            Dimension::Metadata(_) => return Ok("".into()),
        };
        self.get(block.get(column, at))
    }

    pub(crate) fn measure(&mut self, block: &Block<'_>, at: usize) -> rusqlite::Result<Measure> {
        let get = |column| block.get(column, at);
        let known = |column| get(column).checked_sub(1);
        let flags = get(Column::Flags);
        let is = |flag| flags & flag != 0;
        let (cache, currency) = (get(Column::Cache), get(Column::Currency));
        if self.cache.0 != cache {
            self.cache = (cache, Cached::of(&self.get(cache)?));
        }
        if self.currency.0 != currency {
            self.currency = (currency, is_usd(&self.get(currency)?));
        }
        Ok(Measure {
            at_ms: RecordId::from_bits(get(Column::Id)).unix_ms(),
            status: u16::try_from(get(Column::Status)).unwrap_or(u16::MAX),
            stream: is(schema::STREAM),
            client_gone: is(schema::CLIENT_GONE),
            broken: is(schema::BROKEN),
            limited: is(schema::LIMITED),
            attempts: get(Column::Attempts),
            retries: get(Column::Retries),
            fell_back: is(schema::FELL_BACK),
            first_failed: is(schema::FIRST_FAILED),
            upstream_us: get(Column::UpstreamUs),
            total_us: get(Column::TotalUs),
            ttft_us: known(Column::Ttft),
            waited_us: get(Column::WaitedUs),
            prompt: known(Column::PromptTokens),
            output: known(Column::OutputTokens),
            cache_read: known(Column::CachedTokens).unwrap_or(0),
            cache_write: get(Column::CacheWriteTokens),
            reasoning: known(Column::ReasoningTokens).unwrap_or(0),
            audio: get(Column::AudioTokens),
            image: get(Column::ImageTokens),
            searches: get(Column::Searches),
            usage_estimated: is(schema::USAGE_ESTIMATED),
            unpriced: is(schema::UNPRICED),
            cost: known(Column::Cost).filter(|_| self.currency.1),
            saved: get(Column::Saved),
            request_bytes: get(Column::RequestBytes),
            response_bytes: get(Column::ResponseBytes),
            cache: self.cache.1,
            has_user: get(Column::User) != 0,
        })
    }
}

impl Block<'_> {
    /// The numbers of a record's names.
    pub(crate) fn names(&self, at: usize) -> Names<u64> {
        let get = |column| self.get(column, at);
        Names {
            organisation: get(Column::Organisation),
            workspace: get(Column::Workspace),
            provider: get(Column::Provider),
            model: get(Column::Model),
            route: get(Column::Route),
            cache: get(Column::Cache),
            api_key: get(Column::ApiKey),
            key_owner: get(Column::KeyOwner),
            virtual_key: get(Column::VirtualKey),
            config: get(Column::Config),
            user: get(Column::User),
            metadata: 0,
        }
    }

    pub(crate) fn at_ms(&self, at: usize) -> u64 {
        RecordId::from_bits(self.get(Column::Id, at)).unix_ms()
    }

    pub(crate) fn status(&self, at: usize) -> u16 {
        self.get(Column::Status, at) as u16
    }
}
