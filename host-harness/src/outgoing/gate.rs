//! The one gate for requests: policy, then the budget of the call, then the transport.
//!
//! The policy is outermost, so that a replayed request is judged like a real one. Where the host adds an
//! access token, the policy judges twice: first whether one may be added, then what came of it.

use std::{future::Future, sync::Arc, time::Duration};

use http::{HeaderName, request::Parts};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as WasiError, RequestOptions, WasiBody, WasiHttpHooks,
};

use crate::{
    egress::EgressPolicy,
    limits::account::Held,
    outgoing::{
        budget::RequestBudget,
        inject::{AccessTokens, Injection},
        observer::{Observer, Stage, Watch},
        turns::Turns,
    },
    transport::{Body, ProxyFault, Timeouts, Transport, TransportError},
};

/// The way of one call's requests out of the sandbox.
pub(crate) struct Hooks {
    pub(crate) policy: Arc<EgressPolicy>,
    pub(crate) tokens: Option<Arc<dyn AccessTokens>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Observer>,
    pub(crate) budget: Arc<RequestBudget>,
    /// The order in which answers come.
    pub(crate) turns: Arc<Turns>,
    /// The timeouts of a guest that sets none of its own.
    pub(crate) patience: Duration,
    /// The place of the next request in the account, until the body of its response has been read or dropped.
    pub(crate) held: Option<Held>,
}

impl Hooks {
    /// Lets a request through under its number in the call, or says why not. A request that still lacks a
    /// token has its number already: otherwise a guest could ask the host's source without end.
    fn admit(&self, parts: &Parts) -> Result<(u32, Option<Injection>), TransportError> {
        let injection = Injection::wanted(self.tokens.as_ref(), &self.policy, parts);
        if injection.is_none() {
            self.policy.check(parts).map_err(TransportError::Denied)?;
        }
        let number = self.budget.take().map_err(|limit| TransportError::Limit(limit.to_string()))?;
        Ok((number, injection))
    }

    fn timeouts(&self, options: Option<RequestOptions>) -> Timeouts {
        let options = options.unwrap_or_default();
        Timeouts {
            connect: options.connect_timeout.unwrap_or(CONNECT).min(CONNECT),
            first_byte: options.first_byte_timeout.unwrap_or(self.patience),
            between_bytes: options.between_bytes_timeout.unwrap_or(self.patience),
        }
    }
}

/// The headers that belong to a connection, and so to the host, kept in one place. The trait's own method allocates a closure and makes
/// the nine names anew for each header.
static FORBIDDEN_HEADERS: [HeaderName; 9] = DEFAULT_FORBIDDEN_HEADERS;

/// The largest piece of a request's body.
const PIECE: usize = 64 * 1024;

type Processing = Box<dyn Future<Output = Result<(), WasiError>> + Send>;
type Answer = Result<(http::Response<WasiBody>, Processing), WasiError>;
type Exchange = Box<dyn Future<Output = Answer> + Send>;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        FORBIDDEN_HEADERS.contains(name)
    }

    /// The most that a guest may write at once, and thus the room that the host sets aside for one piece.
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processing: Processing,
    ) -> Exchange {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(Arc::clone(&self.turns));
        let mut watch = Watch::new(self.observer.clone(), &parts, || self.policy.carried(&parts));
        let (number, injection) = match self.admit(&parts) {
            Ok(admitted) => admitted,
            Err(error) => return Box::new(std::future::ready(Err(refuse(&watch, error)))),
        };
        let transport = Arc::clone(&self.transport);
        let (turns, budget) = (Arc::clone(&self.turns), Arc::clone(&self.budget));
        let timeouts = self.timeouts(options);
        let held = self.held.take();
        let send = move |watch, parts| {
            let request = http::Request::from_parts(parts, body.map_err(from_guest).boxed_unsync());
            send(&*transport, request, timeouts, Sent { number, watch, held, turns, budget })
        };
        match injection {
            None => Box::new(send(watch, parts)),
            Some(injection) => {
                watch.injected();
                Box::new(async move {
                    match injection.complete(&mut parts).await {
                        Ok(()) => send(watch, parts).await,
                        Err(error) => Err(refuse(&watch, error)),
                    }
                })
            }
        }
    }
}

/// The circumstances of a request on its way.
struct Sent {
    number: u32,
    watch: Watch,
    held: Option<Held>,
    turns: Arc<Turns>,
    budget: Arc<RequestBudget>,
}

