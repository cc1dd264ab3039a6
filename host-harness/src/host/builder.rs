//! The builder of a [`Host`].

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use wasmtime::component::Linker;

use crate::{
    clock::{Clock, Random, SystemClock, SystemRandom},
    egress::EgressPolicy,
    error::HostError,
    host::{Catalog, Host},
    limits::Limits,
    outgoing::{
        inject::AccessTokens,
        observer::{Observer, RequestEvent},
    },
    reading::{self, Kind, MAX_COMPONENT},
    sandbox::{
        Sandbox,
        compiled::{self, CacheUse},
        engine::engine,
        exports::Exports,
        secret_store::Secrets,
        state,
        warm::{Idle, WarmInstances},
    },
    secrets::{MemoryStore, SecretStore},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// Puts a [`Host`] together. Nothing must be named, with the feature `embedded`; without it, the component.
///
/// The defaults: the component is the one in this library, secrets live in memory, the transport refuses
/// everything, clock and randomness are the system's, the limits are [`Limits::default`], the host signs and
/// adds no access tokens, and nothing is cached.
pub struct HostBuilder {
    component: Option<Source>,
    cache: Option<PathBuf>,
    limits: Limits,
    secrets: Option<Arc<dyn SecretStore>>,
    signs: bool,
    tokens: Option<Arc<dyn AccessTokens>>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    observer: Option<Observer>,
    allowed: Option<EgressPolicy>,
    warm: Option<WarmInstances>,
}

enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
    #[cfg(feature = "embedded")]
    Embedded,
}

impl Host {
    /// Starts to put a host together.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }
}

impl Default for HostBuilder {
    fn default() -> Self {
        Self {
            component: None,
            cache: None,
            limits: Limits::default(),
            secrets: None,
            signs: true,
            tokens: None,
            transport: Arc::new(Offline),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            observer: None,
            allowed: None,
            warm: None,
        }
    }
}

