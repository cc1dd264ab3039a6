//! The ground floor: nothing here knows more of Google than the names of what is sent to it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`error`] | the one error, its kinds, and how the text of others gets into it |
//! | [`secret`] | values that cannot be printed |
//! | [`ports`] | the world: HTTP, clocks, randomness, the secret store |
//! | [`http`], `gzip`, [`content`] | requests and responses as values, bodies unpacked and told apart |
//! | [`purpose`] | the purpose of a request |
//! | [`retry`] | what may be repeated, and after how long |
//! | `json`, `dates`, `unseen` | readers of text: JSON, HTTP dates, characters that nobody sees |
//! | `digest` | names made of a digest |
//! | `join`, `sorted` | futures side by side, lists in order |

pub mod content;
pub(crate) mod dates;
pub(crate) mod digest;
pub mod error;
pub(crate) mod gzip;
pub mod http;
pub(crate) mod join;
pub(crate) mod json;
pub(crate) mod near;
pub mod ports;
pub mod purpose;
pub mod retry;
pub mod secret;
pub(crate) mod sorted;
pub(crate) mod unseen;
