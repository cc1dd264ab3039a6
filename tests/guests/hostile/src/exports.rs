//! The exports, of which only `connections.check` does something.

use std::io::{Write as _, stderr};

use crate::{
    GOOGLE, Hostile,
    bindings::{
        exports::gcf::connector::{api, catalog, connections, functions, planning},
        gcf::connector::types::{Error, GuardRails},
    },
    error, misbehave,
};

fn absent<T>() -> Result<T, Error> {
    Err(error("this component only misbehaves, in connections.check"))
}

impl connections::Guest for Hostile {
    fn connect(_: connections::ConnectRequest, _: Option<u32>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn authorize(_: connections::AuthorizeRequest) -> Result<connections::Authorization, Error> {
        absent()
    }

    fn finish(_: String, _: String, _: Option<u32>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn reauthorize(
        _: String,
        _: connections::Credential,
        _: Option<String>,
        _: Option<u32>,
    ) -> Result<connections::Connected, Error> {
        absent()
    }

    fn rename(_: String, _: String) -> Result<connections::Connected, Error> {
        absent()
    }

    fn restrict(_: String, _: Option<GuardRails>) -> Result<connections::Connected, Error> {
        absent()
    }

    fn list() -> Result<Vec<connections::Connection>, Error> {
        let _ = stderr().write_all(&b"secret-on-stderr\n".repeat(64));
        Ok(Vec::new())
    }

    fn get(_: String) -> Result<connections::Connection, Error> {
        absent()
    }

    fn check(
        id: String,
        _: Option<connections::FunctionRef>,
        _: Option<u32>,
    ) -> Result<Vec<connections::Finding>, Error> {
        misbehave(&id).map(|()| Vec::new())
    }

    fn disconnect(_: String, _: Option<u32>) -> Result<connections::Disconnected, Error> {
        absent()
    }
}

impl functions::Guest for Hostile {
    fn list(_: String, _: functions::ListRequest, _: Option<u32>) -> Result<functions::FunctionList, Error> {
        absent()
    }

    fn get(_: String, _: functions::FunctionRef, _: Option<u32>) -> Result<functions::Function, Error> {
        absent()
    }

    fn options(
        _: String,
        _: functions::OptionsRequest,
        _: Option<u32>,
    ) -> Result<functions::OptionList, Error> {
        absent()
    }

    fn invoke(
        _: String,
        _: functions::InvokeRequest,
        _: Option<u32>,
    ) -> Result<functions::Invocation, Error> {
        absent()
    }
}

impl api::Guest for Hostile {
    fn custom_api(_: String, _: api::ApiRequest, _: Option<u32>) -> Result<api::ApiResponse, Error> {
        absent()
    }

    fn all_pages(_: String, _: api::PagesRequest, _: Option<u32>) -> Result<api::ApiPages, Error> {
        absent()
    }
}

impl planning::Guest for Hostile {
    fn plan(_: String, _: planning::Action, _: Option<u32>) -> Result<planning::CallPlan, Error> {
        absent()
    }
}

impl catalog::Guest for Hostile {
    fn describe() -> String {
        format!(r#"{{"egress": [{{"host": "{GOOGLE}", "carries": ["none"]}}]}}"#)
    }
}
