//! The tape that the options name, to play or to record on.

use std::{
    env, io,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use gcf_host::{
    reading::{self, Kind},
    tape::{Aliases, Cassette, Mode, Provenance, ProvenanceKind, Tape, Tools},
};

use super::{Component, Global, network};
use crate::output::failure::Failure;

/// The tape that the options name, if they name one.
pub(super) fn cassette(global: &Global, component: &Component) -> Result<Option<Cassette>, Failure> {
    let (path, mode) = match (&global.replay, &global.record) {
        (Some(path), _) => (path, global.mode()),
        (None, Some(path)) => (path, if global.append { Mode::Append } else { Mode::Record }),
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
        Mode::Once | Mode::NewEpisodes | Mode::Record | Mode::Append | Mode::Passthrough => {
            Cassette::open(path, mode, network::live(global)?, blank_tape(component)?).map_err(refused)?
        }
    };
    Ok(Some(cassette.renaming(aliases)))
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
pub(super) fn sha256(path: &Path) -> Result<String, Failure> {
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
