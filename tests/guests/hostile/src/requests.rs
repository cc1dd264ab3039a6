//! Requests that the guest sends.

use crate::{
    GOOGLE,
    bindings::{
        gcf::connector::types::Error,
        wasi::http::{
            outgoing_handler,
            types::{ErrorCode, Fields, OutgoingRequest, Scheme},
        },
    },
    error,
};

pub(crate) fn request(times: u32) -> Result<(), Error> {
    for number in 1..=times {
        send().map_err(|code| error(format!("request {number}: {code:?}")))?;
    }
    Ok(())
}

/// Sends one request without a credential, and waits for the head of its response.
fn send() -> Result<(), ErrorCode> {
    send_to(GOOGLE, Fields::new())
}

pub(crate) fn send_to(host: &str, headers: Fields) -> Result<(), ErrorCode> {
    let request = OutgoingRequest::new(headers);
    request.set_scheme(Some(&Scheme::Https)).expect("https is a scheme");
    request.set_authority(Some(host)).expect("the name of a host is an authority");
    request.set_path_with_query(Some("/")).expect("/ is a path");
    let response = outgoing_handler::handle(request, None)?;
    response.subscribe().block();
    let response = response.get().expect("the wait is over").expect("it is taken once");
    response.map(drop)
}
