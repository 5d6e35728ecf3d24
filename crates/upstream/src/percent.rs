//! Percent-encoding, as much of it as signing and proxy URLs need.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` with every byte but the unreserved characters encoded.
pub(crate) fn push_encoded(out: &mut String, text: &[u8]) {
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The bytes `text` stands for; `None` where a `%` is not followed by two hex digits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
            decoded.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding_and_refuses_half_an_escape() {
        let text: Vec<u8> = (0..=255).collect();
        let mut encoded = String::new();
        push_encoded(&mut encoded, &text);
        assert!(encoded.starts_with("%00%01"));
        assert!(encoded.contains("-.%2F0123456789%3A"));
        assert_eq!(decode(&encoded), Some(text));
        assert_eq!(decode("a%2fb"), Some(b"a/b".to_vec()));
        for broken in ["%", "%2", "%2g", "%%20"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
