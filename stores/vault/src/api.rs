//! The server's API: what of its answers is read.
//!
//! <https://openbao.org/api-docs/secret/kv/kv-v2/>, <https://openbao.org/api-docs/secret/transit/>

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_store::{
    contract::{Result, StoreError},
    http::Response,
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// The wrapping of every answer.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

/// A secret as KV reads it.
#[derive(Deserialize)]
pub(crate) struct Secret {
    /// Absent from a version that was deleted.
    pub(crate) data: Option<Kept>,
    pub(crate) metadata: Metadata,
}

/// The version of a secret, as KV reads and writes it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) version: u64,
}

/// The content of a secret of ours: a value, a lease, or nothing once it is deleted.
#[derive(Deserialize, Serialize)]
pub(crate) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Fields that somebody else has written.
    #[serde(flatten, skip_serializing)]
    pub(crate) others: BTreeMap<String, IgnoredAny>,
}

/// A request to write.
#[derive(Serialize)]
pub(crate) struct Write {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Options>,
    pub(crate) data: Kept,
}

#[derive(Serialize)]
pub(crate) struct Options {
    pub(crate) cas: u64,
}

#[derive(Deserialize)]
pub(crate) struct Names {
    pub(crate) keys: Vec<String>,
}

#[derive(Deserialize)]
struct Signature {
    signature: String,
}

/// Reads the part of an answer that is about what was asked for.
///
/// # Errors
/// As the contract has it; nothing that the server said is repeated.
pub(crate) fn read<T: DeserializeOwned>(response: &Response) -> Result<T> {
    if response.status != 200 {
        return Err(refused(response.status));
    }
    data(response).ok_or_else(|| StoreError::other("the server's answer cannot be read: is it KV version 2?"))
}

/// The part of an answer under `data`, whatever its status.
pub(crate) fn data<T: DeserializeOwned>(response: &Response) -> Option<T> {
    serde_json::from_slice::<Answer<T>>(&response.body).ok().map(|answer| answer.data)
}

/// Tells whether an answer says that nothing is there: 404, and no error. Where nothing is mounted, and where something in
/// between answers, there is one, or something else.
pub(crate) fn is_nothing(response: &Response) -> bool {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {
        errors: [(); 0],
    }
    response.status == 404 && serde_json::from_slice(&response.body).is_ok_and(|Nothing { errors: [] }| true)
}

/// The meaning of a status, for all requests alike: <https://openbao.org/api-docs/#http-status-codes>.
pub(crate) fn refused(status: u16) -> StoreError {
    match status {
        403 => StoreError::other("the server does not accept the token, or its policy does not allow this"),
        404 => StoreError::other("nothing is mounted there, or it is something else"),
        408 | 412 | 429 | 472 | 473 | 500..=599 => {
            StoreError::unavailable(format!("the server answered {status}"))
        }
        status => StoreError::other(format!("the server answered {status}")),
    }
}

/// Reads a signature, which transit writes as `vault:v1:` and Base64.
pub(crate) fn signature(response: &Response) -> Result<Vec<u8>> {
    let Signature { signature } = read(response)?;
    let mut parts = signature.splitn(3, ':');
    let bytes = match (parts.next(), parts.next(), parts.next()) {
        (Some("vault"), Some(_version), Some(base64)) => STANDARD.decode(base64).ok(),
        (_, _, _) => None,
    };
    bytes.ok_or_else(|| StoreError::other("transit's signature cannot be read"))
}
