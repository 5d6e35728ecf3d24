//! Where a body that is being received ends.

use std::io;

use bytes::{Bytes, BytesMut};

use crate::Malformed;
use crate::chunked::{Chunked, Next};

/// How a body is read.
#[derive(Debug)]
pub enum Reading {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunked),
    /// It ends with the connection.
    Close,
}

/// What has been received of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Data(Bytes),
    /// More has to be received.
    More,
    End,
}

impl Reading {
    /// Takes the next data from the front of what was received.
    ///
    /// # Errors
    /// What came is no chunked body.
    pub fn next(&mut self, received: &mut Bytes) -> io::Result<Part> {
        Ok(match self {
            Self::Length(0) => Part::End,
            Self::Length(_) | Self::Close if received.is_empty() => Part::More,
            Self::Length(left) => {
                let len = usize::try_from(*left).unwrap_or(usize::MAX).min(received.len());
                *left -= len as u64;
                Part::Data(received.split_to(len))
            }
            Self::Close => Part::Data(std::mem::take(received)),
            Self::Chunked(chunked) => match chunked.next(received) {
                Ok(Next::Data(data)) => Part::Data(data),
                Ok(Next::More) => Part::More,
                Ok(Next::End) => Part::End,
                Err(Malformed) => return Err(io::ErrorKind::InvalidData.into()),
            },
        })
    }

    /// What is left, where that is known.
    pub fn exact(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::Close => None,
        }
    }
}

/// `second` behind what is left of `first`.
pub fn joined(first: &Bytes, second: Bytes) -> Bytes {
    if first.is_empty() {
        return second;
    }
    let mut whole = BytesMut::with_capacity(first.len() + second.len());
    whole.extend_from_slice(first);
    whole.extend_from_slice(&second);
    whole.freeze()
}
