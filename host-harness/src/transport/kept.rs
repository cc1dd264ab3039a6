//! The connections that are kept for further requests, and how many of them there may be.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connect::ByteStream;

/// The most connections that are kept, to all origins together.
const MOST: usize = 1024;

/// The bound of the connections that are kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    most: usize,
    open: Arc<AtomicUsize>,
}

impl Kept {
    /// With a bound of half the files that this process may have open, and [`MOST`] at most: a pool without a bound would
    /// leave none for anything else, for each function has a host of its own.
    pub(super) fn of_this_process() -> Self {
        Self::at_most(half_of_the_files().map_or(MOST, |half| half.clamp(1, MOST)))
    }

    pub(super) fn at_most(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Wraps a connection that was opened.
    pub(super) fn count(&self, bytes: Box<dyn ByteStream>) -> Stream {
        self.open.fetch_add(1, Ordering::Relaxed);
        Stream {
            bytes,
            place: Place(Arc::new(Counted { kept: self.clone(), given_up: AtomicBool::default() })),
        }
    }

    /// The connections that are open and will be kept.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

#[cfg(unix)]
fn half_of_the_files() -> Option<usize> {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    usize::try_from(files / 2).ok()
}

/// Nobody bounds them for a process.
#[cfg(not(unix))]
fn half_of_the_files() -> Option<usize> {
    None
}

/// A connection's place among those that are kept.
#[derive(Debug, Clone)]
pub(super) struct Place(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    kept: Kept,
    given_up: AtomicBool,
}

impl Place {
    /// Gives it up if there are more connections than may be kept, and tells whether it did. The connection is then to be
    /// closed after its answer.
    pub(super) fn give_up_if_crowded(&self) -> bool {
        let Counted { kept, given_up } = &*self.0;
        let one_less = |open: usize| (open > kept.most).then(|| open - 1);
        if given_up.load(Ordering::Relaxed)
            || kept.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err()
        {
            return false;
        }
        given_up.store(true, Ordering::Relaxed);
        true
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !*self.given_up.get_mut() {
            self.kept.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A connection that is counted for as long as it is open.
pub(super) struct Stream {
    bytes: Box<dyn ByteStream>,
    place: Place,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.place.clone())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.bytes.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }
}
