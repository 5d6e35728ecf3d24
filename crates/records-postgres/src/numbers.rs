//! Numbers for names while cells are made.

use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;

use tidegate_insight::{Gather, Gathered};

/// 0 is no name.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    numbers: HashMap<Rc<str>, u64>,
    texts: Vec<Rc<str>>,
}

impl Numbers {
    pub(crate) fn of(&mut self, name: &str) -> u64 {
        if name.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let text: Rc<str> = name.into();
        self.texts.push(Rc::clone(&text));
        let number = self.texts.len() as u64;
        self.numbers.insert(text, number);
        number
    }

    /// The cells of records whose names have these numbers.
    pub(crate) fn finish(&self, gather: Gather) -> Vec<Gathered> {
        let text = |number: u64| {
            let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            Ok::<_, Infallible>(at.and_then(|at| self.texts.get(at)).cloned().unwrap_or_else(|| "".into()))
        };
        let Ok(cells) = gather.finish(text);
        cells
    }
}
