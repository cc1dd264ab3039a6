//! etcd's JSON gateway: its requests and answers.
//!
//! Bytes are in Base64, 64-bit numbers are strings, and what is zero or empty is left out. Revisions and the IDs of leases
//! are `int64`, and those of entries and leases of ours are positive.
//! <https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/>,
//! <https://github.com/etcd-io/etcd/blob/main/api/etcdserverpb/rpc.proto>

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_store::{
    contract::{Result, StoreError},
    http::{Method, Origin, Request, Response},
    name,
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A key and its value, as etcd has them.
#[derive(Deserialize)]
pub(crate) struct KeyValue {
    #[serde(deserialize_with = "base64")]
    pub(crate) key: Vec<u8>,
    #[serde(default, deserialize_with = "base64")]
    pub(crate) value: Vec<u8>,
    #[serde(deserialize_with = "number")]
    pub(crate) mod_revision: i64,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    #[serde(deserialize_with = "number")]
    pub(crate) revision: i64,
}

/// The answer to `range`.
#[derive(Deserialize)]
pub(crate) struct Range {
    pub(crate) header: Header,
    #[serde(default)]
    pub(crate) kvs: Vec<KeyValue>,
    #[serde(default)]
    pub(crate) more: bool,
}

/// The answer to `txn`.
#[derive(Deserialize)]
pub(crate) struct Txn {
    pub(crate) header: Header,
    #[serde(default)]
    pub(crate) succeeded: bool,
}

/// The answer to `lease/grant`.
#[derive(Deserialize)]
pub(crate) struct Granted {
    #[serde(rename = "ID", deserialize_with = "number")]
    pub(crate) id: i64,
}

/// The answer to `auth/authenticate`.
#[derive(Deserialize)]
pub(crate) struct Authenticated {
    pub(crate) token: String,
}

/// The condition of a transaction.
pub(crate) enum Compare<'a> {
    /// The key was last written by this revision.
    Modified(&'a [u8], i64),
    /// The key does not exist.
    Absent(&'a [u8]),
    /// The key is bound to this lease.
    Leased(&'a [u8], i64),
}

impl Compare<'_> {
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Modified(key, revision) => json!({
                "key": encode(key), "target": "MOD", "result": "EQUAL", "modRevision": revision.to_string(),
            }),
            Self::Absent(key) => json!({
                "key": encode(key), "target": "CREATE", "result": "EQUAL", "createRevision": "0",
            }),
            Self::Leased(key, lease) => json!({
                "key": encode(key), "target": "LEASE", "result": "EQUAL", "lease": lease.to_string(),
            }),
        }
    }
}

/// A request to the gateway.
pub(crate) fn request(
    origin: &Origin,
    path: &str,
    token: Option<&str>,
    body: &impl Serialize,
    max: usize,
) -> Request {
    Request {
        method: Method::Post,
        origin: origin.clone(),
        path: path.to_owned(),
        headers: token.map(|token| ("authorization", token.to_owned())).into_iter().collect(),
        body: serde_json::to_vec(body).unwrap_or_default(),
        max_response: max,
    }
}

/// Reads an answer.
///
/// # Errors
/// As the contract has it; nothing that etcd said is repeated.
pub(crate) fn read<T: DeserializeOwned>(response: &Response) -> Result<T> {
    match response.status {
        200 => serde_json::from_slice(&response.body).map_err(|_| {
            StoreError::other("etcd's answer cannot be read: is it etcd, with its JSON gateway?")
        }),
        401 | 403 => Err(StoreError::other("etcd does not accept the credential, or it may not do this")),
        404 => Err(StoreError::other("etcd has no JSON gateway at this URL")),
        status @ (408 | 429 | 500..=599) => Err(StoreError::unavailable(format!("etcd answered {status}"))),
        status if code(response).is_some() => Err(StoreError::other(format!("etcd answered {status}"))),
        status => Err(StoreError::other(format!(
            "the answer was {status}, and none of etcd's JSON gateway: check GCF_ETCD_URL, first of all http or https"
        ))),
    }
}

/// Tells whether a refusal may mean that a token is no longer good. The codes are those of gRPC: UNAUTHENTICATED, for one
/// that has expired or is unknown; and INVALID_ARGUMENT, for one from before users or roles were changed, but also for
/// others. <https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go>
pub(crate) fn is_stale_token(response: &Response) -> bool {
    response.status == 401 || matches!(code(response), Some(INVALID_ARGUMENT | UNAUTHENTICATED))
}

/// Reads the answer to a user and a password. INVALID_ARGUMENT is etcd's answer to a wrong one, and FAILED_PRECONDITION
/// to any where its authentication is off, for which its gateways have two statuses.
/// <https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go>
///
/// # Errors
/// As [`read`].
pub(crate) fn authenticated(response: &Response) -> Result<Authenticated> {
    match (response.status, code(response)) {
        (400, Some(INVALID_ARGUMENT)) => Err(StoreError::other(
            "etcd does not accept the user and the password: correct GCF_ETCD_USER or GCF_ETCD_PASSWORD",
        )),
        (400 | 412, Some(FAILED_PRECONDITION)) => Err(StoreError::other(
            "etcd does not let the user of GCF_ETCD_USER sign in: is its authentication on? \
             If not, leave user and password out",
        )),
        _ => read(response),
    }
}

/// The code of gRPC in a refusal, if it has one.
fn code(response: &Response) -> Option<u32> {
    #[derive(Deserialize)]
    struct Refusal {
        code: u32,
    }
    if response.status == 200 {
        return None;
    }
    serde_json::from_slice(&response.body).ok().map(|Refusal { code }| code)
}

const INVALID_ARGUMENT: u32 = 3;
const FAILED_PRECONDITION: u32 = 9;
const UNAUTHENTICATED: u32 = 16;

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The end of the range of all keys that begin with a prefix.
pub(crate) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    // A prefix is ASCII, so there always is a next byte.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(|_| serde::de::Error::custom("not Base64"))
}

/// A positive number, as a string or as it is: versions of the gateway differ.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Text(String),
        Plain(u64),
    }
    let number = match Number::deserialize(deserializer)? {
        Number::Text(text) => positive(&text),
        Number::Plain(number) => i64::try_from(number).ok().filter(|number| *number > 0),
    };
    number.ok_or_else(|| serde::de::Error::custom("neither a revision nor the ID of a lease"))
}

/// The revision or the ID of a lease that a text is. No other number is one of etcd's.
pub(crate) fn positive(text: &str) -> Option<i64> {
    name::number(text).and_then(|number| number.try_into().ok())
}
