//! The state in a wasmtime store: the host's side of everything the world imports, and nothing else.

use std::{sync::Arc, time::Duration};

use wasmtime::{
    StoreContextMut,
    component::{HasData, HasSelf, Linker, Resource, ResourceTable},
};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream,
    bindings::{
        cli,
        clocks::{self, wall_clock::Datetime},
        io::{self, streams::Host as _},
        random,
    },
    pipe::SinkOutputStream,
};
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types as http_types};

use crate::{
    clock::{Clock, Random},
    contract::bindings::{secret_store, types},
    limits::MemoryMeter,
    outgoing::{
        gate::Hooks,
        guest_http::{self, Counted, GuestHttp},
    },
    sandbox::{
        secret_store::{Answered, CallSecrets},
        waiting::{Waiting, Waits},
    },
};

/// The state of one call, or of one after another.
pub(crate) struct State {
    pub(crate) memory: MemoryMeter,
    pub(crate) secrets: CallSecrets,
    clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) hooks: Hooks,
    #[cfg(test)]
    pub(crate) crossings: Crossings,
    http: GuestHttp,
    table: ResourceTable,
}

impl State {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        secrets: CallSecrets,
        hooks: Hooks,
        memory: MemoryMeter,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(memory.account().limit() / RESOURCE);
        Self {
            http: GuestHttp::new(memory.account()),
            memory,
            secrets,
            clock,
            random,
            hooks,
            #[cfg(test)]
            crossings: Crossings::default(),
            table,
        }
    }

    /// Serves another call from here on.
    pub(crate) fn serve(&mut self, secrets: CallSecrets, hooks: Hooks) {
        self.secrets = secrets;
        self.hooks = hooks;
    }

    /// Tells whether the guest has given back everything that the host kept for it.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.table.is_empty() && self.http.holds_nothing()
    }
}

/// The times that a call has gone from the guest to the host, and from the host into the guest.
#[cfg(test)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crossings {
    pub(crate) to_host: u64,
    pub(crate) to_guest: u64,
}

#[cfg(test)]
impl Crossings {
    pub(crate) fn count(&mut self, hook: wasmtime::CallHook) {
        match hook {
            wasmtime::CallHook::CallingHost => self.to_host += 1,
            wasmtime::CallHook::CallingWasm => self.to_guest += 1,
            wasmtime::CallHook::ReturningFromHost | wasmtime::CallHook::ReturningFromWasm => {}
        }
    }
}

/// Links the imports of `wit/world.wit`, and `wasi:cli/stderr`, which is a sink. A component that asks for
/// anything else is refused before it runs.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<State, Table>(linker, |state| &mut state.table)?;
    io::poll::add_to_linker::<State, Waits>(linker, State::waiting)?;
    io::streams::add_to_linker::<State, Table>(linker, |state| &mut state.table)?;
    read_in_place(linker)?;
    clocks::monotonic_clock::add_to_linker::<State, Waits>(linker, State::waiting)?;
    clocks::wall_clock::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    random::random::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    cli::stderr::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    let options = http_types::LinkOptions::default();
    http_types::add_to_linker::<State, Counted>(linker, &options, State::http)?;
    outgoing_handler::add_to_linker::<State, Counted>(linker, State::http)?;
    types::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    secret_store::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// Has the bytes of a body written into the guest's memory from where they lie. The function of wasmtime-wasi-io, which this
/// takes the place of, makes a copy of them first.
fn read_in_place(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(STREAMS)?.func_wrap(
        "[method]input-stream.read",
        |mut store: StoreContextMut<'_, State>, (stream, length): (Resource<DynInputStream>, u64)| {
            let table = &mut store.data_mut().table;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Ok((match table.get_mut(&stream)?.read(length) {
                Ok(bytes) => {
                    debug_assert!(bytes.len() <= length);
                    Ok(bytes)
                }
                Err(error) => Err(table.convert_stream_error(error)?),
            },))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// `wasi:io/streams` in the version of wasmtime-wasi-io.
const STREAMS: &str = "wasi:io/streams@0.2.12";

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

impl State {
    fn http(&mut self) -> guest_http::View<'_> {
        self.http.view(&mut self.hooks, &mut self.table)
    }

    fn waiting(&mut self) -> Waiting<'_> {
        Waiting { table: &mut self.table, turns: &self.hooks.turns }
    }
}

impl types::Host for State {}

/// The answer as `bindgen!` wants it: a limit ends the call as a trap does.
fn told<T>(answered: Answered<T>) -> wasmtime::Result<Result<T, secret_store::StoreError>> {
    Ok(answered?.map_err(Into::into))
}

