//! Facts of the demo about the sandbox that it ran in.

use gcf_host::Limits;
use serde_json::{Value, json};
use wasmparser::{Parser, Payload};

use crate::{context::Component, output::failure::Failure};

/// Facts about a component and its cage.
pub(crate) struct Sandbox {
    bytes: usize,
    sha256: String,
    /// Everything that the component can ever reach, read from its file.
    imports: Vec<String>,
    limits: Limits,
}

impl Sandbox {
    /// Of this component, under the default limits.
    pub(crate) fn of(component: &Component) -> Result<Self, Failure> {
        let bytes = component.bytes()?;
        let imports =
            imports(&bytes).map_err(|error| Failure::input(format!("cannot read {component}: {error}")))?;
        Ok(Self { bytes: bytes.len(), sha256: component.sha256()?, imports, limits: Limits::default() })
    }

    /// For people, a name and a sentence each.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let reach: Vec<&str> = self.imports.iter().map(|import| short(import)).collect();
        vec![
            ("component", format!("{} KB, sha256 {}", self.bytes.div_ceil(1000), &self.sha256[..16])),
            ("imports", format!("{}, and nothing else: {}", self.imports.len(), reach.join(", "))),
            ("granted", format!("no {}", self.absent().join(", no "))),
            (
                "each call",
                format!(
                    "a fresh instance, thrown away after; at most {} MiB of memory, {} s of CPU, {} requests",
                    self.limits.memory >> 20,
                    self.limits.cpu.as_secs_f64(),
                    self.limits.requests
                ),
            ),
        ]
    }

    /// For people, in one sentence.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "Each ran in a fresh sandbox: {} KB of WebAssembly, {} imports, no {}.",
            self.bytes.div_ceil(1000),
            self.imports.len(),
            self.absent().join(", no ")
        )
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "component-bytes": self.bytes,
            "component-sha256": self.sha256,
            "imports": self.imports,
            "limits": {
                "memory-bytes": self.limits.memory,
                "cpu-ms": u64::try_from(self.limits.cpu.as_millis()).unwrap_or(u64::MAX),
                "requests": self.limits.requests,
            },
        })
    }

    /// The access that other programs have and this one cannot even ask for.
    fn absent(&self) -> Vec<&'static str> {
        [
            ("wasi:filesystem/", "file system"),
            ("wasi:sockets/", "sockets"),
            ("wasi:cli/environment", "environment"),
            ("wasi:cli/stdin", "stdin"),
        ]
        .into_iter()
        .filter(|(import, _)| !self.imports.iter().any(|name| name.starts_with(import)))
        .map(|(_, what)| what)
        .collect()
    }
}

/// The names of what a component imports, in the order of the file.
fn imports(component: &[u8]) -> wasmparser::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if depth == 0
            && let Payload::ComponentImportSection(section) = &payload
        {
            for import in section.clone() {
                names.push(import?.name.name.to_owned());
            }
        }
        // Components hold modules and components, whose imports are their own affair.
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        }
    }
    Ok(names)
}

/// `wasi:http/types@0.2.12` without its version.
fn short(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(component (component) (import "wasi:io/error@0.2.12" (instance)))`
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\x04\x08\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a\x19\x01\0\x14wasi:io/error@0.2.12\x05\0";

    #[test]
    fn imports_are_read_from_the_file() {
        assert_eq!(imports(COMPONENT).unwrap(), ["wasi:io/error@0.2.12"]);
        assert!(imports(b"\0asm\x01").is_err());
    }

    #[test]
    fn what_is_imported_is_not_called_absent() {
        let mut sandbox = Sandbox {
            bytes: 1,
            sha256: "0".repeat(64),
            imports: vec!["wasi:io/error@0.2.12".to_owned()],
            limits: Limits::default(),
        };
        assert_eq!(sandbox.absent(), ["file system", "sockets", "environment", "stdin"]);
        sandbox.imports.push("wasi:filesystem/types@0.2.12".to_owned());
        assert_eq!(sandbox.absent(), ["sockets", "environment", "stdin"]);
    }
}
