//! What a request carries. The forms differ in whether they can be sent again: frames and whole bodies can (build a
//! new `OutBody` from the same shared bytes), streams cannot.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tidegate_http1::server::Incoming;

/// Any error of a body on its way out.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an outgoing request. Where the length is known it becomes `content-length`; otherwise the body is
/// chunked on HTTP/1.1.
pub struct OutBody(Form);

enum Form {
    Empty,
    Full(Bytes),
    Frames { frames: Arc<[Bytes]>, next: usize, left: u64 },
    Incoming(Incoming),
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl OutBody {
    /// No body: `content-length: 0` where the method wants one said.
    pub fn empty() -> Self {
        Self(Form::Empty)
    }

    /// One piece.
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self(Form::Full(bytes)) }
    }

    /// A body held as the pieces it arrived in. Nothing is copied, so a retry costs one reference count: keep the `Arc`
    /// and build another.
    pub fn frames(frames: Arc<[Bytes]>) -> Self {
        let left = frames.iter().map(|frame| frame.len() as u64).sum();
        Self(Form::Frames { frames, next: 0, left })
    }

    /// A client's own body passed on as it comes, without a box around it.
    pub fn incoming(body: Incoming) -> Self {
        Self(Form::Incoming(body))
    }

    /// Any other body. A failure of it ends the request as [`SendErrorKind::RequestBody`](crate::SendErrorKind).
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Form::Stream(body.map_err(Into::into).boxed_unsync()))
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let form = &mut self.get_mut().0;
        match form {
            Form::Empty => Poll::Ready(None),
            Form::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *form = Form::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Form::Frames { frames, next, left } => Poll::Ready(next_frame(frames, next, left)),
            Form::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Form::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Form::Empty => true,
            Form::Full(_) => false,
            Form::Frames { left, .. } => *left == 0,
            Form::Incoming(body) => body.is_end_stream(),
            Form::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Form::Empty => SizeHint::with_exact(0),
            Form::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Form::Frames { left, .. } => SizeHint::with_exact(*left),
            Form::Incoming(body) => body.size_hint(),
            Form::Stream(body) => body.size_hint(),
        }
    }
}

impl Default for OutBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for OutBody {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl fmt::Debug for OutBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match &self.0 {
            Form::Empty => "empty",
            Form::Full(_) => "full",
            Form::Frames { .. } => "frames",
            Form::Incoming(_) => "incoming",
            Form::Stream(_) => "stream",
        };
        write!(f, "OutBody({form}, {:?})", self.size_hint().exact())
    }
}

/// The next piece that is not empty: an empty data frame would end a chunked body early.
fn next_frame(frames: &[Bytes], next: &mut usize, left: &mut u64) -> Option<Result<Frame<Bytes>, BoxError>> {
    loop {
        let bytes = frames.get(*next)?;
        *next += 1;
        if !bytes.is_empty() {
            *left -= bytes.len() as u64;
            return Some(Ok(Frame::data(bytes.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn pieces(texts: &[&'static str]) -> Arc<[Bytes]> {
        texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
    }

    #[tokio::test]
    async fn each_form_says_its_length_and_gives_its_bytes() {
        let cases = [
            (OutBody::empty(), Some(0), ""),
            (OutBody::full(Bytes::new()), Some(0), ""),
            (OutBody::full(Bytes::from_static(b"hello")), Some(5), "hello"),
            (OutBody::frames(pieces(&[])), Some(0), ""),
            (OutBody::frames(pieces(&["", ""])), Some(0), ""),
            (OutBody::frames(pieces(&["he", "", "llo"])), Some(5), "hello"),
            (OutBody::stream(Full::new(Bytes::from_static(b"hello"))), Some(5), "hello"),
        ];
        for (body, length, bytes) in cases {
            let name = format!("{body:?}");
            assert_eq!(body.size_hint().exact(), length, "{name}");
            assert_eq!(body.is_end_stream(), bytes.is_empty(), "{name}");
            assert_eq!(body.collect().await.unwrap().to_bytes(), bytes, "{name}");
        }
    }

    #[tokio::test]
    async fn frames_are_shared_not_copied_and_the_length_left_falls() {
        let frames = pieces(&["abc", "", "de"]);
        let mut body = OutBody::frames(frames.clone());
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.as_ptr(), frames[0].as_ptr());
        assert_eq!(body.size_hint().exact(), Some(2));
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "de");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    }
}
