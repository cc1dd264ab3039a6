//! The surroundings of a command: a host, its store, its tape.

mod cleaning;
mod component;
pub(crate) mod interrupt;
mod network;
mod options;
pub(crate) mod remembered;
mod store;
mod tape;

use std::{env, sync::Arc, time::Duration};

use gcf_host::{
    Action, Host, Limits, Observer,
    secrets::{DirectoryStore, Expected, MemoryStore, SECRETS_VARIABLE, SecretStore},
    tape::{Cassette, LiveSecrets, Tape},
    wit::{api::ApiResponse, connections::Connection, types::ErrorKind},
};

pub(crate) use self::store::names_in_store;
pub(crate) use self::{
    component::Component,
    options::{Given, Global, TapeMode},
};
use self::{
    network::{LastRefusal, allowing},
    remembered::Names,
    store::OpenStore,
};
use crate::{
    input::{choice::choose, files::Source},
    output::{failure::Failure, plan::Planned, shown::Outcome},
};

/// The entry with the default connection's id. No call of the component sees it.
const DEFAULT_CONNECTION: &str = "default/connection";

/// Everything a command needs.
pub(crate) struct Context {
    pub(crate) host: Host,
    pub(crate) source: Source,
    pub(crate) component: Component,
    /// The value of `--connection`.
    connection: Option<String>,
    pub(crate) timeout: Option<Duration>,
    /// The switch `--plan`: only say what would be sent.
    plan: bool,
    /// The place of secrets.
    pub(crate) store: Arc<dyn SecretStore>,
    /// The same, if it is a folder.
    folder: Option<Arc<DirectoryStore>>,
    /// The place of that folder's key, for people.
    pub(crate) key_place: String,
    tape: Option<Cassette>,
    /// The same folder, if replays may write there.
    for_replays: Option<Arc<DirectoryStore>>,
    /// The secrets that the store has given out.
    seen: LiveSecrets,
    /// The reason why a proxy let nothing through.
    proxy: LastRefusal,
    /// The environment names a proxy, and the options name none.
    overlooks_proxy: bool,
}

/// The limits of a command, which makes one call after another; each further place for a call would cost time at its start.
fn limits() -> Limits {
    Limits { calls: 1, ..Limits::default() }
}

impl Context {
    /// As the options of `global` say.
    pub(crate) fn open(global: &Global, needs_store: bool, observer: Observer) -> Result<Self, Failure> {
        let component = Component::find(global.component.as_deref())?;
        let OpenStore { store, folder, key_place } = store::open(global, needs_store)?;
        let for_replays = folder.clone().filter(|_| global.replay_store.is_some());
        let seen = LiveSecrets::default();
        let store = seen.watch(store);
        let tape = tape::cassette(global, &component)?;
        let seen_by_host = Arc::clone(&store);
        // What a command itself writes in a replay goes where the component's own writes go.
        let store = match &tape {
            Some(tape) if tape.is_replaying() => tape.over(store),
            Some(_) | None => store,
        };
        let proxy = LastRefusal::default();
        let builder = component
            .load(Host::builder())
            .limits(limits())
            .cache_dir(store::cache_dir())
            .host_signing(!global.no_host_signing)
            .observer(proxy.watching(observer));
        let builder = allowing(builder, global)?;
        let builder = match &tape {
            Some(tape) => tape.insert(builder, seen_by_host),
            None => builder.secrets(seen_by_host).transport(network::live(global)?),
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
            proxy,
            overlooks_proxy: network::overlooks_proxy(global),
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
        let builder = component
            .load(Host::builder())
            .limits(limits())
            .cache_dir(store::cache_dir())
            .host_signing(!global.no_host_signing);
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
            proxy: LastRefusal::default(),
            overlooks_proxy: false,
        };
        Ok((context, tape))
    }

    /// The connection that the command is for: the one that `--connection` names, or the only one.
    pub(crate) async fn current(&self) -> Result<Connection, Failure> {
        self.choose(self.connection.as_deref()).await
    }

    /// The connection with this id or this nickname.
    pub(crate) async fn named(&self, name: &str) -> Result<Connection, Failure> {
        self.choose(Some(name)).await
    }

    async fn choose(&self, name: Option<&str>) -> Result<Connection, Failure> {
        let connections = self.host.connections().await?;
        if connections.is_empty() && self.begins_empty() {
            let message = "there is no connection in the empty store that a replay begins with";
            return Err(Failure::connection(ErrorKind::ConnectionRequired, message).with_fix(format!(
                "name the store that the tape was recorded with: --store {}",
                store::own_folder().map_or_else(|| "DIR".to_owned(), |folder| folder.display().to_string())
            )));
        }
        let default = if name.is_none() && connections.len() > 1 { self.default_connection()? } else { None };
        // One that is gone is nobody's default.
        let default = default.filter(|id| connections.iter().any(|connection| connection.id == *id));
        choose(connections, name.or(default.as_deref()))
    }

