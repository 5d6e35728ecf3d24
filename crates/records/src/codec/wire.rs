//! Keys, numbers and lengths.

/// Bytes that end too early, a number of more than 64 bits, text that is not UTF-8, a value of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Group(&'a [u8]),
}

impl<'a> Value<'a> {
    #[inline]
    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(Malformed),
        }
    }

    #[inline]
    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    }

    #[inline]
    pub(crate) fn group(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Group(bytes) => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    /// One run of bytes: the name's length, the name, the value.
    pub(crate) fn pair(self) -> Result<(&'a str, &'a str), Malformed> {
        let Self::Bytes(bytes) = self else { return Err(Malformed) };
        let mut cursor = Cursor(bytes);
        let length = cursor.varint()?;
        let name = Value::Bytes(cursor.bytes(length)?).text()?;
        Ok((name, Value::Bytes(cursor.0).text()?))
    }
}

pub(crate) const NUMBER: u32 = 0;
pub(crate) const BYTES: u32 = 1;
pub(crate) const GROUP: u32 = 2;

pub(crate) fn key(number: u32, kind: u32, out: &mut Vec<u8>) {
    varint(u64::from(number << 2 | kind), out);
}

pub(crate) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads fields one after the other.
#[derive(Debug)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next field's number and value; `None` at the end.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let value = match key & 3 {
            NUMBER => Value::Number(self.varint()?),
            BYTES => {
                let length = self.varint()?;
                Value::Bytes(self.bytes(length)?)
            }
            GROUP => {
                let length = self.bytes(4)?.try_into().map_err(|_| Malformed)?;
                Value::Group(self.bytes(u64::from(u32::from_le_bytes(length)))?)
            }
            _ => return Err(Malformed),
        };
        Ok(Some((key >> 2, value)))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        // Most have one byte.
        match self.0.split_first() {
            Some((byte, rest)) if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            let digit = u64::from(byte & 0x7f);
            if shift == 63 && digit > 1 {
                return Err(Malformed);
            }
            number |= digit << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    #[inline]
    pub(crate) fn bytes(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}
