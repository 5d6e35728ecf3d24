//! One pass over a JavaScript pattern, writing the engine's syntax and finding what is malformed on the way.

use super::Flags;

/// Characters of `.` that are not ends of lines.
const DOT: &str = r"[^\n\r\x{2028}\x{2029}]";
const ANY: &str = r"[\x{0}-\x{10ffff}]";

/// Why a pattern is not taken, without the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Malformed(&'static str),
    /// What JavaScript has and this engine has not.
    Unsupported(&'static str),
}

pub(super) fn translate(source: &str, flags: Flags) -> Result<String, Refusal> {
    let mut translator = Translator {
        rest: source,
        out: String::with_capacity(source.len() * 2),
        flags,
        open_groups: 0,
        repeatable: false,
        names: Vec::new(),
    };
    while let Some(c) = translator.bump() {
        translator.term(c)?;
    }
    if translator.open_groups > 0 {
        Err(Refusal::Malformed("Unterminated group"))
    } else {
        Ok(translator.out)
    }
}

pub(super) struct Translator<'s> {
    pub(super) rest: &'s str,
    pub(super) out: String,
    flags: Flags,
    open_groups: usize,
    /// Whether a quantifier may come next.
    repeatable: bool,
    names: Vec<&'s str>,
}

/// What an escape stands for, inside a class and outside.
pub(super) enum Escape {
    Char(char),
    /// A class in brackets.
    Set(String),
}

impl<'s> Translator<'s> {
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn term(&mut self, c: char) -> Result<(), Refusal> {
        match c {
            '(' => return self.group(),
            ')' => {
                self.open_groups =
                    self.open_groups.checked_sub(1).ok_or(Refusal::Malformed("Unmatched ')'"))?;
                self.out.push(')');
            }
            '|' | '^' | '$' => {
                self.out.push(c);
                self.repeatable = false;
                return Ok(());
            }
            '*' | '+' | '?' => return self.quantifier(&c.to_string()),
            '{' => match counted(self.rest)? {
                Some(length) => {
                    let count = format!("{{{}", &self.rest[..length]);
                    self.rest = &self.rest[length..];
                    return self.quantifier(&count);
                }
                None => self.literal('{'),
            },
            '.' => self.out.push_str(if self.flags.dot_all { ANY } else { DOT }),
            '[' => self.class()?,
            '\\' => return self.escape_outside_class(),
            c => self.literal(c),
        }
        self.repeatable = true;
        Ok(())
    }

    fn group(&mut self) -> Result<(), Refusal> {
        self.open_groups += 1;
        self.repeatable = false;
        if !self.eat("?") {
            self.out.push('(');
        } else if self.eat(":") {
            self.out.push_str("(?:");
        } else if ["=", "!", "<=", "<!"].iter().any(|look| self.rest.starts_with(look)) {
            return Err(Refusal::Unsupported("look-around"));
        } else if self.eat("<") {
            let name = group_name(self.rest).ok_or(Refusal::Malformed("Invalid capture group name"))?;
            if self.names.contains(&name) {
                return Err(Refusal::Malformed("Duplicate capture group name"));
            }
            self.names.push(name);
            self.out.extend(["(?<", name, ">"]);
            self.rest = &self.rest[name.len() + 1..];
        } else {
            return Err(Refusal::Malformed("Invalid group"));
        }
        Ok(())
    }

    fn quantifier(&mut self, quantifier: &str) -> Result<(), Refusal> {
        if !self.repeatable {
            return Err(Refusal::Malformed("Nothing to repeat"));
        }
        self.repeatable = false;
        self.out.push_str(quantifier);
        if self.eat("?") {
            self.out.push('?');
        }
        Ok(())
    }

    fn escape_outside_class(&mut self) -> Result<(), Refusal> {
        self.repeatable = true;
        if self.rest.starts_with(['b', 'B']) {
            self.repeatable = false;
            let inside = self.bump() == Some('B');
            self.out.push_str(if inside { r"(?-u:\B)" } else { r"(?-u:\b)" });
            return Ok(());
        }
        if self.rest.starts_with(['1', '2', '3', '4', '5', '6', '7', '8', '9', 'k']) {
            return Err(Refusal::Unsupported("a back-reference"));
        }
        match self.escape()? {
            Escape::Char(c) => self.literal(c),
            Escape::Set(set) => self.out.push_str(&set),
        }
        Ok(())
    }

