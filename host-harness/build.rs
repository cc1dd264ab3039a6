//! Facts for `gcf --version`: the engine's version, and the commit of a release. The names of the contract's cases.

#[path = "build/words.rs"]
mod words;

use std::{env, fs, path::Path, process::Command};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for path in ["build.rs", "build"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let wit = root.join("wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut contract = wit_parser::Resolve::default();
    let (package, _) =
        contract.push_path(&wit).unwrap_or_else(|error| panic!("{}: {error:?}", wit.display()));
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("words.rs"), words::make(&contract, package))
        .expect("OUT_DIR can be written");

    println!("cargo::rerun-if-changed={}", root.join("Cargo.lock").display());
    let engine = fs::read_to_string(root.join("Cargo.lock")).ok().and_then(|lock| version(&lock, "wasmtime"));
    println!("cargo::rustc-env=GCF_ENGINE={}", engine.as_deref().unwrap_or("unknown"));

    println!("cargo::rerun-if-env-changed=GCF_COMMIT");
    println!("cargo::rustc-env=GCF_COMMIT={}", commit(&root).as_deref().unwrap_or("unknown"));
}

/// The version of a package that is locked.
fn version(lock: &str, package: &str) -> Option<String> {
    let begins = format!("name = \"{package}\"\n");
    let rest = lock.split("[[package]]\n").find_map(|entry| entry.strip_prefix(&begins))?;
    Some(rest.lines().next()?.strip_prefix("version = \"")?.trim_end_matches('"').to_owned())
}

/// The commit that `GCF_COMMIT` names, or git's. A build for development does not ask git: it would begin
/// anew at each commit.
fn commit(root: &Path) -> Option<String> {
    if let Some(commit) = env::var("GCF_COMMIT").ok().filter(|commit| !commit.is_empty()) {
        return Some(commit);
    }
    if env::var("PROFILE").ok()? != "release" {
        return Some("of a development build".to_owned());
    }
    let ask = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    if let Some(log) = ask(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    ask(&["rev-parse", "--short=12", "HEAD"])
}