impl secret_store::Host for State {
    async fn get(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Option<secret_store::Entry>, secret_store::StoreError>> {
        told(self.secrets.get(key).await)
    }

    async fn put(
        &mut self,
        key: String,
        value: String,
        expected: secret_store::Expected,
    ) -> wasmtime::Result<Result<String, secret_store::StoreError>> {
        told(self.secrets.put(key, value, expected).await)
    }

    async fn delete(
        &mut self,
        key: String,
        expected: secret_store::Expected,
    ) -> wasmtime::Result<Result<(), secret_store::StoreError>> {
        told(self.secrets.delete(key, expected).await)
    }

    async fn keys(
        &mut self,
        prefix: String,
    ) -> wasmtime::Result<Result<Vec<String>, secret_store::StoreError>> {
        told(self.secrets.keys(prefix).await)
    }

    async fn acquire_lease(
        &mut self,
        name: String,
        ttl_ms: u64,
    ) -> wasmtime::Result<Result<secret_store::Lease, secret_store::StoreError>> {
        told(self.secrets.acquire_lease(name, ttl_ms).await)
    }

    async fn release_lease(
        &mut self,
        name: String,
        token: String,
    ) -> wasmtime::Result<Result<(), secret_store::StoreError>> {
        told(self.secrets.release_lease(name, token).await)
    }

    async fn sign(
        &mut self,
        key: String,
        algorithm: secret_store::SignatureAlgorithm,
        message: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, secret_store::StoreError>> {
        told(self.secrets.sign(key, algorithm, message).await)
    }
}

// These three are our own, because those of wasmtime-wasi need its `WasiCtx`: it brings arguments, an environment, folders, sockets and
// seeded generators to each call, only to be switched off, and lets a guest ask for 64 MiB of random bytes at once.
impl random::random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let len = usize::try_from(len).ok().filter(|len| *len <= RANDOM_BYTES);
        let len = len.ok_or_else(|| wasmtime::Error::msg("too many random bytes at once"))?;
        let mut bytes = vec![0; len];
        self.random.fill(&mut bytes);
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }
}

impl clocks::wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        Ok(datetime(self.clock.now()))
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(datetime(RESOLUTION))
    }
}

fn datetime(time: Duration) -> Datetime {
    Datetime { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() }
}

impl cli::stderr::Host for State {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let sink: DynOutputStream = Box::new(SinkOutputStream);
        Ok(self.table.push(sink)?)
    }
}

/// The resolution of every system's clock; our own traits do not name one.
pub(super) const RESOLUTION: Duration = Duration::from_micros(1);

/// Memory for each thing of the host that a guest may have at once: 1,024 of them in 128 MiB. Their content
/// is counted besides; a request takes about a dozen, and the component sends 16 at once.
const RESOURCE: usize = 128 * 1024;

/// The most random bytes at once. An id or a boundary takes 16.
const RANDOM_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;

    /// With another version, the function that takes the other's place would be that of nobody.
    #[test]
    fn the_streams_are_those_of_wasmtime() {
        let mut linker = Linker::new(&Engine::default());
        link(&mut linker).unwrap();
        let mut streams = linker.instance(STREAMS).unwrap();
        let again = streams.func_wrap("[method]input-stream.subscribe", |_, (): ()| Ok(()));
        assert!(again.is_err(), "the version has a function that is not defined again");
    }

    /// What is linked already cannot be defined again, so whatever can be was not there.
    #[test]
    fn neither_sockets_nor_files_nor_an_environment_are_linked() {
        let mut linker = Linker::new(&Engine::default());
        link(&mut linker).unwrap();
        for (interface, function) in [
            ("wasi:sockets/tcp-create-socket", "create-tcp-socket"),
            ("wasi:sockets/udp-create-socket", "create-udp-socket"),
            ("wasi:sockets/ip-name-lookup", "resolve-addresses"),
            ("wasi:sockets/instance-network", "instance-network"),
            ("wasi:filesystem/preopens", "get-directories"),
            ("wasi:cli/environment", "get-environment"),
            ("wasi:cli/environment", "get-arguments"),
            ("wasi:cli/stdin", "get-stdin"),
            ("wasi:cli/stdout", "get-stdout"),
        ] {
            let mut instance = linker.instance(&format!("{interface}@0.2.12")).unwrap();
            assert!(instance.func_wrap(function, |_, (): ()| Ok(())).is_ok(), "{interface} has {function}");
        }
        let mut stderr = linker.instance("wasi:cli/stderr@0.2.12").unwrap();
        assert!(stderr.func_wrap("get-stderr", |_, (): ()| Ok(())).is_err(), "the version is another one");
    }
}