    /// The escape after a backslash that means the same inside a class.
    pub(super) fn escape(&mut self) -> Result<Escape, Refusal> {
        let after_backslash = self.rest;
        let c = self.bump().ok_or(Refusal::Malformed("\\ at end of pattern"))?;
        Ok(Escape::Char(match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => return Ok(Escape::Set(shorthand(c))),
            'p' | 'P' if self.flags.unicode => return self.property(c),
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            '0' => '\0',
            'c' => self.control(after_backslash),
            'x' => self.hex(2).unwrap_or('x'),
            'u' if self.flags.unicode && self.rest.starts_with('{') => self.braced_hex()?,
            'u' => self.utf16_unit()?,
            other => other,
        }))
    }

    /// `\p{..}`: both sides write it the same.
    fn property(&mut self, letter: char) -> Result<Escape, Refusal> {
        let end = self
            .rest
            .find('}')
            .filter(|_| self.rest.starts_with('{'))
            .ok_or(Refusal::Malformed("Invalid property name"))?;
        let set = format!("\\{letter}{}", &self.rest[..=end]);
        self.rest = &self.rest[end + 1..];
        Ok(Escape::Set(set))
    }

    /// `\cJ`. Without a letter, the backslash stands for itself, and so does the `c`.
    fn control(&mut self, after_backslash: &'s str) -> char {
        match self.rest.bytes().next().filter(u8::is_ascii_alphabetic) {
            Some(letter) => {
                self.rest = &self.rest[1..];
                char::from(letter & 0x1f)
            }
            None => {
                self.rest = after_backslash;
                '\\'
            }
        }
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        char::from_u32(self.hex_value(digits)?)
    }

    fn hex_value(&mut self, digits: usize) -> Option<u32> {
        let value = hex_digits(self.rest.get(..digits)?)?;
        self.rest = &self.rest[digits..];
        Some(value)
    }

    fn braced_hex(&mut self) -> Result<char, Refusal> {
        let end = self.rest.find('}').ok_or(Refusal::Malformed("Invalid Unicode escape"))?;
        let c = hex_digits(&self.rest[1..end])
            .and_then(char::from_u32)
            .ok_or(Refusal::Malformed("Invalid Unicode escape"))?;
        self.rest = &self.rest[end + 1..];
        Ok(c)
    }

    /// `\uXXXX`, or two of them for one character; without digits, the `u` stands for itself.
    fn utf16_unit(&mut self) -> Result<char, Refusal> {
        let Some(first) = self.hex_value(4) else { return Ok('u') };
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        let second = if self.eat("\\u") { self.hex_value(4) } else { None };
        let pair = second.and_then(|second| {
            let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            char::decode_utf16(units).next()?.ok()
        });
        pair.ok_or(Refusal::Unsupported("half a surrogate pair"))
    }

    fn literal(&mut self, c: char) {
        push_literal(&mut self.out, c);
    }
}

/// Writes a character so that it has no meaning, inside a class or outside.
pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// The shorthand classes hold ASCII letters and digits only, and JavaScript's white space.
fn shorthand(letter: char) -> String {
    let negated = if letter.is_ascii_uppercase() { "^" } else { "" };
    let members = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        _ => r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}",
    };
    format!("[{negated}{members}]")
}

/// Bytes of `n}`, `n,}` or `n,m}` after an opening brace; any other brace stands for itself.
fn counted(rest: &str) -> Result<Option<usize>, Refusal> {
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(rest.len());
    if !rest[end..].starts_with('}') {
        return Ok(None);
    }
    let (least, most) = rest[..end].split_once(',').unwrap_or((&rest[..end], ""));
    if least.is_empty() || most.contains(',') {
        return Ok(None);
    }
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    if !most.is_empty() && number(most) < number(least) {
        return Err(Refusal::Malformed("numbers out of order in {} quantifier"));
    }
    Ok(Some(end + 1))
}

/// The name before a closing angle bracket: letters, digits and `_`, no digit first.
fn group_name(rest: &str) -> Option<&str> {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let is_name = rest[end..].starts_with('>') && rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_name.then(|| &rest[..end])
}

fn hex_digits(text: &str) -> Option<u32> {
    let all_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all_hex { u32::from_str_radix(text, 16).ok() } else { None }
}
