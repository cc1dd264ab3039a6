//! Builds the connector, or takes the file that `GCF_EMBED` names.
#![expect(clippy::print_stderr, reason = "a build script tells a person so what it waits for")]

#[path = "../../xtask/src/component.rs"]
#[expect(dead_code, reason = "shared with `cargo xtask`, which builds more")]
mod component;
#[path = "../../xtask/src/keep.rs"]
mod keep;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use component::{Error, Workspace};
use sha2::{Digest as _, Sha256};

/// The sources of the component, as paths from the root.
const SOURCES: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "component/Cargo.toml",
    "component/build.rs",
    "component/src",
    "component/catalog",
    "component/core",
    "component/no-js",
    "wit",
    "xtask/src/component.rs",
    "xtask/src/keep.rs",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Error::Own(message) = error {
                eprintln!("error: {message}");
            }
            eprintln!("hint: to take a component that is built already, name its file in GCF_EMBED");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .ok_or_else(|| Error::own("this package is not in its repository"))?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| Error::own("OUT_DIR is not set"))?);
    let kept = out.join("gcf-connector.wasm");
    println!("cargo::rerun-if-env-changed=GCF_EMBED");
    if let Some(file) = env::var_os("GCF_EMBED").filter(|file| !file.is_empty()).map(PathBuf::from) {
        println!("cargo::rerun-if-changed={}", file.display());
        fs::copy(&file, &kept)
            .map_err(|error| Error::own(format!("cannot take GCF_EMBED, {}: {error}", file.display())))?;
    } else {
        for source in SOURCES {
            println!("cargo::rerun-if-changed={}", root.join(source).display());
        }
        // Not this package's own folder: `cargo xtask` builds it in the same place, and only once for all
        // profiles.
        let target = out.ancestors().nth(4).unwrap_or(&out).to_owned();
        Workspace { root: root.to_owned(), target }.connector(&kept)?;
    }
    let bytes = fs::read(&kept).map_err(|error| Error::own(format!("{}: {error}", kept.display())))?;
    println!("cargo::rustc-env=GCF_EMBEDDED={}", kept.display());
    println!("cargo::rustc-env=GCF_EMBEDDED_SHA256={:x}", Sha256::digest(&bytes));
    Ok(())
}
