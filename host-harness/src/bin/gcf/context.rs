//! What the options of every command add up to: a host, its store, its transport, its clock.

pub(crate) mod component;

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gcf_host::{
    Host, HostBuilder,
    egress::EgressPolicy,
    reading::{self, Kind},
    secrets::{
        DirectoryStore, Expected, KeySource, MemoryStore, PASSPHRASE_VARIABLE, ReadOnlyStore,
        SECRETS_VARIABLE, SecretStore,
    },
    tape::{Aliases, Cassette, LiveSecrets, Mode, Provenance, ProvenanceKind, Redactor, Tape, Tools},
    transport::{Live, OriginMap, Transport},
    wit::{api::ApiResponse, types::Content},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    cli::{Command, Global, TapeMode},
    context::component::Component,
    input::files::{self, Source},
    output::{failure::Failure, progress::Progress},
};

/// Everything a command needs.
pub(crate) struct Context {
    pub(crate) host: Host,
    pub(crate) source: Source,
    pub(crate) component: Component,
    /// What `--connection` says.
    pub(crate) connection: Option<String>,
    pub(crate) timeout: Option<Duration>,
    /// Only say what would be sent.
    pub(crate) plan: bool,
    /// Where secrets are.
    pub(crate) store: Arc<dyn SecretStore>,
    /// The same, if it is a folder.
    folder: Option<Arc<DirectoryStore>>,
    /// Where the key of that folder is, for people.
    pub(crate) key_place: String,
    tape: Option<Cassette>,
    /// The same folder, if replays may write there.
    for_replays: Option<Arc<DirectoryStore>>,
    /// What the store has given out.
    seen: LiveSecrets,
}

impl Context {
    /// As the options of `global` say.
    pub(crate) fn open(global: &Global, command: &Command, progress: &Progress) -> Result<Self, Failure> {
        let component = Component::find(global.component.as_deref())?;
        let OpenStore { store, folder, key_place } = store(global, command)?;
        let for_replays = folder.clone().filter(|_| global.replay_store.is_some());
        let seen = LiveSecrets::default();
        let store = seen.watch(store);
        let tape = cassette(global, &component)?;
        let builder = component
            .load(Host::builder())
            .cache_dir(cache_dir())
            .host_signing(!global.no_host_signing)
            .observer(progress.observer());
        let builder = allowing(builder, global)?;
        let builder = match &tape {
            Some(tape) => tape.insert(builder, Arc::clone(&store)),
            None => builder.secrets(Arc::clone(&store)).transport(live(global)?),
        };
        Ok(Self {
            host: builder.build()?,
            source: Source::Machine,
            component,
            connection: global.connection.clone().filter(|name| !name.is_empty()),
            timeout: global.timeout,
            plan: global.plan,
            store,
            folder,
            key_place,
            tape,
            for_replays,
            seen,
        })
    }

    /// On a tape and a key that are given, with an empty store in memory.
    pub(crate) fn embedded(
        global: &Global,
        tape: Tape,
        key: &'static str,
    ) -> Result<(Self, Cassette), Failure> {
        let component = Component::find(global.component.as_deref())?;
        let tape = Cassette::replay(tape);
        let store: Arc<dyn SecretStore> = Arc::new(MemoryStore::new());
        let builder =
            component.load(Host::builder()).cache_dir(cache_dir()).host_signing(!global.no_host_signing);
        let builder = allowing(builder, global)?;
        let host = tape.insert(builder, Arc::clone(&store)).build()?;
        let context = Self {
            host,
            source: Source::Embedded(key),
            component,
            connection: None,
            timeout: global.timeout,
            plan: global.plan,
            store,
            folder: None,
            key_place: String::new(),
            tape: Some(tape.clone()),
            for_replays: None,
            seen: LiveSecrets::default(),
        };
        Ok((context, tape))
    }

    /// Whether there is nothing in the store because a replay began with an empty one, and not for want of a
    /// connection.
    pub(crate) fn begins_empty(&self) -> bool {
        self.tape.is_some()
            && self.folder.is_none()
            && env::var_os(SECRETS_VARIABLE).is_none_or(|value| value.is_empty())
    }

    /// The store, if it is a folder: only that one is encrypted, and shared.
    pub(crate) fn directory(&self) -> Result<&DirectoryStore, Failure> {
        self.folder.as_deref().ok_or_else(|| {
            Failure::input("only a store in a folder is encrypted and shared, and this one is not")
                .with_fix("name a folder with --store DIR, or set GCF_STORE")
        })
    }

