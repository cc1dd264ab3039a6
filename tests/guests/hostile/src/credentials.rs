//! Credentials where none belong.

use crate::{
    bindings::{gcf::connector::types::Error, wasi::http::types::Fields},
    error,
    requests::send_to,
};

/// Sends a request with one header, given as `NAME: VALUE`.
pub(crate) fn send(host: &str, header: &str) -> Result<(), Error> {
    let (name, value) = header.split_once(": ").ok_or_else(|| error("not a header"))?;
    let headers = Fields::from_list(&[(name.to_owned(), value.as_bytes().to_vec())])
        .map_err(|refused| error(format!("no header: {refused:?}")))?;
    send_to(host, headers).map_err(|code| error(format!("{code:?}")))
}
