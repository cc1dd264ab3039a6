//! The conformance component in a host that others wrote: a command, which calls an export of a component and prints what
//! it returned. Each step is a process.
//!
//! Calls and answers are in WAVE, the notation of values that `wasmtime run --invoke` has.
//! <https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave>

use std::{env, process::Command, time::Duration};

use crate::conformance::{Guest, Host, Outcome};

/// A command that takes a call as its last argument but for what `after` says.
#[derive(Clone)]
pub(crate) struct Foreign {
    program: String,
    before: Vec<String>,
    after: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Foreign {
    /// `wasmtime run`, with what the component's environment says, and a folder for `/store` perhaps.
    pub(crate) fn wasmtime(composed: &str, settings: &[(&str, &str)], folder: Option<&str>) -> Self {
        let mut before = ["run", "-S", "http"].map(str::to_owned).to_vec();
        before.extend(folder.map(|folder| format!("--dir={folder}::/store")));
        before.extend(settings.iter().map(|(name, value)| format!("--env={name}={value}")));
        before.push("--invoke".to_owned());
        let program = env::var("GCF_WASMTIME").expect("tests/stores/run.sh says where wasmtime is");
        let component = crate::component(composed).to_str().unwrap().to_owned();
        Self { program, before, after: vec![component], environment: Vec::new() }
    }

    /// Node, with the component as jco has made it JavaScript.
    pub(crate) fn jco(composed: &str, settings: &[(&str, &str)]) -> Self {
        let modules = env::var("GCF_JCO").expect("tests/stores/run.sh says where jco has put its modules");
        let steps = concat!(env!("CARGO_MANIFEST_DIR"), "/steps.mjs");
        let before = [steps.to_owned(), format!("{modules}/{composed}.js")].to_vec();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = settings.iter().map(owned).collect();
        Self { program: "node".to_owned(), before, after: Vec::new(), environment }
    }

    /// Calls an export, and returns what is in its answer.
    fn call(&self, call: &str) -> Outcome<String> {
        let mut command = Command::new(&self.program);
        command.args(&self.before).arg(call).args(&self.after);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{call}: {said}{}", String::from_utf8_lossy(&output.stderr));
        match (said.trim(), said.trim().split_once('(')) {
            ("ok", _) => Ok(String::new()),
            (_, Some(("ok", inner))) => Ok(inner.strip_suffix(')').unwrap().to_owned()),
            (said, _) => Err(said.to_owned()),
        }
    }

    fn number(&self, call: &str) -> Outcome<u32> {
        self.call(call).map(|number| number.parse().unwrap())
    }

    fn done(&self, call: &str) -> Outcome {
        self.call(call).map(|nothing| assert_eq!(nothing, ""))
    }
}

impl Host for Foreign {
    fn start(&self) -> Box<dyn Guest + '_> {
        Box::new(self.clone())
    }
}

impl Guest for Foreign {
    fn one_caller(&mut self) -> Outcome {
        self.done("one-caller()")
    }

    fn leave(&mut self) -> Outcome {
        self.done("leave()")
    }

    fn find(&mut self) -> Outcome {
        self.done("find()")
    }

    fn clear(&mut self) -> Outcome {
        self.done("clear()")
    }

    fn count(&mut self, times: u32) -> Outcome<u32> {
        self.number(&format!("count({times})"))
    }

    fn counted(&mut self) -> Outcome<u32> {
        self.number("counted()")
    }

    fn lease(&mut self, name: &str, ttl: Duration) -> Outcome<Option<String>> {
        let answer = self.call(&format!("lease({name:?}, {})", ttl.as_millis()))?;
        let token = answer.strip_prefix("some(\"").map(|rest| rest.strip_suffix("\")").unwrap().to_owned());
        assert!(token.is_some() || answer == "none", "{answer}");
        Ok(token)
    }

    fn release(&mut self, name: &str, token: &str) -> Outcome {
        self.done(&format!("release({name:?}, {token:?})"))
    }

    fn unavailable(&mut self) -> Outcome {
        self.done("unavailable()")
    }
}
