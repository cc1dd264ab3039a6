//! The conformance of secret stores, as a component: `wit/world.wit` beside it says in which steps. It asks the store
//! that it is composed with, or that its host has, and knows nothing else of either. `tests/stores` has hosts do the steps.
#![cfg(target_family = "wasm")]

mod one_caller;
mod several;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "gcf:store-conformance/conformance",
        generate_all,
    });
}

use std::fmt::Debug;

use bindings::{Guest, gcf::connector::secret_store::StoreError};

struct Conformance;

impl Guest for Conformance {
    fn one_caller() -> Outcome {
        one_caller::check()
    }

    fn leave() -> Outcome {
        several::leave()
    }

    fn find() -> Outcome {
        several::find()
    }

    fn clear() -> Outcome {
        several::clear()
    }

    fn count(times: u32) -> Outcome<u32> {
        several::count(times)
    }

    fn counted() -> Outcome<u32> {
        several::counted()
    }

    fn lease(name: String, ttl_ms: u64) -> Outcome<Option<String>> {
        several::lease(&name, ttl_ms)
    }

    fn release(name: String, token: String) -> Outcome {
        several::release(&name, &token)
    }

    fn unavailable() -> Outcome {
        several::unavailable()
    }
}

#[expect(unsafe_code, reason = "generated")]
mod exported {
    use super::{Conformance, bindings};

    bindings::export!(Conformance with_types_in bindings);
}

/// The finding of a step, or the words for what was wrong.
type Outcome<T = ()> = Result<T, String>;

/// Takes an answer that has to be one.
fn done<T>(answer: Result<T, StoreError>, what: &str) -> Outcome<T> {
    answer.map_err(|error| format!("{what}: {error:?}"))
}

/// Finds that two things are the same.
fn same<T: PartialEq + Debug>(found: T, expected: T, what: &str) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, and not {expected:?}")) }
}

/// Finds that a condition does not hold, and was told so.
fn mismatch<T: Debug>(answer: Result<T, StoreError>, what: &str) -> Outcome {
    match answer {
        Err(StoreError::VersionMismatch) => Ok(()),
        other => Err(format!("{what}: {other:?}, and no mismatch")),
    }
}
