//! The fronts, and what is composed of them: a workspace of its own, in `fronts/`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::component::{CONNECTOR, Error, Std, Workspace, ensure_target, run, say, std_from_source};

/// The manifest of the workspace, from the root.
const MANIFEST: &str = "fronts/Cargo.toml";

/// The components of the workspace, and whether their standard library is built along, as the connector's is.
const COMPONENTS: [(&str, bool); 6] = [
    ("gcf-front-command", true),
    ("gcf-front-http", true),
    ("gcf-front-mcp", true),
    ("gcf-front-messages", true),
    ("gcf-relay", false),
    ("gcf-reroute", false),
];

const STORE: &str = "gcf-store-files";

impl Workspace {
    /// Builds the components of the workspace, and with `--test` has them tested.
    pub(crate) fn fronts(&self, arguments: &[OsString]) -> Result<(), Error> {
        match arguments {
            [] => self.build_fronts(),
            [test] if test == "--test" => self.build_fronts().and_then(|()| self.test_fronts()),
            _ => Err(Error::own("fronts takes --test, or nothing")),
        }
    }

    fn build_fronts(&self) -> Result<(), Error> {
        ensure_target()?;
        for (package, along) in COMPONENTS {
            say(&format!("building {package}"));
            let std = if along { std_from_source() } else { Std::AsInstalled };
            let kept = self.target.join(format!("{package}.wasm"));
            self.component_of(Path::new(MANIFEST), package, std, &kept)?;
        }
        Ok(())
    }

    /// Runs the native tests of the workspace.
    fn test_fronts(&self) -> Result<(), Error> {
        // They leave the calls that the conversions are held against.
        self.test(&["--lib", "--", "schemas"].map(OsString::from))?;
        // The store that tests compose.
        self.small_component(STORE, &self.target.join(format!("{STORE}.wasm")))?;
        say("testing the fronts");
        let mut cargo = self.cargo(["test", "--locked", "--workspace", "--manifest-path", MANIFEST]);
        cargo.env("CARGO_TARGET_DIR", self.target.join("fronts")).env("GCF_TARGET", &self.target);
        run(cargo)
    }

    /// Composes the connector with what the arguments name.
    pub(crate) fn compose(&self, arguments: &[OsString]) -> Result<(), Error> {
        let connector = self.target.join(format!("{CONNECTOR}.wasm"));
        say("building the component");
        self.connector(&connector)?;
        // Paths in the arguments are meant from where the person stands.
        let absolute = |argument: &OsString| {
            let is_option = argument.to_str().is_some_and(|text| text.starts_with("--"));
            if is_option { Ok(PathBuf::from(argument)) } else { std::path::absolute(argument) }
        };
        let arguments: Vec<_> =
            arguments.iter().map(absolute).collect::<Result<_, _>>().map_err(Error::own)?;
        self.compose_with(&connector, &arguments)
    }

    /// Composes a component, in the connector's place, with what the arguments name.
    pub(crate) fn compose_with(&self, component: &Path, arguments: &[PathBuf]) -> Result<(), Error> {
        let mut cargo = self.cargo(["run", "--quiet", "--locked", "--package", "gcf-compose"]);
        cargo.env("CARGO_TARGET_DIR", self.target.join("fronts"));
        cargo.args(["--manifest-path", MANIFEST, "--", "--connector"]).arg(component).args(arguments);
        run(cargo)
    }
}
