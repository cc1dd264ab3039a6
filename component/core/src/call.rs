//! One call of the contract: its ports, its deadline, its trace.

pub mod repeats;

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        gzip,
        http::{Exchange, Request, Response, TokenKind, TransportError},
        ports::{Lease, Ports, StoreError},
        purpose::Purpose,
        retry::{self, Class},
    },
    google::refusal,
    store::names::ConnectionId,
};

/// The most repeats of one call, over all its requests: while Google has a fault, many pages that are
/// each tried four times would only add to it. The catalog prints it.
pub const MAX_REPEATS: u32 = 10;

/// The most pages of lists that one call reads: 10,000 functions on pages of 100, and every region once, with some to
/// spare below what a host grants in requests. The catalog prints it.
pub const MAX_PAGES: u32 = 150;

/// The defaults of `deadline-ms`, which the catalog prints.
pub mod deadlines {
    use std::time::Duration;

    /// `connect`, `check`, `disconnect`, `list`, `get` and `custom-api`.
    pub const API: Duration = Duration::from_secs(30);
    /// `invoke`: the default timeout of a function, in seconds 60, plus what signing in takes.
    pub const INVOKE: Duration = Duration::from_secs(60);
    /// The longest that is accepted: a function's hour, and 30 s.
    pub const MAX: Duration = Duration::from_secs(3630);
}

/// One call.
#[derive(Debug)]
pub struct Call<'a, P> {
    ports: &'a P,
    deadline: Duration,
    connection: OnceCell<ConnectionId>,
    repeats: Cell<u32>,
    leases: RefCell<Vec<HeldLease>>,
    /// The number of requests that were sent.
    sent: Cell<u32>,
    /// Each exchange with the number of its request.
    trace: RefCell<Vec<(u32, Exchange)>>,
}

/// A lease, and when it ends by itself.
#[derive(Debug)]
pub(crate) struct HeldLease {
    name: String,
    token: String,
    end: Duration,
}

impl<'a, P: Ports> Call<'a, P> {
    /// A call that begins now.
    ///
    /// # Errors
    /// `invalid-input` of field `deadline-ms`: zero, or longer than an hour and 30 s.
    pub fn begin(ports: &'a P, deadline_ms: Option<u32>, default: Duration) -> Result<Self> {
        let given = deadline_ms.map_or(default, |ms| Duration::from_millis(u64::from(ms)));
        if given.is_zero() || given > deadlines::MAX {
            return Err(Error::input("deadline-ms", "the deadline is not between 1 and 3,630,000 ms"));
        }
        Ok(Self {
            ports,
            deadline: ports.monotonic() + given,
            connection: OnceCell::new(),
            repeats: Cell::default(),
            leases: RefCell::default(),
            sent: Cell::default(),
            trace: RefCell::default(),
        })
    }

    /// Gives the call at least `duration` from now: for a default that has turned out too short.
    pub fn extend(&mut self, duration: Duration) {
        self.deadline = self.deadline.max(self.ports.monotonic() + duration.min(deadlines::MAX));
    }

