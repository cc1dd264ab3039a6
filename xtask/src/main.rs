//! `cargo xtask`: the commands of this repository that need more than one step.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command talks to the person who started it"
)]

mod component;
mod fronts;
mod keep;
mod pictures;

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, ExitCode},
};

use component::{CONNECTOR, Error, Std, Workspace, run, say};

const HELP: &str = "\
cargo xtask COMMAND

  build          builds the component to target/gcf-connector.wasm
  demo [ARGS]    builds it, then runs `gcf demo` on responses from a tape
  gcf -- ARGS    builds it, then runs any gcf command
  test [ARGS]    builds it and the guest of the tests, then runs every test;
                 ARGS go to `cargo test`
  stores         builds the stores for other hosts, to target/gcf-store-*.wasm
  conformance    builds the stores, and composes each with what stores have to
                 pass, to target/gcf-conformance-*.wasm
  fronts         builds the fronts, for hosts that nobody here wrote, to
                 target/gcf-front-http.wasm and the like; --test tests them
  compose ARGS   builds the component, then makes one file of several:
                 [--front FILE] [--store FILE] --out FILE
  bench [ARGS]   builds gcf and the bench, optimised (some twenty minutes on
                 two cores, once), and measures; `bench --help`
  pictures       makes docs/pictures from sandbox.txt and `gcf demo`;
                 --check fails if a file would change, --gcf PATH runs that gcf
  help           prints this

CARGO_TARGET_DIR is honoured. The target wasm32-wasip2 is installed through rustup if it is missing.";

/// The component that the host's limits are tested against.
const HOSTILE_GUEST: &str = "gcf-hostile-guest";

/// The stores for hosts that have none.
const STORES: [&str; 3] = ["gcf-store-etcd", "gcf-store-files", "gcf-store-vault"];

/// The component that stores have to pass.
const CONFORMANCE: &str = "gcf-store-conformance";

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
        Some("stores") => Workspace::find().and_then(|workspace| workspace.stores()),
        Some("conformance") => Workspace::find().and_then(|workspace| workspace.conformance()),
        Some("fronts") => Workspace::find().and_then(|workspace| workspace.fronts(&rest)),
        Some("compose") => Workspace::find().and_then(|workspace| workspace.compose(&rest)),
        Some("bench") => Workspace::find().and_then(|workspace| workspace.bench(&rest)),
        Some("pictures") => Workspace::find().and_then(|workspace| pictures::make(&workspace, &rest)),
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
        say("building the component");
        self.connector(&self.target.join(format!("{CONNECTOR}.wasm")))
    }

    fn stores(&self) -> Result<(), Error> {
        for store in STORES {
            say(&format!("building {store}"));
            self.small_component(store, &self.target.join(format!("{store}.wasm")))?;
        }
        Ok(())
    }

    fn conformance(&self) -> Result<(), Error> {
        self.stores()?;
        say(&format!("building {CONFORMANCE}"));
        let guest = self.target.join(format!("{CONFORMANCE}.wasm"));
        self.component(CONFORMANCE, Std::AsInstalled, &guest)?;
        for store in STORES {
            let composed = format!("{}.wasm", store.replace("store", "conformance"));
            let store = self.target.join(format!("{store}.wasm"));
            self.compose_with(
                &guest,
                &["--store".into(), store, "--out".into(), self.target.join(composed)],
            )?;
        }
        Ok(())
    }

    fn gcf(&self, command: Option<&str>, arguments: &[OsString]) -> Result<(), Error> {
        self.build()?;
        say("building gcf");
        // Unoptimised, and of the same parts as the tests: an optimised wasmtime takes minutes longer, and is
        // no quicker to look at.
        let mut cargo = self.cargo(["build", "--bin", "gcf"]);
        cargo.args(NATIVE);
        run(cargo)?;
        // Not `cargo run` at the root: paths in the arguments are meant from where the person stands.
        let mut gcf = Command::new(self.target.join("debug").join(format!("gcf{}", env::consts::EXE_SUFFIX)));
        gcf.args(command).args(arguments);
        run(gcf)
    }

    /// Both in a folder of their own: another set of features would have the next build begin anew.
    fn bench(&self, arguments: &[OsString]) -> Result<(), Error> {
        say("building gcf, optimised: some twenty minutes on two cores with the bench, once");
        let target = self.target.join("bench");
        let mut cargo = self.cargo(["build", "--release", "--package", "gcf-host", "--bin", "gcf"]);
        cargo.arg("--target-dir").arg(&target);
        run(cargo)?;
        say("building the bench");
        let mut cargo = self.cargo(["build", "--release", "--manifest-path", "bench/Cargo.toml"]);
        cargo.arg("--target-dir").arg(&target);
        run(cargo)?;
        say("measuring");
        let program = |name: &str| target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX));
        let mut bench = Command::new(program("gcf-bench"));
        bench.env("GCF", program("gcf")).args(arguments);
        run(bench)
    }

    fn test(&self, arguments: &[OsString]) -> Result<(), Error> {
        self.build()?;
        say("building the guest of the tests");
        let guest = self.target.join(format!("{HOSTILE_GUEST}.wasm"));
        self.component(HOSTILE_GUEST, Std::AsInstalled, &guest)?;
        say("running the tests");
        let mut cargo = self.cargo(["test"]);
        cargo.args(NATIVE).args(arguments);
        run(cargo)
    }
}

/// All packages but those that are components. Any command that builds them gives their dependencies the same
/// features, so that these are built once.
const NATIVE: [&str; 5] = ["--workspace", "--exclude", CONNECTOR, "--exclude", HOSTILE_GUEST];