/// Hands a request to the transport, and its answer to the guest.
fn send(
    transport: &dyn Transport,
    request: http::Request<Body>,
    timeouts: Timeouts,
    sent: Sent,
) -> impl Future<Output = Answer> + Send + use<> {
    let Sent { number, watch, held, turns, budget } = sent;
    watch.report(number, Stage::Sent);
    let started = turns.monotonic();
    let sending = transport.send(request, timeouts);
    async move {
        let answer = sending.await;
        let elapsed = turns.monotonic().saturating_sub(started);
        match answer {
            Ok(response) => {
                watch.report(number, Stage::Answered { status: response.status(), elapsed });
                let response = response.map(|body: Body| {
                    let counted = body.map_err(move |error| {
                        // Moved in here, so that it lives as long as the body.
                        let _ = &held;
                        to_guest(error)
                    });
                    counted.boxed_unsync()
                });
                let processing: Processing = Box::new(std::future::ready(Ok(())));
                Ok((response, processing))
            }
            Err(error) => {
                if let TransportError::TapeMiss(miss) = &error {
                    budget.note_miss(miss);
                }
                watch.report(number, Stage::Failed { error: error.clone(), elapsed });
                Err(to_guest(error))
            }
        }
    }
}

/// Reports a request that is not sent.
fn refuse(watch: &Watch, error: TransportError) -> WasiError {
    watch.report(0, Stage::Failed { error: error.clone(), elapsed: Duration::ZERO });
    to_guest(error)
}

/// The failure as the guest learns of it: the code of the contract, and no text, except where no code fits.
fn to_guest(error: TransportError) -> WasiError {
    match error {
        // A tape refuses as a policy does: to the component there is nothing to repeat.
        TransportError::Denied(_) | TransportError::TapeMiss(_) => WasiError::HttpRequestDenied,
        TransportError::Dns(_) => WasiError::DnsError { rcode: None, info_code: None },
        TransportError::ProhibitedAddress(_) => WasiError::DestinationIpProhibited,
        TransportError::ConnectionRefused(_) => WasiError::ConnectionRefused,
        TransportError::ConnectTimeout(_) => WasiError::ConnectionTimeout,
        TransportError::Tls(_) => WasiError::TlsProtocolError,
        TransportError::Closed(_) => WasiError::ConnectionTerminated,
        TransportError::FirstByteTimeout(_) | TransportError::BodyTimeout(_) => {
            WasiError::ConnectionReadTimeout
        }
        TransportError::Protocol(_) => WasiError::HttpProtocolError,
        TransportError::HeadTooLarge(_) => WasiError::HttpResponseHeaderSectionSize(None),
        TransportError::Limit(_) => WasiError::InternalError(Some(error.to_string())),
        TransportError::Proxy(error) => of_proxy(&error.fault),
    }
}

/// None of these codes says that something may have reached the target: nothing has.
fn of_proxy(fault: &ProxyFault) -> WasiError {
    match fault {
        ProxyFault::Dns(_) => WasiError::DnsError { rcode: None, info_code: None },
        ProxyFault::Unreachable(_) | ProxyFault::Closed => WasiError::ConnectionRefused,
        ProxyFault::Timeout(_) => WasiError::ConnectionTimeout,
        // To the component there is nothing to repeat: the same answer would come again, or a lock on the account.
        ProxyFault::Authentication { .. } | ProxyFault::Refused(_) => WasiError::HttpRequestDenied,
        ProxyFault::Target(_) => WasiError::DestinationUnavailable,
        ProxyFault::NotHttp | ProxyFault::Status(_) => WasiError::ConfigurationError,
    }
}

/// The error of a request's body that broke off. The guest's own error says no more than that it did.
fn from_guest(_: WasiError) -> TransportError {
    TransportError::Closed("the component did not finish the body of its request".to_owned())
}

