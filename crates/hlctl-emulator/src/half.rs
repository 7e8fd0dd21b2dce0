//! An answer that breaks off: its head promises more than comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};

/// What is left to send of the half that comes, then of what ends it.
#[derive(Debug)]
pub(crate) enum Half {
    Data(Bytes),
    /// A connection that ended at once would take along what it has not sent yet.
    Sending,
    End,
}

/// Marks an answer of which only half comes.
#[derive(Clone, Copy, Debug)]
struct Halved;

/// Lets half of the answer come.
pub(crate) fn halve(mut response: Response<Bytes>) -> Response<Bytes> {
    response.extensions_mut().insert(Halved);
    response
}

/// The answer as it is sent.
pub(crate) fn sent(mut response: Response<Bytes>) -> Response<Either<Full<Bytes>, Half>> {
    if response.extensions_mut().remove::<Halved>().is_none() {
        return response.map(|body| Either::Left(Full::new(body)));
    }
    let length = HeaderValue::from(response.body().len().max(1));
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    response.map(|body| Either::Right(Half::Data(body.slice(..body.len() / 2))))
}

impl Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut *self, Self::End) {
            Self::Data(data) => {
                *self = Self::Sending;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Self::Sending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Self::End => Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer breaks off")))),
        }
    }
}