    /// Who else can read a connection.
    pub(crate) fn shared_with(&self, connection: &str) -> Result<Vec<String>, Failure> {
        match &self.folder {
            Some(folder) => folder.recipients(connection).map_err(|error| Failure::store(&error)),
            None => Ok(Vec::new()),
        }
    }

    /// Takes the store's secrets out of a refusal of an API: one that repeats the token it got is no reason to show it.
    /// What an API grants is the caller's, as it came. How long a search takes is up to whoever answered, so it holds
    /// up nothing else, and ends with the time that the call has `left`.
    pub(crate) async fn cleaned(
        &self,
        answer: ApiResponse,
        left: Option<Duration>,
    ) -> Result<ApiResponse, Failure> {
        if answer.status < 400 { Ok(answer) } else { cleaned(answer, self.seen.clone(), left).await }
    }

    /// Closes the tape: everything on it must have been used, or is written now. What failed before anything
    /// was sent says nothing about the tape.
    pub(crate) async fn finish<T>(&self, done: Result<T, Failure>) -> Result<T, Failure> {
        let Some(tape) = &self.tape else { return done };
        let closing = tape.clone();
        // A tape is searched and written as a whole.
        let closed = tokio::task::spawn_blocking(move || closing.finish()).await;
        let closed = closed.map_err(|error| Failure::machine(format!("cannot close the tape: {error}")))?;
        match closed {
            Ok(()) => done.and_then(|done| self.keep_replayed().map(|()| done)),
            Err(_) if (done.is_err() || self.plan) && tape.is_untouched() => done,
            Err(error) if tape.is_replaying() => Err(Failure::replay(&error, done.err())),
            // A recorded failure is worth as much as a success.
            Err(error) => done.and(Err(Failure::tape(&error))),
        }
    }

    /// A store for replays gets what one that went well has left in memory.
    fn keep_replayed(&self) -> Result<(), Failure> {
        match (&self.tape, &self.for_replays) {
            (Some(tape), Some(folder)) => {
                tape.keep_in(&**folder).map_err(|error| Failure::store_refuses("keep the replay", &error))
            }
            (_, _) => Ok(()),
        }
    }

    /// Tells whether its changes to the store are gone when it ends.
    pub(crate) fn forgets(&self) -> bool {
        self.tape.as_ref().is_some_and(Cassette::is_replaying) && self.for_replays.is_none() && !self.plan
    }

    /// Fails in a replay, which changes nothing in a store.
    pub(crate) fn refuse_in_replay(&self) -> Result<(), Failure> {
        if self.tape.as_ref().is_some_and(Cassette::is_replaying) {
            return Err(Failure::input(
                "a replay changes nothing in the store, and this command does only that",
            )
            .with_fix("leave --replay out"));
        }
        Ok(())
    }