/// The limit on connecting: DNS, TCP and TLS together. Nothing of Google's takes longer and then works.
const CONNECT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use http_body_util::{Empty, Full};
    use serde_json::json;

    use super::*;
    use crate::{
        clock::SystemClock,
        error::Limit,
        transport::{Missed, ProxyError, Sending},
    };

    /// Answers 200 with the body `answer`, and keeps what it was asked.
    #[derive(Debug, Default)]
    struct Echo {
        asked: Mutex<Vec<(String, Timeouts)>>,
        failure: Option<TransportError>,
    }

    impl Transport for Echo {
        fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
            self.asked.lock().unwrap().push((request.uri().to_string(), timeouts));
            let failure = self.failure.clone();
            Box::pin(async move {
                match failure {
                    Some(error) => Err(error),
                    None => Ok(http::Response::new(
                        Full::new(Bytes::from("answer")).map_err(|never| match never {}).boxed_unsync(),
                    )),
                }
            })
        }
    }

    fn hooks(transport: &Arc<Echo>, limit: u32) -> Hooks {
        let manifest = json!([{"host": "run.googleapis.com", "carries": ["access-token"]}]);
        Hooks {
            policy: Arc::new(EgressPolicy::from_manifest(&manifest).unwrap()),
            tokens: None,
            transport: Arc::clone(transport) as Arc<dyn Transport>,
            observer: None,
            budget: Arc::new(RequestBudget::new(limit)),
            turns: Turns::new(Arc::new(SystemClock::default())),
            patience: Duration::from_secs(35),
            held: None,
        }
    }

    fn request(url: &str) -> http::Request<WasiBody> {
        http::Request::get(url)
            .header("host", "run.googleapis.com")
            .header("authorization", "Bearer ya29.access")
            .body(Empty::new().map_err(|never| match never {}).boxed_unsync())
            .unwrap()
    }

    async fn send(hooks: &mut Hooks, url: &str) -> Result<http::Response<WasiBody>, WasiError> {
        let exchange = hooks.send_request(request(url), None, Box::new(std::future::ready(Ok(()))));
        Box::into_pin(exchange).await.map(|(response, _)| response)
    }

    #[tokio::test]
    async fn an_allowed_request_reaches_the_transport_and_its_answer_the_guest() {
        let transport = Arc::new(Echo::default());
        let mut hooks = hooks(&transport, 1);
        let response = send(&mut hooks, "https://run.googleapis.com/v2/x?pageToken=t").await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "answer");
        let asked = transport.asked.lock().unwrap();
        let [(url, timeouts)] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(url, "https://run.googleapis.com/v2/x?pageToken=t");
        assert_eq!(timeouts.connect, Duration::from_secs(10));
        assert_eq!(timeouts.first_byte, Duration::from_secs(35));
    }

    #[tokio::test]
    async fn a_denied_request_reaches_nothing_and_costs_nothing() {
        let transport = Arc::new(Echo::default());
        let mut hooks = hooks(&transport, 1);
        let error = send(&mut hooks, "https://evilgoogleapis.com/").await.unwrap_err();
        assert!(matches!(error, WasiError::HttpRequestDenied), "{error}");
        assert!(transport.asked.lock().unwrap().is_empty());
        assert!(send(&mut hooks, "https://run.googleapis.com/").await.is_ok());
    }

    #[tokio::test]
    async fn a_call_has_only_so_many_requests() {
        let transport = Arc::new(Echo::default());
        let mut hooks = hooks(&transport, 2);
        for _ in 0..2 {
            assert!(send(&mut hooks, "https://run.googleapis.com/").await.is_ok());
            assert_eq!(hooks.budget.exceeded(), None);
        }
        let error = send(&mut hooks, "https://run.googleapis.com/").await.unwrap_err();
        assert!(matches!(error, WasiError::InternalError(Some(_))), "{error}");
        assert_eq!(hooks.budget.exceeded(), Some(Limit::Requests(2)));
        assert_eq!(transport.asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_failure_of_the_transport_becomes_its_code() {
        let text = || "127.0.0.1:1".to_owned();
        let late = Duration::from_secs(1);
        type Judge = fn(&WasiError) -> bool;
        let at_proxy = |fault| {
            let (proxy, target) = ("p:1".to_owned(), "run.googleapis.com:443".to_owned());
            TransportError::Proxy(Box::new(ProxyError { proxy, target, fault }))
        };
        let table: [(TransportError, Judge); 21] = [
            (TransportError::Denied(text()), |error| matches!(error, WasiError::HttpRequestDenied)),
            (TransportError::TapeMiss(Missed { what: text(), hint: text() }), |error| {
                matches!(error, WasiError::HttpRequestDenied)
            }),
            (TransportError::Dns(text()), |error| matches!(error, WasiError::DnsError { .. })),
            (TransportError::ProhibitedAddress(text()), |e| matches!(e, WasiError::DestinationIpProhibited)),
            (TransportError::ConnectionRefused(text()), |error| {
                matches!(error, WasiError::ConnectionRefused)
            }),
            (TransportError::ConnectTimeout(text()), |error| matches!(error, WasiError::ConnectionTimeout)),
            (TransportError::Tls(text()), |error| matches!(error, WasiError::TlsProtocolError)),
            (TransportError::Closed(text()), |error| matches!(error, WasiError::ConnectionTerminated)),
            (TransportError::FirstByteTimeout(late), |e| matches!(e, WasiError::ConnectionReadTimeout)),
            (TransportError::BodyTimeout(late), |error| matches!(error, WasiError::ConnectionReadTimeout)),
            (TransportError::Protocol(text()), |error| matches!(error, WasiError::HttpProtocolError)),
            (TransportError::HeadTooLarge(text()), |error| {
                matches!(error, WasiError::HttpResponseHeaderSectionSize(None))
            }),
            (TransportError::Limit(text()), |error| matches!(error, WasiError::InternalError(Some(_)))),
            (at_proxy(ProxyFault::Dns(text())), |error| matches!(error, WasiError::DnsError { .. })),
            (at_proxy(ProxyFault::Unreachable(text())), |error| {
                matches!(error, WasiError::ConnectionRefused)
            }),
            (at_proxy(ProxyFault::Closed), |error| matches!(error, WasiError::ConnectionRefused)),
            (at_proxy(ProxyFault::Timeout(late)), |error| matches!(error, WasiError::ConnectionTimeout)),
            (at_proxy(ProxyFault::Refused(http::StatusCode::FORBIDDEN)), |error| {
                matches!(error, WasiError::HttpRequestDenied)
            }),
            (at_proxy(ProxyFault::Target(http::StatusCode::BAD_GATEWAY)), |error| {
                matches!(error, WasiError::DestinationUnavailable)
            }),
            (at_proxy(ProxyFault::Authentication { given: true }), |error| {
                matches!(error, WasiError::HttpRequestDenied)
            }),
            (at_proxy(ProxyFault::NotHttp), |error| matches!(error, WasiError::ConfigurationError)),
        ];
        for (failure, is_its_code) in table {
            let transport = Arc::new(Echo { failure: Some(failure.clone()), ..Echo::default() });
            let error = send(&mut hooks(&transport, 1), "https://run.googleapis.com/").await.unwrap_err();
            assert!(is_its_code(&error), "{failure}: {error}");
        }
    }

    #[tokio::test]
    async fn the_observer_sees_each_stage_without_the_query() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let transport = Arc::new(Echo::default());
        let mut hooks = hooks(&transport, 1);
        let log = Arc::clone(&seen);
        hooks.observer = Some(Arc::new(move |event| log.lock().unwrap().push(event.clone())));
        send(&mut hooks, "https://run.googleapis.com/v2/x?key=hidden").await.unwrap();
        send(&mut hooks, "https://evil.example/y").await.unwrap_err();
        let seen = seen.lock().unwrap();
        let [sent, answered, denied] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((sent.number, &sent.stage), (1, &Stage::Sent));
        assert_eq!(sent.url, "https://run.googleapis.com/v2/x");
        assert!(matches!(answered.stage, Stage::Answered { status: http::StatusCode::OK, .. }));
        assert!(matches!(&denied.stage, Stage::Failed { error: TransportError::Denied(_), .. }));
        assert!(!format!("{seen:?}").contains("hidden"));
    }

    #[test]
    fn headers_of_a_connection_are_the_hosts() {
        let mut hooks = hooks(&Arc::new(Echo::default()), 1);
        for name in DEFAULT_FORBIDDEN_HEADERS {
            assert!(hooks.is_forbidden_header(&name), "{name}");
        }
        assert!(!hooks.is_forbidden_header(&http::header::CONTENT_TYPE));
    }

    #[test]
    fn a_guest_may_shorten_the_timeouts() {
        let hooks = hooks(&Arc::new(Echo::default()), 1);
        let options = RequestOptions {
            connect_timeout: Some(Duration::from_secs(60)),
            first_byte_timeout: Some(Duration::from_secs(3)),
            between_bytes_timeout: None,
        };
        let timeouts = hooks.timeouts(Some(options));
        assert_eq!(timeouts.connect, CONNECT);
        assert_eq!(timeouts.first_byte, Duration::from_secs(3));
        assert_eq!(timeouts.between_bytes, Duration::from_secs(35));
    }
}
