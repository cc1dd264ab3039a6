//! Misuse of the secret store.

use std::hint::black_box;

use crate::bindings::gcf::connector::secret_store::{self, SignatureAlgorithm};

/// Takes everything that the store lets it have.
pub(crate) fn pry(misdeed: &str, key: &str) -> String {
    match misdeed {
        "sign" => format!("{:?}", secret_store::sign(key, SignatureAlgorithm::Rs256, b"message")),
        "keys" => format!("{:?}", secret_store::keys(key)),
        "read" => format!("{:?}", secret_store::get(key)),
        _ => {
            let entry = black_box(secret_store::get(key));
            panic!("{entry:?}");
        }
    }
}