    /// Ends when somebody presses ctrl-C, if there is a recording that would be lost.
    pub(crate) async fn interrupted(&self) {
        let recording = self.tape.as_ref().is_some_and(|tape| !tape.is_replaying());
        if !recording || tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

async fn cleaned(
    answer: ApiResponse,
    seen: LiveSecrets,
    left: Option<Duration>,
) -> Result<ApiResponse, Failure> {
    if left.is_some_and(|left| left.is_zero()) {
        return Err(Failure::unsearched());
    }
    let search = tokio::task::spawn_blocking(move || without_secrets(answer, seen));
    let found = match left {
        Some(left) => tokio::time::timeout(left, search).await.map_err(|_| Failure::unsearched())?,
        None => search.await,
    };
    found
        .map_err(|error| Failure::machine(format!("the search for secrets in the answer broke off: {error}")))
}

fn without_secrets(mut answer: ApiResponse, seen: LiveSecrets) -> ApiResponse {
    let mut redactor = Redactor::default();
    redactor.know(seen);
    let clean = redactor.bytes(answer.body.as_bytes());
    let text = || String::from_utf8_lossy(&clean).into_owned();
    answer.body = match answer.body {
        Content::Empty => Content::Empty,
        Content::Json(_) => Content::Json(text()),
        Content::Text(_) => Content::Text(text()),
        Content::Bytes(_) => Content::Bytes(clean),
    };
    for header in &mut answer.headers {
        header.value = redactor.bytes(&header.value);
    }
    answer
}

/// The tape that the options name, if they name one.
fn cassette(global: &Global, component: &Component) -> Result<Option<Cassette>, Failure> {
    let (path, mode) = match (&global.replay, &global.record) {
        (Some(path), _) => (path, mode(global)),
        (None, Some(path)) => (path, Mode::Record),
        (None, None) if global.rename.is_empty() => return Ok(None),
        (None, None) => {
            return Err(Failure::input("there is no tape to rename anything on").with_fix(
                "name one with --record FILE or --replay FILE; `gcf tape rename` changes one that is there",
            ));
        }
    };
    let refused = |error| Failure::tape(&error);
    let aliases = Aliases::new(global.rename.iter().cloned()).map_err(refused)?;
    let cassette = match mode {
        Mode::Replay => Cassette::replay(Tape::read(path).map_err(refused)?),
        Mode::Stub => Cassette::stub(Tape::read(path).map_err(refused)?),
        Mode::Once | Mode::NewEpisodes | Mode::Record | Mode::Passthrough => {
            Cassette::open(path, mode, live(global)?, blank_tape(component)?).map_err(refused)?
        }
    };
    Ok(Some(cassette.renaming(aliases)))
}

fn mode(global: &Global) -> Mode {
    match global.tape_mode.unwrap_or(TapeMode::Replay) {
        TapeMode::Replay => Mode::Replay,
        TapeMode::Stub => Mode::Stub,
        TapeMode::Once => Mode::Once,
        TapeMode::NewEpisodes => Mode::NewEpisodes,
        TapeMode::Record => Mode::Record,
        TapeMode::Passthrough => Mode::Passthrough,
    }
}

struct OpenStore {
    store: Arc<dyn SecretStore>,
    /// The same, if it is a folder.
    folder: Option<Arc<DirectoryStore>>,
    key_place: String,
}

impl OpenStore {
    fn without_folder(store: impl SecretStore) -> Self {
        Self { store: Arc::new(store), folder: None, key_place: String::new() }
    }
}

/// Tells whether nothing but the tape answers.
fn only_plays(global: &Global) -> bool {
    matches!(mode(global), Mode::Replay | Mode::Stub)
}

fn store(global: &Global, command: &Command) -> Result<OpenStore, Failure> {
    if global.replay_store.is_some() && !only_plays(global) {
        return Err(Failure::input("--replay-store is for replays, and this mode sends requests")
            .with_fix("leave it out, or choose the mode replay or stub"));
    }
    let named = global.replay_store.as_deref().or(global.store.as_deref());
    let named = named.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned);
    let folder = match named {
        Some(folder) => folder,
        // Needs none, so a machine without a home folder can run it too.
        None if matches!(command, Command::Describe { .. }) => {
            return Ok(OpenStore::without_folder(MemoryStore::new()));
        }
        None if env::var_os(SECRETS_VARIABLE).is_some_and(|value| !value.is_empty()) => {
            let store = ReadOnlyStore::from_env().map_err(|error| Failure::store(&error))?;
            return Ok(OpenStore::without_folder(store));
        }
        None if global.replay.is_some() && only_plays(global) => {
            return Ok(OpenStore::without_folder(MemoryStore::new()));
        }
        None => user_folder("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
            Failure::machine("there is no home folder to keep connections in")
                .with_fix("name a folder with --store DIR, or set GCF_STORE")
        })?,
    };
    let failed = |error| Failure::store(&error);
    let key = match &global.key_file {
        Some(path) => KeySource::File(path.clone()),
        None => KeySource::from_env().map_err(failed)?,
    };
    let store = Arc::new(DirectoryStore::open_with(&folder, &key).map_err(failed)?);
    if store.migrated() > 0 {
        let _ = writeln!(
            io::stderr(),
            "{} values in {} were in clear text, and are encrypted now",
            store.migrated(),
            folder.display()
        );
    }
    tell_apart(&store, global.replay_store.is_some())?;
    let key_place = key_place(&key);
    Ok(OpenStore { store: Arc::clone(&store) as Arc<dyn SecretStore>, folder: Some(store), key_place })
}

/// Keeps what replays leave behind and what is alive apart, each in a store of its own.
fn tell_apart(store: &DirectoryStore, for_replays: bool) -> Result<(), Failure> {
    let failed = |error| Failure::store(&error);
    let folder = store.path().display();
    match (store.get(OF_REPLAYS).map_err(failed)?.is_some(), for_replays) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => {
            Err(Failure::input(format!("{folder} is a store for replays: its tokens are placeholders"))
                .with_fix("name it with --replay-store, beside --replay; or name another one with --store"))
        }
        (false, true) if store.keys("").map_err(failed)?.is_empty() => {
            store.put(OF_REPLAYS, "{}", &Expected::Absent).map(drop).map_err(failed)
        }
        (false, true) => Err(Failure::input(format!("{folder} is no store for replays, and not empty"))
            .with_fix("name a folder that is still to be made")),
    }
}

