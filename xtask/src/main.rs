//! `cargo xtask`: the commands of this repository that need more than one step.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command talks to the person who started it"
)]

mod keep;

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use keep::keep;

const HELP: &str = "\
cargo xtask COMMAND

  build          builds the component to target/gcf-connector.wasm
  demo [ARGS]    builds it, then runs `gcf demo` on recorded responses
  gcf -- ARGS    builds it, then runs any gcf command
  test [ARGS]    builds it and the guest of the tests, then runs every test;
                 ARGS go to `cargo test`
  help           prints this

CARGO_TARGET_DIR is honoured. The target wasm32-wasip2 is installed through rustup if it is missing.";

const TARGET: &str = "wasm32-wasip2";

/// A panic stops the component at once. Not yet stable, and so only for a standard library that is built along.
const IMMEDIATE_ABORT: [&str; 2] = ["-Zunstable-options", "-Cpanic=immediate-abort"];

/// The shipping component.
const CONNECTOR: &str = "gcf-connector";

/// The component that the host's limits are tested against.
const HOSTILE_GUEST: &str = "gcf-hostile-guest";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".into());
    let mut rest: Vec<OsString> = arguments.collect();
    // `cargo xtask gcf -- list` and `cargo xtask gcf list` mean the same.
    if rest.first().is_some_and(|first| first == "--") {
        rest.remove(0);
    }
    let done = match command.to_str() {
        Some("build") => Workspace::find().and_then(|workspace| workspace.build()),
        Some("demo") => Workspace::find().and_then(|workspace| workspace.gcf(Some("demo"), &rest)),
        Some("gcf") => Workspace::find().and_then(|workspace| workspace.gcf(None, &rest)),
        Some("test") => Workspace::find().and_then(|workspace| workspace.test(&rest)),
        Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        Some(_) | None => {
            eprintln!("xtask: no such command: {}\n\n{HELP}", command.display());
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The child has said what is wrong.
        Err(Error::Child(status)) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        Err(Error::Own(message)) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    fn find() -> Result<Self, Error> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the manifest of xtask lies one folder below the root")
            .to_owned();
        if !root.join("wit/world.wit").is_file() {
            let root = root.display();
            return Err(Error::own(format!(
                "{root} is not the repository any more; run `cargo clean -p xtask`"
            )));
        }
        // Cargo reads a relative CARGO_TARGET_DIR from where it is started, which for the children is
        // the root.
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => std::path::absolute(&dir)
                .map_err(|error| Error::own(format!("CARGO_TARGET_DIR {}: {error}", dir.display())))?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    fn build(&self) -> Result<(), Error> {
        ensure_target()?;
        let std = std_from_source();
        say("building the component");
        self.component(CONNECTOR, std)
    }

    /// Builds a package as a component, and puts it where hosts and tests look for it.
    fn component(&self, package: &str, std: Std) -> Result<(), Error> {
        let mut cargo =
            self.cargo(["build", "--package", package, "--target", TARGET, "--profile", "component"]);
        let mut flags = self.flags();
        // A folder of its own, for cargo would build the dependencies anew at each change of flags.
        let mut target = self.target.clone();
        if std == Std::FromSource {
            cargo.args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"]);
            cargo.env("RUSTC_BOOTSTRAP", "1");
            flags.extend(IMMEDIATE_ABORT.map(str::to_owned));
            target.push("small");
        }
        cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        run(cargo)?;
        let library = package.replace('-', "_");
        let built = target.join(TARGET).join(format!("component/{library}.wasm"));
        let kept = self.target.join(format!("{package}.wasm"));
        let size = keep(&built, &kept).map_err(|error| {
            Error::own(format!("copying {} to {}: {error}", built.display(), kept.display()))
        })?;
        say(&format!("{} ({} KB)", kept.display(), size.div_ceil(1000)));
        Ok(())
    }

    /// Paths of this machine end up in the messages of panics. Without them two machines build the
    /// same file, and it tells nothing about either.
    fn flags(&self) -> Vec<String> {
        let home = env::var("HOME").or_else(|_| env::var("USERPROFILE")).unwrap_or_default();
        let cargo_home = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
        let mut flags: Vec<String> = match (env::var("CARGO_ENCODED_RUSTFLAGS"), env::var("RUSTFLAGS")) {
            (Ok(encoded), _) => encoded.split('\u{1f}').map(str::to_owned).collect(),
            (Err(_), Ok(flags)) => flags.split_whitespace().map(str::to_owned).collect(),
            (Err(_), Err(_)) => Vec::new(),
        };
        flags.retain(|flag| !flag.is_empty());
        flags.push(format!("--remap-path-prefix={cargo_home}=/cargo"));
        flags.push(format!("--remap-path-prefix={}=/gcf-connector", self.root.display()));
        flags
    }

    fn gcf(&self, command: Option<&str>, arguments: &[OsString]) -> Result<(), Error> {
        self.build()?;
        say("building gcf");
        // Unoptimised, of what the tests are built of, too: an optimised wasmtime takes minutes longer, and is
        // no quicker to look at.
        run(self.cargo(["build", "--package", "gcf-host", "--bin", "gcf"]))?;
        // Not `cargo run` at the root: paths in the arguments are meant from where the person stands.
        let mut gcf = Command::new(self.target.join("debug").join(format!("gcf{}", env::consts::EXE_SUFFIX)));
        gcf.args(command).args(arguments);
        run(gcf)
    }

    fn test(&self, arguments: &[OsString]) -> Result<(), Error> {
        self.build()?;
        say("building the guest of the tests");
        self.component(HOSTILE_GUEST, Std::AsInstalled)?;
        say("running the tests");
        let mut cargo =
            self.cargo(["test", "--workspace", "--exclude", CONNECTOR, "--exclude", HOSTILE_GUEST]);
        cargo.args(arguments);
        run(cargo)
    }

    /// A `cargo` at the root, of the toolchain that runs this program.
    fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).args(arguments);
        cargo
    }
}

/// The standard library in a component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Std {
    /// As it came with the compiler.
    AsInstalled,
    /// Built with the component, so that a panic stops it without the code that would describe the panic.
    FromSource,
}

/// Builds the standard library along, where this toolchain can: see docs/decisions/0011.
fn std_from_source() -> Std {
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

/// Whether the compiler takes these flags.
fn takes(flags: &[&str]) -> bool {
    let mut rustc = rustc();
    rustc.env("RUSTC_BOOTSTRAP", "1").args(flags).args(["--print", "cfg", "--target", TARGET]);
    rustc.output().is_ok_and(|printed| printed.status.success())
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Installs the compilation target, unless it is there.
fn ensure_target() -> Result<(), Error> {
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

fn run(mut command: Command) -> Result<(), Error> {
    let name = command.get_program().to_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Child(status)),
        Err(error) => Err(Error::own(format!("cannot start {}: {error}", name.display()))),
    }
}

fn say(line: &str) {
    eprintln!("xtask: {line}");
}

enum Error {
    /// A program that was started failed, and has said why.
    Child(ExitStatus),
    /// What this program has to say itself.
    Own(String),
}

impl Error {
    fn own(message: impl fmt::Display) -> Self {
        Self::Own(message.to_string())
    }
}
