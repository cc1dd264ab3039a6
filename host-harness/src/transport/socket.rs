//! A TCP stream whose reading side has the last word, and which is never read for long without a pause.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Bytes that are read before others get their turn. A peer that sends faster than it is read would otherwise
/// keep the reader, and with it the clock that ends the call, in one turn for ever.
const TURN: usize = 64 * 1024;

/// Swallows what is written after the peer has stopped reading, and pauses after each [`TURN`] of reading.
///
/// A server that answers before it has the whole body (a 413, say) may close at once. The next
/// write then fails while its answer waits to be read, and hyper would report the failure and drop
/// the answer. Here the write goes nowhere, and the read tells what happened: an answer, or an end
/// without one.
#[derive(Debug)]
pub(super) struct Socket<S = TcpStream> {
    stream: S,
    peer_gone: bool,
    /// Bytes read since the reader last had to wait.
    read: usize,
}

impl<S: Unpin> Socket<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, peer_gone: false, read: 0 }
    }

    fn write_with(
        mut self: Pin<&mut Self>,
        length: usize,
        write: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.peer_gone {
            return Poll::Ready(Ok(length));
        }
        match write(Pin::new(&mut self.stream)) {
            Poll::Ready(Err(error)) if is_gone(&error) => {
                self.peer_gone = true;
                Poll::Ready(Ok(length))
            }
            written @ (Poll::Ready(_) | Poll::Pending) => written,
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read >= TURN {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let filled = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.read = match outcome {
            Poll::Ready(_) => self.read + buffer.filled().len() - filled,
            Poll::Pending => 0,
        };
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_with(bytes.len(), |stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.write_with(length, |stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
    };

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A peer that answered, and closed with bytes unread: writing fails while its answer waits to be read.
    struct Reset(&'static [u8]);

    impl AsyncRead for Reset {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let (now, later) = self.0.split_at(self.0.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.0 = later;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Reset {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A peer that has always sent more already.
    struct Flood;

    impl AsyncRead for Flood {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let length = buffer.remaining();
            buffer.initialize_unfilled().fill(b'x');
            buffer.advance(length);
            Poll::Ready(Ok(()))
        }
    }

    /// Counts how often a task was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_peer_that_never_stops_sending_is_paused() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let mut socket = Socket::new(Flood);
        for size in [1, 1000, TURN - 1, TURN, 4 * TURN] {
            let mut room = vec![0; size];
            for turn in 0..3 {
                let before = woken.0.load(Ordering::SeqCst);
                let mut read = 0;
                loop {
                    let mut buffer = ReadBuf::new(&mut room);
                    match Pin::new(&mut socket).poll_read(&mut cx, &mut buffer) {
                        Poll::Ready(Ok(())) => read += buffer.filled().len(),
                        Poll::Ready(Err(error)) => panic!("{error}"),
                        Poll::Pending => break,
                    }
                    assert!(read < TURN + size, "{read} bytes in pieces of {size} without a pause");
                }
                assert!(read >= TURN.min(size), "pieces of {size}, turn {turn}: nothing was read");
                assert_eq!(woken.0.load(Ordering::SeqCst), before + 1, "who is paused is called again");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_although_writing_has_failed() {
        let mut socket = Socket::new(Reset(b"HTTP/1.1 413 Payload Too Large\r\n\r\n"));
        for _ in 0..3 {
            socket.write_all(b"more of the body").await.unwrap();
        }
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 413 Payload Too Large\r\n\r\n");
    }
}