/// Stands in a store for replays.
const OF_REPLAYS: &str = "replays/store";

fn key_place(key: &KeySource) -> String {
    match key {
        KeySource::File(path) => path.display().to_string(),
        KeySource::Passphrase(_) => format!("in the folder, encrypted with what {PASSPHRASE_VARIABLE} holds"),
        #[cfg(feature = "keyring")]
        KeySource::Keyring => "in the system's keyring".to_owned(),
    }
}

/// Compiled components; without a home folder each start compiles anew.
fn cache_dir() -> Option<PathBuf> {
    user_folder("XDG_CACHE_HOME", ".cache")
}

/// `gcf` in a folder of the XDG base directory specification, which ignores relative paths.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let base = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home)))
        .map(|base| base.join("gcf"))
}

/// Within what the operator allows, if they say it.
fn allowing(builder: HostBuilder, global: &Global) -> Result<HostBuilder, Failure> {
    let Some(path) = global.egress.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(builder);
    };
    let wrong = |why: String| {
        Failure::input(format!("--egress {}: {why}", path.display())).with_fix(
            "write a list as `egress` in gcf describe --json is one, such as [{\"host\": \"run.googleapis.com\", \"carries\": [\"access-token\"]}]",
        )
    };
    let rules = serde_json::from_slice(&files::read_small_file(path)?)
        .map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    Ok(builder.egress_allow(EgressPolicy::from_manifest(&rules).map_err(wrong)?))
}

fn live(global: &Global) -> Result<Arc<dyn Transport>, Failure> {
    let map = OriginMap::new(global.map.iter().cloned())
        .map_err(|error| Failure::input(format!("--map: {error}")))?;
    let mut builder = Live::builder().map(map);
    if let Some(path) = &global.ca {
        let pem = files::read_small_file(path)?;
        let roots: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::input(format!("--ca {}: {error}", path.display())))?;
        if roots.is_empty() {
            return Err(Failure::input(format!("--ca {}: no certificate in it", path.display()))
                .with_fix("name a file with `-----BEGIN CERTIFICATE-----`"));
        }
        builder = builder.extra_roots(roots);
    }
    let live = builder.build().map_err(|error| Failure::input(format!("--ca: {error}")))?;
    Ok(Arc::new(live))
}

fn blank_tape(component: &Component) -> Result<Tape, Failure> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| Failure::machine(format!("no randomness: {error}")))?;
    let provenance = Provenance {
        kind: ProvenanceKind::Recorded,
        from: concat!("gcf ", env!("CARGO_PKG_VERSION"), " --record").to_owned(),
        note: None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // JSON readers elsewhere keep integers up to 53 bits only.
    let tape = Tape::new(provenance, now, u64::from_le_bytes(seed) >> 11);
    let program = env::current_exe().ok().and_then(|path| sha256(&path).ok());
    Ok(tape.with_tools(Tools {
        tool: concat!("gcf ", env!("CARGO_PKG_VERSION")).to_owned(),
        tool_sha256: program,
        component_sha256: Some(component.sha256()?),
    }))
}

/// Of a file, in hexadecimal. By ring, whose assembly reads a program of this size in no time.
pub(crate) fn sha256(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::machine(format!("cannot read {}: {error}", path.display()));
    let mut file = reading::open(path, Kind::File).map_err(failed)?;
    let mut digest = Digest(ring::digest::Context::new(&ring::digest::SHA256));
    // Piece by piece: a program with all that debuggers want is large.
    io::copy(&mut file, &mut digest).map_err(failed)?;
    Ok(digest.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Digest(ring::digest::Context);

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> ApiResponse {
        ApiResponse {
            status: 400,
            headers: Vec::new(),
            body: Content::Text(text.to_owned()),
            url: "https://a.example/".to_owned(),
            token: gcf_host::wit::types::TokenKind::AccessToken,
            trace: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_shown_without_secrets_or_not_at_all() {
        let seen = LiveSecrets::default();
        seen.add("canary-of-the-store");
        let answer = cleaned(refusal("you sent canary-of-the-store"), seen.clone(), None).await.unwrap();
        assert_eq!(answer.body.as_bytes(), b"you sent [redacted:secret:1]");
        let failure = cleaned(refusal("you sent canary-of-the-store"), seen, Some(Duration::ZERO)).await;
        assert_eq!(failure.unwrap_err().exit, crate::output::failure::Exit::Temporary);
    }
}
