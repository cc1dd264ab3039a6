//! The exported functions: convert, call the core, convert back.

use std::pin::pin;

use gcf_core::actions::{api, connections, functions, plan};

use crate::{
    bindings::{
        exports::gcf::connector::{
            api as wit_api, catalog as wit_catalog, connections as wit_connections,
            functions as wit_functions, planning as wit_planning,
        },
        gcf::connector::types::{Error, FunctionRef, GuardRails},
    },
    convert_in as read, convert_out as show,
    ports::LIVE,
    reactor::block_on,
};

/// The connector, which implements the world's exports.
pub(crate) struct Connector;

impl wit_connections::Guest for Connector {
    fn connect(
        request: wit_connections::ConnectRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_connections::Connected, Error> {
        block_on(pin!(connections::connect(&LIVE, read::connect_request(request), deadline_ms)))
            .map(show::connected)
            .map_err(show::error)
    }

    fn authorize(
        request: wit_connections::AuthorizeRequest,
    ) -> Result<wit_connections::Authorization, Error> {
        connections::authorize(&LIVE, read::authorize_request(request))
            .map(show::authorization)
            .map_err(show::error)
    }

    fn finish(
        authorization: String,
        callback_url: String,
        deadline_ms: Option<u32>,
    ) -> Result<wit_connections::Connected, Error> {
        block_on(pin!(connections::finish(&LIVE, &authorization, &callback_url, deadline_ms)))
            .map(show::connected)
            .map_err(show::error)
    }

    fn reauthorize(
        id: String,
        credential: wit_connections::Credential,
        subject_token: Option<String>,
        deadline_ms: Option<u32>,
    ) -> Result<wit_connections::Connected, Error> {
        let credential = read::credential(credential);
        block_on(pin!(connections::reauthorize(
            &LIVE,
            &id,
            credential,
            subject_token.as_deref(),
            deadline_ms
        )))
        .map(show::connected)
        .map_err(show::error)
    }

    fn rename(id: String, nickname: String) -> Result<wit_connections::Connected, Error> {
        connections::rename(&LIVE, &id, &nickname).map(show::connected).map_err(show::error)
    }

    fn restrict(id: String, guard_rails: Option<GuardRails>) -> Result<wit_connections::Connected, Error> {
        connections::restrict(&LIVE, &id, guard_rails.map(read::guard_rails))
            .map(show::connected)
            .map_err(show::error)
    }

    fn list() -> Result<Vec<wit_connections::Connection>, Error> {
        connections::list(&LIVE)
            .map(|list| list.into_iter().map(show::connection).collect())
            .map_err(show::error)
    }

    fn get(id: String) -> Result<wit_connections::Connection, Error> {
        connections::get(&LIVE, &id).map(show::connection).map_err(show::error)
    }

    fn check(
        id: String,
        function: Option<FunctionRef>,
        deadline_ms: Option<u32>,
    ) -> Result<Vec<wit_connections::Finding>, Error> {
        block_on(pin!(connections::check(&LIVE, &id, function.map(read::function_ref), deadline_ms)))
            .map(|findings| findings.into_iter().map(show::finding).collect())
            .map_err(show::error)
    }

    fn disconnect(id: String, deadline_ms: Option<u32>) -> Result<wit_connections::Disconnected, Error> {
        block_on(pin!(connections::disconnect(&LIVE, &id, deadline_ms)))
            .map(|warnings| wit_connections::Disconnected { warnings })
            .map_err(show::error)
    }
}

impl wit_functions::Guest for Connector {
    fn list(
        connection: String,
        request: wit_functions::ListRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_functions::FunctionList, Error> {
        block_on(pin!(functions::list::list(&LIVE, &connection, read::list_request(request), deadline_ms)))
            .map(show::function_list)
            .map_err(show::error)
    }

    fn get(
        connection: String,
        function: FunctionRef,
        deadline_ms: Option<u32>,
    ) -> Result<wit_functions::Function, Error> {
        block_on(pin!(functions::get::get(&LIVE, &connection, read::function_ref(function), deadline_ms)))
            .map(show::function)
            .map_err(show::error)
    }

    fn options(
        connection: String,
        request: wit_functions::OptionsRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_functions::OptionList, Error> {
        let request = read::options_request(request);
        block_on(pin!(functions::options::options(&LIVE, &connection, request, deadline_ms)))
            .map(show::option_list)
            .map_err(show::error)
    }

    fn invoke(
        connection: String,
        request: wit_functions::InvokeRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_functions::Invocation, Error> {
        block_on(pin!(functions::invoke::invoke(
            &LIVE,
            &connection,
            read::invoke_request(request),
            deadline_ms
        )))
        .map(show::invocation)
        .map_err(show::error)
    }
}

impl wit_api::Guest for Connector {
    fn custom_api(
        connection: String,
        request: wit_api::ApiRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_api::ApiResponse, Error> {
        block_on(pin!(api::custom_api(&LIVE, &connection, read::api_request(request), deadline_ms)))
            .map(show::api_response)
            .map_err(show::error)
    }

    fn all_pages(
        connection: String,
        request: wit_api::PagesRequest,
        deadline_ms: Option<u32>,
    ) -> Result<wit_api::ApiPages, Error> {
        block_on(pin!(api::all_pages(&LIVE, &connection, read::pages_request(request), deadline_ms)))
            .map(show::api_pages)
            .map_err(show::error)
    }
}

impl wit_planning::Guest for Connector {
    fn plan(
        connection: String,
        action: wit_planning::Action,
        deadline_ms: Option<u32>,
    ) -> Result<wit_planning::CallPlan, Error> {
        block_on(pin!(plan::plan(&LIVE, &connection, read::action(action), deadline_ms)))
            .map(show::plan)
            .map_err(show::error)
    }
}

impl wit_catalog::Guest for Connector {
    fn describe() -> String {
        gcf_catalog::describe()
    }
}
