//! Compiles the connector to machine code.

#[path = "../../host-harness/src/sandbox/engine/settings.rs"]
mod settings;

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../host-harness/src/sandbox/engine/settings.rs");
    let target = env::var("TARGET")?;
    // For another system, it is compiled there: this one need not know how.
    let code = if target == env::var("HOST")? { compile(&target)? } else { Vec::new() };
    let file = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("connector.cwasm");
    fs::write(&file, code)?;
    println!("cargo::rustc-env=GCF_PRECOMPILED={}", file.display());
    println!("cargo::rustc-env=GCF_PRECOMPILED_OF={}", gcf_embedded::SHA256);
    Ok(())
}

/// Compiles for every machine of the system, without the extras of this machine's processor.
fn compile(target: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut config = settings::settings();
    config.target(target)?;
    let engine = wasmtime::Engine::new(&config)?;
    Ok(engine.precompile_component(gcf_embedded::CONNECTOR)?)
}
