//! Template variables of base URLs, paths and headers: where their values come from, and how each is made safe for the
//! place where it stands.
//!
//! A value never leaves its place: in a host only letters, digits, dots, hyphens and underscores are taken; in a path
//! and in a query everything that could end the segment is percent-encoded.

use std::fmt::Write as _;

use crate::call::{Options, UrlError};
use crate::provider::Provider;

/// Looks variables up while templates are rendered, and gathers what is missing.
pub(crate) struct Lookup<'l, 'o> {
    provider: &'l Provider,
    model: &'l str,
    options: &'l Options<'o>,
    missing: Vec<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The whole beginning of a base: a URL.
    Base,
    Host,
    Segment,
    Query,
}

impl<'l, 'o: 'l> Lookup<'l, 'o> {
    pub(crate) fn new(provider: &'l Provider, model: &'l str, options: &'l Options<'o>) -> Self {
        Self { provider, model, options, missing: Vec::new() }
    }

    /// The text of a base URL, or of a path (with a leading slash) that is appended to one.
    pub(crate) fn url(&mut self, template: &'static str) -> Result<String, UrlError> {
        let mut out = String::with_capacity(template.len() + 32);
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => {
                    let place = place_after(&out);
                    match self.value(name, place)? {
                        Some(value) => self.push(&mut out, name, value, place)?,
                        None => self.note_missing(name, place),
                    }
                }
            }
        }
        Ok(out)
    }

    /// The text of a header's value.
    pub(crate) fn header(&mut self, template: &'static str) -> Result<String, UrlError> {
        let mut out = String::new();
        for piece in pieces(template) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => match self.option(name) {
                    Some(value) if value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) => {
                        out.push_str(value)
                    }
                    Some(_) => return Err(self.bad_option(name)),
                    None => self.note_missing(name, Place::Segment),
                },
            }
        }
        Ok(out)
    }

    /// # Errors
    /// All options that some template needed and nobody gave.
    pub(crate) fn finish(self) -> Result<(), UrlError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        Err(UrlError::MissingOptions { provider: self.provider.id, names: self.missing })
    }

    /// An option by the variable's name, by the names it has in this provider's configuration, or its default.
    pub(crate) fn option(&self, variable: &str) -> Option<&'l str> {
        let names = self.provider.options.get(variable).map_or(&[][..], Vec::as_slice);
        let mut names = names.iter().copied().chain([variable]);
        names
            .find_map(|name| (self.options)(name).filter(|value| !value.is_empty()))
            .or_else(|| self.provider.defaults.get(variable))
    }

    fn value(&self, name: &str, place: Place) -> Result<Option<&'l str>, UrlError> {
        let model = match name {
            "model" => Some(self.model),
            "model_base" => self.model.split(':').next(),
            "deployment" if self.option(name).is_none() => Some(self.model),
            _ => None,
        };
        match model {
            Some("") => Err(UrlError::ModelRequired { provider: self.provider.id }),
            Some(model) if place != Place::Query && has_dot_segment(model) => Err(UrlError::BadModel),
            Some(model) => Ok(Some(model)),
            None => Ok(self.option(name)),
        }
    }

    fn push(&self, out: &mut String, name: &'static str, value: &str, place: Place) -> Result<(), UrlError> {
        match place {
            Place::Base if value.starts_with("https://") || value.starts_with("http://") => {
                out.push_str(value.trim_end_matches('/'));
            }
            Place::Host if value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) => {
                out.push_str(value);
            }
            Place::Base | Place::Host => return Err(self.bad_option(name)),
            Place::Segment if has_dot_segment(value) => return Err(self.bad_option(name)),
            Place::Segment if name == "model" && self.provider.escape_model => {
                encode(out, percent_decode(value).as_bytes(), b"");
            }
            // Slashes are part of a model's name and of an object's key.
            Place::Segment if matches!(name, "model" | "model_base" | "key") => {
                encode(out, value.as_bytes(), b"/:@!$&'()*+,;=");
            }
            Place::Segment | Place::Query => encode(out, value.as_bytes(), b""),
        }
        Ok(())
    }

    fn note_missing(&mut self, variable: &'static str, place: Place) {
        let names = self.provider.options.get(variable);
        let name = match names.and_then(|names| names.first()) {
            Some(name) => *name,
            None if place == Place::Base => "custom_host",
            None => variable,
        };
        if !self.missing.contains(&name) {
            self.missing.push(name);
        }
    }

    fn bad_option(&self, variable: &'static str) -> UrlError {
        let names = self.provider.options.get(variable);
        let name = names.and_then(|names| names.first()).copied().unwrap_or(variable);
        UrlError::BadOption { provider: self.provider.id, name }
    }
}

/// Whether a variable is a part of the template's host.
pub(crate) fn is_in_host_of(template: &'static str, variable: &str) -> bool {
    let mut before = String::new();
    for piece in pieces(template) {
        match (piece, place_after(&before)) {
            (Piece::Text(text), _) => before.push_str(text),
            (Piece::Variable(name), Place::Base | Place::Host) if name == variable => return true,
            // Stands for a value: what follows is judged as after one.
            (Piece::Variable(_), Place::Base) => before.push_str("https://host/"),
            (Piece::Variable(_), _) => {}
        }
    }
    false
}

enum Piece {
    Text(&'static str),
    Variable(&'static str),
}

fn pieces(template: &'static str) -> impl Iterator<Item = Piece> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            rest = after;
            return Some(Piece::Variable(name));
        }
        let end = rest[1..].find('{').map_or(rest.len(), |at| at + 1);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

fn place_after(text: &str) -> Place {
    let after_scheme = text.split_once("://").map(|(_, rest)| rest);
    match after_scheme {
        _ if text.is_empty() => Place::Base,
        _ if text.contains('?') => Place::Query,
        Some(rest) if !rest.contains('/') => Place::Host,
        _ => Place::Segment,
    }
}

/// A `.` or `..` between slashes, however written: servers would take the path elsewhere.
pub(crate) fn has_dot_segment(model: &str) -> bool {
    percent_decode(model).split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

/// Appends `bytes`, percent-encoded except for unreserved characters and those in `keep`.
pub(crate) fn encode(out: &mut String, bytes: &[u8], keep: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// `%3A` becomes `:`; what is no escape, or would not be UTF-8, stays.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = tail;
                }
                _ => {
                    bytes.push(b'%');
                    rest = after;
                }
            },
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
