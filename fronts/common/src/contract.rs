//! The code that the build makes of the contract.

use serde_json::{Map, Value};

use crate::{
    bindings::gcf::connector,
    call::{Action, Answer, Failure, Given},
    read::{self, At, Wrong},
    write,
};

/// Reads JSON as a type, and writes it again.
pub(crate) type Check = fn(&Value) -> Result<Value, Wrong>;

include!(concat!(env!("OUT_DIR"), "/conversions.rs"));
include!(concat!(env!("OUT_DIR"), "/actions.rs"));
