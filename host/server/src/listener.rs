//! Connections with bounds: so many at once, and none that neither reads nor writes for long.
//!
//! Without them, somebody who opens connections and sends nothing uses up the process's file descriptors, and then no
//! event gets in.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at once. Leaves room below the usual 1024 descriptors of a process for the database and the CRMs.
const MOST: usize = 768;
/// Longer than the heartbeat of a live stream and than a body may take.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) struct Bounded {
    inner: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
}

impl Bounded {
    pub(crate) fn new(inner: TcpListener) -> Self {
        Self::with(inner, MOST, IDLE)
    }

    fn with(inner: TcpListener, most: usize, idle: Duration) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(most)), idle }
    }
}

impl Listener for Bounded {
    type Io = Connection<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The semaphore is never closed; without a permit the connection would only be unbounded.
        let permit = self.places.clone().acquire_owned().await.ok();
        // axum's own accept logs and retries, as when the descriptors are used up.
        let (stream, address) = Listener::accept(&mut self.inner).await;
        // Live events are small: they must not wait for more.
        let _ = stream.set_nodelay(true);
        (Connection::new(stream, self.idle, permit), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// A connection that ends itself when nothing moves.
pub(crate) struct Connection<T> {
    stream: T,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<T> Connection<T> {
    fn new(stream: T, idle: Duration, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { stream, idle, timer: Box::pin(tokio::time::sleep(idle)), _permit: permit }
    }

    /// Passes a result on; when nothing moved, says whether the time is up.
    fn watch<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            let next = Instant::now() + self.idle;
            self.timer.as_mut().reset(next);
            return polled;
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watch(cx, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        // A flush with nothing to do is no sign of life.
        if polled.is_ready() { polled } else { self.watch(cx, polled) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nothing_moves_ends() {
        let (near, _far) = tokio::io::duplex(64);
        let mut connection = Connection::new(near, Duration::from_secs(60), None);
        let begun = Instant::now();
        let error = connection.read_u8().await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, Duration::from_secs(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_keeps_a_reader_alive() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut read, mut write) = tokio::io::split(Connection::new(near, Duration::from_secs(60), None));
        let beats = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(15)).await;
                write.write_all(b":\n").await.unwrap();
            }
            write
        });
        let sink = tokio::spawn(async move { far.read_exact(&mut [0; 40]).await.map(|_| far) });
        let quiet = tokio::time::timeout(Duration::from_secs(290), read.read_u8()).await;
        assert!(quiet.is_err(), "the reader must still wait, not have timed out: {quiet:?}");
        drop((beats.await, sink.await));
    }

    #[tokio::test]
    async fn past_the_bound_a_connection_waits_for_a_place() {
        let mut listener =
            Bounded::with(TcpListener::bind("127.0.0.1:0").await.unwrap(), 1, Duration::from_secs(60));
        let address = listener.local_addr().unwrap();
        let _one = TcpStream::connect(address).await.unwrap();
        let _two = TcpStream::connect(address).await.unwrap();
        let (first, _) = listener.accept().await;
        assert!(futures_util::FutureExt::now_or_never(listener.accept()).is_none());
        drop(first);
        listener.accept().await;
    }
}