    /// The id of the connection that `gcf connections use` has named.
    pub(crate) fn default_connection(&self) -> Result<Option<String>, Failure> {
        let entry = self.store.get(DEFAULT_CONNECTION).map_err(|error| Failure::store(&error))?;
        Ok(entry.map(|entry| entry.value))
    }

    /// Keeps the default in the store, or removes it.
    pub(crate) fn make_default(&self, id: Option<&str>) -> Result<(), Failure> {
        match id {
            Some(id) => self.store.put(DEFAULT_CONNECTION, id, &Expected::Anything).map(drop),
            None => self.store.delete(DEFAULT_CONNECTION, &Expected::Anything),
        }
        .map_err(|error| Failure::store_refuses("keep the default", &error))
    }

    /// Remembers names for a shell that completes a command line.
    pub(crate) fn remember(&self, change: impl FnOnce(&mut Names)) {
        if !self.plan {
            Names::change(&*self.store, change);
        }
    }

    /// Tells whether there is nothing in the store because a replay began with an empty one, and not for want of a
    /// connection.
    fn begins_empty(&self) -> bool {
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

    /// The others who can read a connection.
    pub(crate) fn shared_with(&self, connection: &str) -> Result<Vec<String>, Failure> {
        match &self.folder {
            Some(folder) => folder.recipients(connection).map_err(|error| Failure::store(&error)),
            None => Ok(Vec::new()),
        }
    }

    /// Makes a call, or plans it where `--plan` asks for that: no command needs to look.
    pub(crate) async fn call<R, O: Outcome + 'static>(
        &self,
        connection: &str,
        request: R,
        planned: impl FnOnce(R) -> Action,
        make: impl AsyncFnOnce(R) -> Result<O, Failure>,
    ) -> Result<Box<dyn Outcome>, Failure> {
        if self.plan {
            let plan = self.host.plan(connection, planned(request), self.timeout).await?;
            return Ok(Box::new(Planned(plan)));
        }
        Ok(Box::new(make(request).await?))
    }

    /// An API's answer without the store's secrets, found in the time that the call has `left`.
    pub(crate) async fn cleaned(
        &self,
        answer: ApiResponse,
        left: Option<Duration>,
    ) -> Result<ApiResponse, Failure> {
        cleaning::cleaned(answer, self.seen.clone(), left).await
    }

    /// Closes the tape as [`Self::close`] does, for what is worth nothing if the tape has more.
    pub(crate) async fn finish<T>(&self, done: Result<T, Failure>) -> Result<T, Failure> {
        let (done, left_over) = self.close(done).await?;
        left_over.map_or(Ok(done), Err)
    }

    /// Closes the tape: everything on it must have been used, or is written now. What failed before anything
    /// was sent says nothing about the tape.
    ///
    /// A tape that has more than what was asked for does not take the result away: the failure comes beside it.
    pub(crate) async fn close<T>(&self, done: Result<T, Failure>) -> Result<(T, Option<Failure>), Failure> {
        let done = done.map_err(|failure| match self.proxy.take() {
            Some(refusal) => failure.at_the_proxy(&refusal),
            None if self.overlooks_proxy => failure.beside_the_proxy(),
            None => failure,
        });
        let Some(tape) = &self.tape else { return done.map(|done| (done, None)) };
        let (closing, failed) = (tape.clone(), done.is_err());
        // A tape is searched and written as a whole. One on which nothing was recorded takes no other's place.
        let close = move || if failed && closing.is_blank() { Ok(()) } else { closing.finish() };
        let closed = tokio::task::spawn_blocking(close).await;
        let closed = closed.map_err(|error| Failure::machine(format!("cannot close the tape: {error}")))?;
        match closed {
            Ok(()) => done.and_then(|done| self.keep_replayed().map(|()| (done, None))),
            Err(_) if (done.is_err() || self.plan) && tape.is_untouched() => done.map(|done| (done, None)),
            Err(error) if tape.is_replaying() => match done {
                Ok(done) if error.is_of_more_than_asked() => Ok((done, Some(Failure::replay(&error, None)))),
                done => Err(Failure::replay(&error, done.err())),
            },
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
        self.is_replaying() && self.for_replays.is_none() && !self.plan
    }

    /// Tells whether all answers come from a tape.
    pub(crate) fn is_replaying(&self) -> bool {
        self.tape.as_ref().is_some_and(Cassette::is_replaying)
    }

    /// Ends when somebody presses ctrl-C, if there is a recording that would be lost.
    pub(crate) async fn interrupted(&self) {
        let recording = self.tape.as_ref().is_some_and(|tape| !tape.is_replaying());
        if !recording {
            std::future::pending().await
        }
        interrupt::pressed().await;
    }
}
