//! Builds components; for `cargo xtask`, and for the build script of `component/embedded`.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use super::keep::keep;

const TARGET: &str = "wasm32-wasip2";

/// A panic stops the component at once. Not yet stable, and so only for a standard library that is built
/// along.
const IMMEDIATE_ABORT: [&str; 2] = ["-Zunstable-options", "-Cpanic=immediate-abort"];

/// Cargo's flag that keeps a second copy of each crate's metadata out of its library: 130 MB less in a demo.
const METADATA_ONCE: &str = "no-embed-metadata";

/// The shipping component.
pub(crate) const CONNECTOR: &str = "gcf-connector";

/// The repository, and the folder in which cargo builds.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Builds the connector.
    pub(crate) fn connector(&self, kept: &Path) -> Result<(), Error> {
        self.small_component(CONNECTOR, kept)
    }

    /// Builds a package as a component that is shipped.
    pub(crate) fn small_component(&self, package: &str, kept: &Path) -> Result<(), Error> {
        ensure_target()?;
        self.component(package, std_from_source(), kept)
    }

    /// Builds a package as a component, and puts it into the file `kept`.
    pub(crate) fn component(&self, package: &str, std: Std, kept: &Path) -> Result<(), Error> {
        self.component_of(Path::new("Cargo.toml"), package, std, kept)
    }

    /// The same for a package of the workspace with this manifest.
    pub(crate) fn component_of(
        &self,
        manifest: &Path,
        package: &str,
        std: Std,
        kept: &Path,
    ) -> Result<(), Error> {
        let mut cargo =
            self.cargo(["build", "--package", package, "--target", TARGET, "--profile", "component"]);
        cargo.arg("--manifest-path").arg(manifest);
        let mut flags = self.flags();
        // One folder for all components, whatever their flags: what runs on this machine, the macros of the
        // contract above all, is built once.
        let target = self.target.join("components");
        if std == Std::FromSource {
            cargo.args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"]);
            flags.extend(IMMEDIATE_ABORT.map(str::to_owned));
        }
        if self.cargo_takes(METADATA_ONCE) {
            cargo.args(["-Z", METADATA_ONCE]);
        } else {
            say(&format!("the target folder will be some 130 MB larger: this cargo has no {METADATA_ONCE}"));
        }
        // For these flags; set for every component, since macros are built anew where it changes.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        // Where clippy starts a build script, every cargo beneath it would run clippy.
        cargo.env_remove("RUSTC_WORKSPACE_WRAPPER");
        run(cargo)?;
        let library = package.replace('-', "_");
        let built = target.join(TARGET).join(format!("component/{library}.wasm"));
        let size = keep(&built, kept).map_err(|error| {
            Error::own(format!("copying {} to {}: {error}", built.display(), kept.display()))
        })?;
        say(&format!("{} ({} KB)", kept.display(), size.div_ceil(1000)));
        Ok(())
    }

    /// Tells whether cargo knows this flag of its own, by a command that does nothing.
    fn cargo_takes(&self, flag: &str) -> bool {
        let mut cargo = self.cargo(["-Z", flag, "locate-project"]);
        cargo.env("RUSTC_BOOTSTRAP", "1").output().is_ok_and(|printed| printed.status.success())
    }

    /// The flags, the same for everybody, so that two machines build the same file: none that a person adds
    /// for programs, and no path of this machine, which would end up in the messages of panics.
    fn flags(&self) -> Vec<String> {
        let home = env::var("HOME").or_else(|_| env::var("USERPROFILE")).unwrap_or_default();
        let cargo_home = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
        vec![
            format!("--remap-path-prefix={cargo_home}=/cargo"),
            format!("--remap-path-prefix={}=/gcf-connector", self.root.display()),
        ]
    }

    /// A `cargo` at the root, of the toolchain that runs this program.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).args(arguments);
        cargo
    }
}

/// The standard library in a component.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Std {
    /// As it came with the compiler.
    AsInstalled,
    /// Built with the component, so that a panic stops it without the code that would describe the panic.
    FromSource,
}

/// Builds the standard library along, where this toolchain can: see docs/decisions/0011.
pub(crate) fn std_from_source() -> Std {
    let why = match sources() {
        Err(why) => why,
        Ok(()) if !takes(&IMMEDIATE_ABORT) => "this compiler does not know how".to_owned(),
        Ok(()) => return Std::FromSource,
    };
    say(&format!("the component will be some 70 KB larger than it can be: {why}"));
    Std::AsInstalled
}

/// Installs the sources of the standard library, unless they are there.
fn sources() -> Result<(), String> {
    let printed = rustc().args(["--print", "sysroot"]).output().map_err(|error| error.to_string())?;
    let root = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if root.join("lib/rustlib/src/rust/library/Cargo.lock").is_file() {
        return Ok(());
    }
    say("installing the sources of the standard library");
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", "rust-src"]);
    run(rustup).map_err(|_| "`rustup component add rust-src` failed".to_owned())
}

/// Tells whether the compiler takes these flags.
fn takes(flags: &[&str]) -> bool {
    let mut rustc = rustc();
    rustc.env("RUSTC_BOOTSTRAP", "1").args(flags).args(["--print", "cfg", "--target", TARGET]);
    rustc.output().is_ok_and(|printed| printed.status.success())
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Installs the compilation target, unless it is there.
pub(crate) fn ensure_target() -> Result<(), Error> {
    let printed = rustc().args(["--print", "target-libdir", "--target", TARGET]).output();
    let printed = printed.map_err(|error| Error::own(format!("cannot start rustc: {error}")))?;
    let libdir = String::from_utf8_lossy(&printed.stdout);
    if printed.status.success() && Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    say(&format!("installing the target {TARGET}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    match run(rustup) {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::own(format!(
            "the compilation target {TARGET} is missing, and rustup could not add it\n\
             fix: install rustup from https://rustup.rs and run `rustup target add {TARGET}`, or install the \
             standard library for {TARGET} with what installed your Rust"
        ))),
    }
}

/// Runs a program, and fails if it does.
pub(crate) fn run(mut command: Command) -> Result<(), Error> {
    let name = command.get_program().to_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Child(status)),
        Err(error) => Err(Error::own(format!("cannot start {}: {error}", name.display()))),
    }
}

/// Tells the person who waits what takes so long.
pub(crate) fn say(line: &str) {
    eprintln!("xtask: {line}");
}

/// The reason why something was not built.
pub(crate) enum Error {
    /// A program that was started failed, and has said why.
    Child(ExitStatus),
    /// A message of this program's own.
    Own(String),
}

impl Error {
    pub(crate) fn own(message: impl fmt::Display) -> Self {
        Self::Own(message.to_string())
    }
}