impl HostBuilder {
    /// Names the file of the component, which [`build`](Self::build) reads.
    #[must_use]
    pub fn component_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.component = Some(Source::File(path.into()));
        self
    }

    /// Supplies the component itself.
    #[must_use]
    pub fn component_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.component = Some(Source::Bytes(bytes.into()));
        self
    }

    /// Names a folder for the compiled component: compiling takes a second or so, loading a few milliseconds.
    /// The folder is made if it is missing, must be writable to this user alone, and may be deleted at any
    /// time. [`Host::cache_use`] tells whether it was used.
    #[must_use]
    pub fn cache_dir(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    /// Sets the store of connections, credentials and tokens.
    #[must_use]
    pub fn secrets(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.secrets = Some(store);
        self
    }

    /// Sets the transport, which sends the requests that the policy has passed.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the clocks that the component reads.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the randomness that the component draws.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Sets the limits of one call.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets the host sign with the keys in its store, or not. If not, the component reads the key and signs
    /// itself, some twenty times as slowly; only a test has a reason to want that.
    #[must_use]
    pub fn host_signing(mut self, signs: bool) -> Self {
        self.signs = signs;
        self
    }

    /// Supplies the access tokens that the host adds to requests, for a component that holds none. Without it
    /// such requests are refused.
    #[must_use]
    pub fn access_tokens(mut self, source: Arc<dyn AccessTokens>) -> Self {
        self.tokens = Some(source);
        self
    }

    /// Sets the observer, which is told of each request as it is sent, and as its answer begins.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Fn(&RequestEvent) + Send + Sync>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Lets instances serve further calls of the same connection, which takes a fifth of an invocation's time away, and
    /// two thirds of that of a call that only reads. Without it each call has an instance of its own. What that gives and costs is in docs/decisions/0029.
    #[must_use]
    pub fn warm_instances(mut self, warm: WarmInstances) -> Self {
        self.warm = Some(warm);
        self
    }

    /// Sets the bound of what the component may send where, beside its own manifest: hosts, and the kinds of
    /// tokens that each may receive. A request has to keep to both.
    ///
    /// A bound with less than the connector declares narrows it. A bound with more is your word for a
    /// component of your own: without it, a component that declares more than [`EgressPolicy::shipping`] is
    /// not taken.
    #[must_use]
    pub fn egress_allow(mut self, allowed: EgressPolicy) -> Self {
        self.allowed = Some(allowed);
        self
    }

    /// Reads, compiles and links the component, and asks it for its catalog, whose egress manifest is
    /// enforced from then on.
    ///
    /// Blocks: for some milliseconds with a warm cache, for a second or so without.
    ///
    /// # Errors
    /// [`HostError`] says what is wrong with the component, or with this machine.
    pub fn build(self) -> Result<Host, HostError> {
        let source = self.component.or_else(Source::default).ok_or(HostError::NoComponent)?;
        let warm = self.warm.map(|bounds| Arc::new(Idle::new(bounds)));
        let idle = self.warm.map_or(0, |bounds| bounds.idle);
        let engine = engine(&self.limits, idle, expiring(warm.as_ref(), &self.clock))?;
        let bytes = source.read()?;
        let (component, cache_use) = match compiled::embedded(&engine, &bytes) {
            Some(component) => (component, CacheUse::Embedded),
            None => compiled::component(&engine, &bytes, self.cache.as_deref())?,
        };
        let mut linker = Linker::new(&engine);
        state::link(&mut linker).map_err(|error| HostError::engine(&error))?;
        let exports = linker
            .instantiate_pre(&component)
            .and_then(Exports::find)
            .map_err(|error| HostError::invalid(&error))?;
        let store = self.secrets.unwrap_or_else(|| Arc::new(MemoryStore::default()));
        let sandbox = Sandbox {
            exports: Arc::new(exports),
            limits: self.limits,
            secrets: Secrets::new(store, self.signs),
            tokens: self.tokens,
            transport: self.transport,
            clock: self.clock,
            random: self.random,
            observer: self.observer,
            warm,
        };
        let catalog = Catalog::parse(sandbox.describe()?).map_err(HostError::Manifest)?;
        let policy = bounded(policy(&catalog).map_err(HostError::Manifest)?, self.allowed)?;
        Ok(Host::new(sandbox, catalog, policy, cache_use))
    }
}

impl Source {
    /// The component of hosts that name none.
    fn default() -> Option<Self> {
        #[cfg(feature = "embedded")]
        return Some(Self::Embedded);
        #[cfg(not(feature = "embedded"))]
        None
    }

    fn read(self) -> Result<Cow<'static, [u8]>, HostError> {
        let (bytes, name) = match self {
            Self::Bytes(bytes) => (bytes, "what was given".to_owned()),
            Self::File(path) => (read(&path)?, path.display().to_string()),
            #[cfg(feature = "embedded")]
            Self::Embedded => return Ok(Cow::Borrowed(crate::embedded::CONNECTOR)),
        };
        let bytes = Cow::Owned(bytes);
        if is_component(&bytes) { Ok(bytes) } else { Err(HostError::NotAComponent(name)) }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    reading::read(path, Kind::File, MAX_COMPONENT)
        .map_err(|source| HostError::Unreadable { path: path.to_owned(), source })
}

/// Tells whether the bytes begin as a component: a magic number, a version, and the layer, which is 0 for
/// core modules. The compiler would say the same in bytes and offsets.
fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(6..8) == Some(&[1, 0])
}

/// Throws away, at each tick, the instances that have waited too long; for as long as there is a host.
fn expiring(warm: Option<&Arc<Idle>>, clock: &Arc<dyn Clock>) -> impl FnMut() + Send + use<> {
    let warm = warm.map(Arc::downgrade);
    let clock = Arc::clone(clock);
    move || {
        if let Some(warm) = warm.as_ref().and_then(Weak::upgrade) {
            warm.expire(clock.monotonic());
        }
    }
}

/// The transport of a host that was given none: it sends nothing.
#[derive(Debug)]
struct Offline;

impl Transport for Offline {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let why = "this host has no transport; give its builder one".to_owned();
        Box::pin(std::future::ready(Err(TransportError::Denied(why))))
    }
}

