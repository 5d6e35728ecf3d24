//! Where a body that is being received ends.

use std::io;

use bytes::Bytes;

use crate::Malformed;
use crate::chunked::Chunked;

/// How a body ends, as a head says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// With the connection. Only an answer's can.
    Close,
}

impl Framing {
    pub fn reading(self) -> Reading {
        match self {
            Self::Length(bytes) => Reading::Length(bytes),
            Self::Chunked => Reading::Chunked(Chunked::default()),
            Self::Close => Reading::Close,
        }
    }
}

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
            Self::Chunked(chunked) => {
                chunked.next(received).map_err(|Malformed| io::Error::from(io::ErrorKind::InvalidData))?
            }
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
