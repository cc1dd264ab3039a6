//! An action of the connector by its name, with JSON in and out: what every front does, whatever carries the JSON.
//!
//! The conversions are made from `wit/` while building, in the encoding that the catalog's schemas describe. The same
//! as `gcf_host::Host::call_by_name`, for hosts that nobody here wrote; a test compares the two.

pub mod beside;
mod call;
mod contract;
mod input;
mod read;
mod write;

pub use call::{Action, Answer, Failure, Given, action, describe, perform, shortened};
pub use contract::{ACTIONS, each};
pub use input::input;

/// The types that a front has to tell apart.
pub mod types {
    pub use crate::bindings::gcf::connector::types::{Error, ErrorKind, Origin};
}

/// The Rust that wit-bindgen makes of `wit/`.
#[expect(missing_docs, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package gcf:front;
            world front {
                import gcf:connector/connections@0.1.0;
                import gcf:connector/functions@0.1.0;
                import gcf:connector/api@0.1.0;
                import gcf:connector/planning@0.1.0;
                import gcf:connector/catalog@0.1.0;
            }
        ",
        world: "gcf:front/front",
        generate_all,
    });
}
