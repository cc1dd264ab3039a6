//! The place that a browser comes back to after a sign-in: an HTTP server on a loopback port (RFC 8252, 7.3).
//!
//! It takes one callback at a time and holds its response open until the caller has redeemed the code,
//! so that the page in the browser says how the sign-in went, not merely that it came back.
//!
//! The page answers the callback itself, without a redirect to a clean path: a second request may
//! never come, and whoever waits for it needs another state and another time limit. What stays in the
//! browser's history is then a code that was redeemed before the page was shown, and that nobody else
//! can redeem without the PKCE verifier, which ends with this process.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt, io, mem,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time,
};

use super::page::{Page, Refusal};

/// The path of the redirect URI.
const PATH: &str = "/callback";

/// The longest request head; Google's callbacks stay under 2 KiB, cookies of other local servers add up.
const HEAD_LIMIT: usize = 16 * 1024;

/// The pause after a failed `accept`: out of file descriptors, it fails again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The share of the server that one browser may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the connection to the end of the request's head. Browsers also connect ahead and say nothing.
    pub(crate) head: Duration,
    /// From the end of the response until the browser hangs up.
    pub(crate) close: Duration,
    /// Connections at a time. A further one takes the place of the oldest, unless that is a callback.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(2), close: Duration::from_secs(1), connections: 256 }
    }
}

/// The whole URL of a callback. It holds the authorization code, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CallbackUrl(String);

impl CallbackUrl {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackUrl(..)")
    }
}

/// A server on a loopback port of the system's choosing. It stops when this and every [`Received`] is dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    desk: Arc<Desk>,
    callbacks: mpsc::Receiver<Held>,
    /// A callback was handed out: the next `receive` lets the next one in.
    handed_out: bool,
    limits: Limits,
    server: Arc<Server>,
}

impl Loopback {
    /// Listens on 127.0.0.1, or on `[::1]` on a machine that has no other loopback.
    pub(crate) async fn bind() -> io::Result<Self> {
        Self::bind_with(Limits::default()).await
    }

    pub(crate) async fn bind_with(limits: Limits) -> io::Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(listener) => listener,
            Err(error) => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.map_err(|_| error)?,
        };
        Self::on(listener, limits)
    }

    fn on(listener: TcpListener, limits: Limits) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, callbacks) = mpsc::channel(1);
        let desk = Arc::new(Desk { address, open: AtomicBool::new(true), callbacks: sender });
        let task = tokio::spawn(serve(listener, Arc::clone(&desk), limits)).abort_handle();
        Ok(Self { desk, callbacks, handed_out: false, limits, server: Arc::new(Server { task }) })
    }

    /// The `redirect_uri` to register and to send.
    pub(crate) fn redirect_uri(&self) -> String {
        self.desk.redirect_uri()
    }

    /// The next callback. Its browser waits until [`Received::show`].
    ///
    /// Any page on the web can send a request here, so a callback that turns out to be none of ours need not
    /// be the end: show the failure, and receive again. Nothing is lost when this future is dropped.
    pub(crate) async fn receive(&mut self) -> Received {
        if mem::take(&mut self.handed_out) {
            self.desk.open.store(true, Ordering::SeqCst);
        }
        let held = self.callbacks.recv().await.expect("the desk, which `self` holds, has a sender");
        self.handed_out = true;
        Received {
            url: held.url,
            answer: held.answer,
            hung_up: held.hung_up,
            close: self.limits.close,
            _server: Arc::clone(&self.server),
        }
    }
}

/// A callback, and the browser that waits for what comes of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) url: CallbackUrl,
    answer: oneshot::Sender<Page>,
    hung_up: oneshot::Receiver<Infallible>,
    close: Duration,
    _server: Arc<Server>,
}

impl Received {
    /// Shows `page`, and waits until the browser has all of it: the process may end right after.
    ///
    /// If the window was closed meanwhile, there is nobody to tell, and that is not a failure.
    pub(crate) async fn show(self, page: Page) {
        if self.answer.send(page).is_ok() {
            // The connection drops its end when it is through. Twice, for the write and the hanging up.
            let _ = time::timeout(self.close * 2, self.hung_up).await;
        }
    }
}

#[derive(Debug)]
struct Server {
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A callback on its way from the connection to the caller.
#[derive(Debug)]
struct Held {
    url: CallbackUrl,
    answer: oneshot::Sender<Page>,
    hung_up: oneshot::Receiver<Infallible>,
}

/// State that the connections share.
#[derive(Debug)]
struct Desk {
    address: SocketAddr,
    /// The next callback is taken.
    open: AtomicBool,
    callbacks: mpsc::Sender<Held>,
}

impl Desk {
    fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    async fn answer<B>(
        &self,
        request: Request<B>,
        hung_up: &Mutex<Option<oneshot::Receiver<Infallible>>>,
        holds: &AtomicBool,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let host = self.address.to_string();
        Ok(match callback_query(&request, &host) {
            Ok(query) => {
                let url = CallbackUrl(format!("{}?{query}", self.redirect_uri()));
                let hung_up = hung_up.lock().unwrap_or_else(PoisonError::into_inner).take();
                self.hold(url, hung_up.expect("a connection serves one request"), holds).await
            }
            Err(refusal) => refusal.response(),
        })
    }

