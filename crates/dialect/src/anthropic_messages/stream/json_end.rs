//! Where one JSON object ends that arrives in pieces, without reading it.

/// Watches for the end of one JSON object that arrives in pieces.
#[derive(Debug, Default, PartialEq)]
pub(super) struct JsonEnd {
    depth: usize,
    in_string: bool,
    escaped: bool,
    complete: bool,
}

impl JsonEnd {
    pub(super) fn push(&mut self, fragment: &str) {
        for byte in fragment.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_ends_with_its_last_brace() {
        for (pieces, complete) in [
            (&["{}"][..], true),
            (&["{\"a\":", "[{}]", "}"], true),
            (&["", " "], false),
            (&["{\"a\":{}"], false),
            (&["{\"a\":\"}"], false),
            (&["{\"a\":\"\\", "\"}"], false),
            (&["{\"a\":\"\\", "\"}\"}"], true),
        ] {
            let mut end = JsonEnd::default();
            pieces.iter().for_each(|piece| end.push(piece));
            assert_eq!(end.is_complete(), complete, "{pieces:?}");
        }
    }
}