    /// The ports.
    pub fn ports(&self) -> &'a P {
        self.ports
    }

    /// Says which connection the call is for: its repeats count with those of the connection's other calls.
    pub(crate) fn is_for(&self, id: &ConnectionId) {
        self.connection.get_or_init(|| id.clone());
    }

    /// Takes a repeat from the call's own and from the connection's, if both have one.
    fn may_repeat(&self) -> bool {
        let repeats = self.repeats.get();
        let may =
            repeats < MAX_REPEATS && self.connection.get().is_none_or(|id| repeats::spend(self.ports, id));
        if may {
            self.repeats.set(repeats + 1);
        }
        may
    }

    /// Asks for a lease. One that this call could not give back is still its own: waiting for it would be to wait for
    /// itself.
    ///
    /// # Errors
    /// As the store fails; `Err` of the inner result is how long somebody else still has it.
    pub(crate) fn lease(
        &self,
        name: &str,
        ttl: Duration,
    ) -> std::result::Result<std::result::Result<HeldLease, Duration>, StoreError> {
        let now = self.ports.monotonic();
        match self.ports.acquire_lease(name, ttl)? {
            Lease::Granted(token) => Ok(Ok(HeldLease { name: name.to_owned(), token, end: now + ttl })),
            Lease::Held(left) => {
                let mut held = self.leases.borrow_mut();
                let own = held.iter().position(|lease| lease.name == name && lease.end > now);
                Ok(own.map(|at| held.swap_remove(at)).ok_or(left))
            }
        }
    }

    /// Gives a lease back, or keeps in mind that it could not be.
    pub(crate) fn release(&self, lease: HeldLease) {
        if !self.ports.release_lease(&lease.name, &lease.token) {
            self.leases.borrow_mut().push(lease);
        }
    }

    /// Takes the trace of all that has been sent until now, in that order.
    pub fn take_trace(&self) -> Vec<Exchange> {
        self.trace.take().into_iter().map(|(_, exchange)| exchange).collect()
    }

    /// The outcome of a call's steps, with the trace in its error.
    ///
    /// Not a function that runs them: a future that is handed over has its place twice in the one that awaits it.
    ///
    /// # Errors
    /// The steps' own.
    pub fn traced<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| error.with_trace(self.take_trace()))
    }

    /// The time that is left until the deadline.
    ///
    /// # Errors
    /// `deadline-exceeded` if nothing is.
    pub fn remaining(&self) -> Result<Duration> {
        self.left(self.ports.monotonic())
    }

    fn left(&self, now: Duration) -> Result<Duration> {
        match self.deadline.checked_sub(now) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(out_of_time("before the next request")),
        }
    }

    /// Waits, or fails at once if the deadline comes first.
    ///
    /// # Errors
    /// `deadline-exceeded`.
    pub async fn pause(&self, duration: Duration) -> Result<()> {
        if duration >= self.remaining()? {
            return Err(out_of_time("while waiting"));
        }
        self.ports.sleep(duration).await;
        Ok(())
    }

    /// Sends a request, repeats it as its class allows, and returns the last response, whatever its
    /// status.
    ///
    /// # Errors
    /// `network`, `egress-denied`, `deadline-exceeded`, `too-large`, or `invalid-response` where the status is none that
    /// an answer can have.
    pub async fn exchange(&self, request: &mut Request, class: Class) -> Result<Response> {
        let mut start = self.ports.monotonic();
        if let Some(stand_in) = self.ports.rehearse(request, class, self.left(start)?) {
            return Ok(stand_in);
        }
        let mut attempt = 1;
        loop {
            let within = self.left(start)?;
            let number = self.sent.get();
            self.sent.set(number + 1);
            let outcome = self.ports.send(request, class, within).await;
            let outcome = outcome.and_then(|response| gzip::decoded(response, request.max_response()));
            self.note(number, request, attempt, start, &outcome);
            let floor =
                outcome.as_ref().ok().and_then(|r| retry::retry_after(r).max(refusal::api::retry_info(r)));
            let jitter = || u32::from_le_bytes(self.ports.random());
            match retry::wait(class, attempt, &outcome, floor, jitter) {
                // A wait past the deadline would only trade this answer for a worse one.
                Some(wait) if self.remaining().is_ok_and(|left| wait < left) && self.may_repeat() => {
                    self.ports.sleep(wait).await;
                    attempt += 1;
                    start = self.ports.monotonic();
                }
                _ => {
                    let response = outcome.map_err(|error| transport_error(request, error))?;
                    return answered(request, response);
                }
            }
        }
    }

    fn note(
        &self,
        number: u32,
        request: &Request,
        attempt: u32,
        start: Duration,
        outcome: &std::result::Result<Response, TransportError>,
    ) {
        let duration = self.ports.monotonic().saturating_sub(start);
        let exchange = Exchange {
            method: request.method(),
            url: request.url(),
            token: request.token(),
            status: outcome.as_ref().ok().map(|response| response.status),
            attempt,
            duration_ms: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
        };
        let mut trace = self.trace.borrow_mut();
        // Requests side by side end in any order.
        let place = trace.iter().rposition(|(other, _)| *other < number).map_or(0, |before| before + 1);
        trace.insert(place, (number, exchange));
    }
}

fn out_of_time(when: &str) -> Error {
    Error::new(Kind::DeadlineExceeded, Origin::Network, format!("the deadline ran out {when}"))
        .fix("give the call more time, or ask for less in one call")
}

/// The side that an answer comes from.
fn far_side(request: &Request) -> Origin {
    if matches!(request.purpose(), Purpose::Invocation { .. }) { Origin::Function } else { Origin::GoogleApi }
}

/// Refuses a status that no answer can have. Those of 100 to 199 announce one (RFC 9110, section 15.2), or another protocol,
/// which was never asked for; and a status has three digits.
fn answered(request: &Request, response: Response) -> Result<Response> {
    if (200..=999).contains(&response.status) {
        return Ok(response);
    }
    let what = format!(
        "{} {} was answered with status {}, which is no answer",
        request.method().as_str(),
        request.url(),
        response.status
    );
    Err(Error::new(Kind::InvalidResponse, far_side(request), what)
        .http_status(response.status)
        .fix("the request may have been processed: look before you repeat it; a proxy in between may have answered"))
}

fn transport_error(request: &Request, error: TransportError) -> Error {
    let target = format!("{} {}", request.method().as_str(), request.url());
    match error {
        TransportError::Denied if request.token() == TokenKind::Injected => Error::new(
            Kind::EgressDenied,
            Origin::Host,
            format!("the host did not add an access token to {target}, or refused to send it"),
        )
        .fix("whoever runs the host sees the reason in its log of requests; nothing was sent"),
        TransportError::Denied => Error::new(
            Kind::EgressDenied,
            Origin::Host,
            format!("the host refused to send {target}"),
        )
        .fix("whoever runs the host must allow, in its egress policy and its proxy, what the catalog's egress manifest lists; nothing was sent"),
        TransportError::NotSent(why) => {
            Error::new(Kind::Network, Origin::Network, format!("no network connection for {target}: {why}"))
                .fix("check the network, the DNS and the proxy between the host and Google; nothing was sent")
        }
        TransportError::Broken(why) => {
            Error::new(Kind::Network, Origin::Network, format!("the connection broke during {target}: {why}"))
                .fix("the request may have been processed: look before you repeat it")
        }
        TransportError::Timeout => Error::new(
            Kind::DeadlineExceeded,
            Origin::Network,
            format!("the deadline ran out during {target}"),
        )
        .fix("the request may have been processed: look before you repeat it, and give the call more time"),
        TransportError::TooLarge => Error::new(
            Kind::TooLarge,
            far_side(request),
            format!("the response to {target} exceeds {} bytes", request.max_response()),
        )
        .detail("limit", request.max_response().to_string())
        .fix("ask for less: a smaller page, a field mask, or a link to the data"),
    }
}