    async fn hold(
        &self,
        url: CallbackUrl,
        hung_up: oneshot::Receiver<Infallible>,
        holds: &AtomicBool,
    ) -> Response<Full<Bytes>> {
        if !self.open.swap(false, Ordering::SeqCst) {
            return Refusal::Busy.response();
        }
        // Until the connection ends: its page is still to be written when this returns.
        holds.store(true, Ordering::SeqCst);
        let (answer, page) = oneshot::channel();
        if self.callbacks.try_send(Held { url, answer, hung_up }).is_err() {
            return Refusal::Busy.response();
        }
        match page.await {
            Ok(page) => page.response(),
            Err(_) => Refusal::Abandoned.response(),
        }
    }
}

/// The query of a request that is a callback, or why it is none.
fn callback_query<'r, B>(request: &'r Request<B>, host: &str) -> Result<&'r str, Refusal> {
    let (uri, headers): (&Uri, _) = (request.uri(), request.headers());
    // A name that someone else's DNS points here must not be served (DNS rebinding).
    let mut hosts = headers.get_all(header::HOST).iter();
    if hosts.next().is_none_or(|value| value != host) || hosts.next().is_some() || uri.authority().is_some() {
        return Err(Refusal::Host);
    }
    match uri.path() {
        PATH => {}
        "/favicon.ico" => return Err(Refusal::Favicon),
        _ => return Err(Refusal::Path),
    }
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    // An image or a frame on somebody's page is not a person who comes back from signing in.
    if headers.get("sec-fetch-dest").is_some_and(|value| value != "document") {
        return Err(Refusal::Embedded);
    }
    uri.query().filter(|query| !query.is_empty()).ok_or(Refusal::Query)
}

async fn serve(listener: TcpListener, desk: Arc<Desk>, limits: Limits) {
    let mut places = Places::new(limits.connections);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => places.seat(stream, Arc::clone(&desk), limits),
            Err(_) => {
                // Perhaps for want of a file descriptor, of which somebody who says nothing may hold one.
                places.clear_one();
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connections, the oldest first.
///
/// Whoever connects is let in at once: a browser says what it wants right away, and those that say nothing,
/// however many, are what gives way.
struct Places {
    limit: usize,
    taken: VecDeque<Place>,
    connections: JoinSet<()>,
}

struct Place {
    connection: AbortHandle,
    /// A callback, which stays whoever else comes.
    holds: Arc<AtomicBool>,
}

impl Places {
    fn new(limit: usize) -> Self {
        Self { limit, taken: VecDeque::new(), connections: JoinSet::new() }
    }

    fn seat(&mut self, stream: TcpStream, desk: Arc<Desk>, limits: Limits) {
        while self.connections.try_join_next().is_some() {}
        self.taken.retain(|place| !place.connection.is_finished());
        if self.taken.len() >= self.limit {
            self.clear_one();
        }
        let holds = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&holds);
        let connection =
            self.connections.spawn(async move { connection(stream, &desk, limits, &held).await });
        self.taken.push_back(Place { connection, holds });
    }

    /// Ends the oldest connection that is no callback.
    fn clear_one(&mut self) {
        let oldest = self.taken.iter().position(|place| !place.holds.load(Ordering::SeqCst));
        if let Some(place) = oldest.and_then(|oldest| self.taken.remove(oldest)) {
            place.connection.abort();
        }
    }
}

async fn connection(mut stream: TcpStream, desk: &Desk, limits: Limits, holds: &AtomicBool) {
    let (_through, hung_up) = oneshot::channel();
    let hung_up = Mutex::new(Some(hung_up));
    // How it went is seen from the other end: there is nobody here to tell about a browser that left.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_LIMIT)
        // One request a connection, so that no connection can outlive its limits.
        .keep_alive(false)
        .serve_connection(
            TokioIo::new(&mut stream),
            service_fn(|request| desk.answer(request, &hung_up, holds)),
        )
        .await;
    // A socket that is closed with bytes unread resets the connection, and the response may be lost with
    // it. So: no more from us, then read until the browser hangs up as well.
    let _ = time::timeout(limits.close, async {
        let _ = stream.shutdown().await;
        let mut rest = [0; 1024];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    })
    .await;
}
