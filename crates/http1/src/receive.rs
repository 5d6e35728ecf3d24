//! Bytes from a socket, in pieces that own no more than they hold.
//!
//! Most reads find little: they go into room that all connections of a thread share, and are copied out in their size. A
//! connection that waits, and most streams mostly wait, so holds no buffer. A read that fills the shared room announces a
//! large body: the reads after it get room of their own, and nothing is copied.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

use crate::body::{Part, Reading};

const SHARED_BYTES: usize = 32 * 1024;
const OWN_BYTES: usize = 128 * 1024;

thread_local! {
    static SHARED: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(SHARED_BYTES));
}

/// What comes from one connection.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Received, and not yet understood.
    pub received: Bytes,
    /// The last read filled its room.
    is_large: bool,
}

impl Receiver {
    /// Receives more; `false` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub fn poll_more<T: AsyncRead>(
        &mut self,
        from: Pin<&mut T>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        let bytes = ready!(self.poll_read(from, cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(false));
        }
        self.received =
            if self.received.is_empty() { bytes } else { [&*self.received, &*bytes].concat().into() };
        Poll::Ready(Ok(true))
    }

    /// The next data of a body; `None` at its end.
    ///
    /// # Errors
    /// The connection broke, or ended too early; what came is no such body.
    pub fn poll_data<T: AsyncRead>(
        &mut self,
        mut from: Pin<&mut T>,
        cx: &mut Context<'_>,
        reading: &mut Reading,
    ) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match reading.next(&mut self.received)? {
                Part::Data(data) => return Poll::Ready(Some(Ok(data))),
                Part::End => return Poll::Ready(None),
                Part::More => {}
            }
            if !ready!(self.poll_more(from.as_mut(), cx))? {
                let is_whole = matches!(reading, Reading::Close);
                return Poll::Ready((!is_whole).then(|| Err(io::ErrorKind::UnexpectedEof.into())));
            }
        }
    }

    /// The next bytes; none at the end.
    fn poll_read<T: AsyncRead>(
        &mut self,
        from: Pin<&mut T>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        if self.is_large {
            let mut own = BytesMut::with_capacity(OWN_BYTES);
            let read = ready!(poll_read_buf(from, cx, &mut own))?;
            self.is_large = read >= SHARED_BYTES;
            return Poll::Ready(Ok(own.freeze()));
        }
        SHARED.with_borrow_mut(|shared| {
            shared.clear();
            let read = ready!(poll_read_buf(from, cx, shared))?;
            self.is_large = read >= SHARED_BYTES;
            Poll::Ready(Ok(Bytes::copy_from_slice(shared)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn pieces_of_any_size_come_whole() {
        for len in [1, SHARED_BYTES - 1, SHARED_BYTES, SHARED_BYTES + 1, 4 * OWN_BYTES] {
            let sent: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let (mut source, mut receiver, mut got) = (sent.as_slice(), Receiver::default(), Vec::new());
            while poll_fn(|cx| receiver.poll_more(Pin::new(&mut source), cx)).await.unwrap() {
                got.extend_from_slice(&std::mem::take(&mut receiver.received));
            }
            assert!(got == sent, "{len} bytes");
        }
    }
}
