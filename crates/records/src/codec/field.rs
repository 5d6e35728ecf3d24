//! How each kind of member is written and read, and the table that makes a struct from them.

use tidegate_core::ServiceTier;

use super::wire::{BYTES, Cursor, GROUP, Malformed, NUMBER, Value, key, varint};
use crate::text::Text;

/// A struct whose members have numbers.
pub(crate) trait Message: Default {
    fn write(&self, out: &mut Vec<u8>);
    /// A field that has no such number is none of our business.
    fn set(&mut self, number: u32, value: Value<'_>) -> Result<(), Malformed>;

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (mut message, mut cursor) = (Self::default(), Cursor(bytes));
        while let Some((number, value)) = cursor.field()? {
            message.set(number, value)?;
        }
        Ok(message)
    }
}

/// A member. Lists are repeated fields.
pub(crate) trait Field {
    fn put(&self, number: u32, out: &mut Vec<u8>);
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed>;
}

/// `fields!(Type { 1 first, 2 second })`
macro_rules! fields {
    ($type:ty { $($number:literal $field:ident),* $(,)? }) => {
        impl $crate::codec::Message for $type {
            fn write(&self, out: &mut Vec<u8>) {
                $($crate::codec::Field::put(&self.$field, $number, out);)*
            }

            fn set(
                &mut self,
                number: u32,
                value: $crate::codec::Value<'_>,
            ) -> Result<(), $crate::codec::Malformed> {
                match number {
                    $($number => $crate::codec::Field::take(&mut self.$field, value),)*
                    _ => Ok(()),
                }
            }
        }
    };
}
pub(crate) use fields;

fn text(value: Value<'_>) -> Result<Text, Malformed> {
    Ok(Text::Own(value.text()?.into()))
}

fn group<M: Message>(value: Value<'_>) -> Result<M, Malformed> {
    M::read(value.group()?)
}

fn put_number(number: u32, value: u64, out: &mut Vec<u8>) {
    key(number, NUMBER, out);
    varint(value, out);
}

fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    key(number, BYTES, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes a group, also an empty one, and gives its length.
fn put_group<M: Message>(number: u32, item: &M, out: &mut Vec<u8>) -> u32 {
    key(number, GROUP, out);
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    item.write(out);
    let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    length
}

impl<M: Message> Field for M {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        let start = out.len();
        if put_group(number, self, out) == 0 {
            out.truncate(start);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = group(value)?;
        Ok(())
    }
}

impl Field for u64 {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if *self != 0 {
            put_number(number, *self, out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = value.number()?;
        Ok(())
    }
}

impl Field for u16 {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        u64::from(*self).put(number, out);
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = u16::try_from(value.number()?).map_err(|_| Malformed)?;
        Ok(())
    }
}

impl Field for bool {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        u64::from(*self).put(number, out);
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = value.number()? != 0;
        Ok(())
    }
}

impl Field for Option<u64> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            put_number(number, *value, out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Some(value.number()?);
        Ok(())
    }
}

impl Field for Option<u16> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        self.map(u64::from).put(number, out);
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Some(u16::try_from(value.number()?).map_err(|_| Malformed)?);
        Ok(())
    }
}

impl Field for Text {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(number, self.as_bytes(), out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = text(value)?;
        Ok(())
    }
}

impl Field for Vec<u8> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            put_bytes(number, self, out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        match value {
            Value::Bytes(bytes) => bytes.clone_into(self),
            _ => return Err(Malformed),
        }
        Ok(())
    }
}

impl Field for Vec<Text> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        // An empty text is an item too.
        self.iter().for_each(|item| put_bytes(number, item.as_bytes(), out));
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        self.push(text(value)?);
        Ok(())
    }
}

impl Field for Vec<(Text, Text)> {
    /// One run of bytes: the name's length, the name, the value.
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        for (name, value) in self {
            let digits = (usize::BITS - name.len().leading_zeros()).div_ceil(7).max(1) as usize;
            key(number, BYTES, out);
            varint((digits + name.len() + value.len()) as u64, out);
            varint(name.len() as u64, out);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let (name, value) = value.pair()?;
        self.push((Text::Own(name.into()), Text::Own(value.into())));
        Ok(())
    }
}

impl<M: Message> Field for Vec<M> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        // An item with nothing in it is an item too.
        for item in self {
            put_group(number, item, out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        self.push(group(value)?);
        Ok(())
    }
}

impl<M: Message> Field for Option<M> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(item) = self {
            put_group(number, item, out);
        }
    }

    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        *self = Some(group(value)?);
        Ok(())
    }
}

impl Field for Option<ServiceTier> {
    fn put(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(tier) = self {
            put_number(number, TIERS.iter().position(|one| one == tier).map_or(0, |at| at as u64 + 1), out);
        }
    }

    /// One that a newer binary knows is not said.
    fn take(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let at = usize::try_from(value.number()?).map_err(|_| Malformed)?;
        *self = at.checked_sub(1).and_then(|at| TIERS.get(at)).copied();
        Ok(())
    }
}

/// By their numbers, from 1. The order is the format: more are added at the end.
const TIERS: [ServiceTier; 6] = [
    ServiceTier::Standard,
    ServiceTier::Batch,
    ServiceTier::Flex,
    ServiceTier::Priority,
    ServiceTier::Fast,
    ServiceTier::Ultrafast,
];
