//! For tests: a component that stands between the connector and its host, and sends every request to one origin on
//! loopback. The first part of the path says where the request was meant to go, so that one server there plays all of
//! Google. With it, any host that knows nothing of this project is tested without a network.
#![cfg(target_os = "wasi")]

use self::bindings::{
    exports::wasi::http::outgoing_handler::Guest,
    wasi::{
        cli::environment::get_environment,
        http::{
            outgoing_handler,
            types::{ErrorCode, FutureIncomingResponse, OutgoingRequest, RequestOptions, Scheme},
        },
    },
};

/// The Rust that wit-bindgen makes of `wit/deps`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package gcf:reroute;
            world reroute {
                import wasi:cli/environment@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                export wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "gcf:reroute/reroute",
        generate_all,
    });

    use super::Reroute;
    export!(Reroute);
}

/// The variable with the authority that everything goes to, such as `127.0.0.1:8080`.
const TO: &str = "GCF_REROUTE_TO";

struct Reroute;

impl Guest for Reroute {
    fn handle(
        request: OutgoingRequest,
        options: Option<RequestOptions>,
    ) -> Result<FutureIncomingResponse, ErrorCode> {
        let to = get_environment().into_iter().find(|(name, _)| name == TO).map(|(_, to)| to);
        let to = to.ok_or(ErrorCode::DestinationNotFound)?;
        let meant = request.authority().ok_or(ErrorCode::HttpRequestUriInvalid)?;
        let path = format!("/{meant}{}", request.path_with_query().unwrap_or_default());
        request
            .set_scheme(Some(&Scheme::Http))
            .and_then(|()| request.set_authority(Some(&to)))
            .and_then(|()| request.set_path_with_query(Some(&path)))
            .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
        outgoing_handler::handle(request, options)
    }
}