fn policy(catalog: &Catalog) -> Result<EgressPolicy, String> {
    let egress = catalog.parsed.get("egress").ok_or("it has no egress manifest")?;
    EgressPolicy::from_manifest(egress)
}

/// The component's manifest within the operator's rules; without these, it must be within the manifest that
/// the host knows.
fn bounded(policy: EgressPolicy, allowed: Option<EgressPolicy>) -> Result<EgressPolicy, HostError> {
    if let Some(allowed) = allowed {
        return Ok(policy.within(allowed));
    }
    let beyond = policy.beyond(&EgressPolicy::shipping());
    if beyond.is_empty() { Ok(policy) } else { Err(HostError::EgressBeyond(beyond)) }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("cache", &self.cache)
            .field("limits", &self.limits)
            .field("secrets", &self.secrets)
            .field("signs", &self.signs)
            .field("adds_tokens", &self.tokens.is_some())
            .field("allowed", &self.allowed)
            .field("transport", &self.transport)
            .field("clock", &self.clock)
            .field("random", &self.random)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "embedded"))]
    fn a_host_needs_a_component() {
        assert!(matches!(Host::builder().build(), Err(HostError::NoComponent)));
    }

    #[test]
    #[cfg(feature = "precompiled")]
    fn what_is_inside_runs_without_being_compiled() {
        let host = Host::builder().build().unwrap();
        assert_eq!(*host.cache_use(), CacheUse::Embedded);
        let host = Host::builder().component_bytes(crate::embedded::CONNECTOR).build().unwrap();
        assert_eq!(*host.cache_use(), CacheUse::Embedded, "the same from elsewhere");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Host::builder().component_file("/nowhere/gcf.wasm").build().unwrap_err().to_string();
        assert!(error.starts_with("cannot read the component /nowhere/gcf.wasm: "), "{error}");
    }

    #[test]
    fn what_is_no_component_is_told_by_its_name() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let text = Host::builder().component_file(file).build().unwrap_err().to_string();
        assert!(text.starts_with(&format!("{file} is not a WebAssembly component; name ")), "{text}");
        for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0", b"(component)"] {
            let error = Host::builder().component_bytes(bytes).build().unwrap_err();
            assert!(matches!(error, HostError::NotAComponent(_)), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn a_component_of_another_world_is_refused_by_the_interface_it_lacks() {
        let empty = b"\0asm\x0d\0\x01\0".to_vec();
        let error = Host::builder().component_bytes(empty).build().unwrap_err().to_string();
        assert!(error.contains("gcf:connector/"), "{error}");
    }

    /// The policy that a catalog declares.
    fn declared(catalog: &str) -> Result<EgressPolicy, String> {
        Catalog::parse(catalog.to_owned()).and_then(|catalog| policy(&catalog))
    }

    #[test]
    fn a_catalog_without_a_usable_manifest_is_refused() {
        for (catalog, why) in [
            ("no json", "not JSON"),
            ("{}", "no egress manifest"),
            (r#"{"egress": {}}"#, "not an array"),
            (r#"{"egress": [{"host": "*", "carries": ["none"]}]}"#, "rule 0"),
        ] {
            let error = declared(catalog).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(declared(r#"{"egress": []}"#).is_ok());
    }

    #[test]
    fn a_component_that_would_send_more_needs_the_operators_word() {
        let manifest = || {
            declared(r#"{"egress": [{"host": "evil.example", "carries": ["access-token"]}, {"host": "run.googleapis.com", "carries": ["access-token"]}]}"#)
                .unwrap()
        };
        let error = bounded(manifest(), None).unwrap_err();
        assert!(
            matches!(&error, HostError::EgressBeyond(beyond) if beyond == &["evil.example with access-token"])
        );
        assert!(error.to_string().contains("evil.example with access-token"), "{error}");
        let word = manifest();
        assert_eq!(bounded(manifest(), Some(word.clone())).unwrap(), manifest().within(word));
    }
}
