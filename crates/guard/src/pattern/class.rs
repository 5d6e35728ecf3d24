//! Character classes: where a `-` is a range, and what an empty class means.

use super::translate::{Escape, Refusal, Translator, push_literal};

const UNTERMINATED: Refusal = Refusal::Malformed("Unterminated character class");

impl Translator<'_> {
    /// The class after its opening bracket.
    pub(super) fn class(&mut self) -> Result<(), Refusal> {
        let negated = self.eat("^");
        if self.eat("]") {
            self.out.push_str(if negated { r"[\x{0}-\x{10ffff}]" } else { r"[^\x{0}-\x{10ffff}]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        while !self.eat("]") {
            let from = self.class_atom()?;
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
            match (from, is_range) {
                (Escape::Char(from), true) => self.range(from)?,
                (atom, _) => self.push_atom(atom),
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn range(&mut self, from: char) -> Result<(), Refusal> {
        self.bump();
        match self.class_atom()? {
            Escape::Char(to) if to < from => {
                return Err(Refusal::Malformed("Range out of order in character class"));
            }
            Escape::Char(to) => {
                push_literal(&mut self.out, from);
                self.out.push('-');
                push_literal(&mut self.out, to);
            }
            // `a-\d` is no range: all three stand for themselves.
            set => {
                push_literal(&mut self.out, from);
                push_literal(&mut self.out, '-');
                self.push_atom(set);
            }
        }
        Ok(())
    }

    fn class_atom(&mut self) -> Result<Escape, Refusal> {
        match self.bump().ok_or(UNTERMINATED)? {
            '\\' if self.eat("b") => Ok(Escape::Char('\u{8}')),
            '\\' => self.escape(),
            c => Ok(Escape::Char(c)),
        }
    }

    fn push_atom(&mut self, atom: Escape) {
        match atom {
            Escape::Char(c) => push_literal(&mut self.out, c),
            Escape::Set(set) => self.out.push_str(&set),
        }
    }
}
