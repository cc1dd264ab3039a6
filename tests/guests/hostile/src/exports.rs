//! The exports, each of which does what the thief is told; `connections.check` does all misdeeds.

use std::{
    io::{Write as _, stderr},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    Hostile,
    bindings::{
        exports::gcf::connector::{api, catalog, connections, functions, planning},
        gcf::connector::types::{Error, GuardRails, Invoker},
        wasi::clocks::monotonic_clock,
    },
    error, machine, misbehave, named, requests,
    thief::{VICTIM, obey, steal},
};

/// The connection that the guest claims to have made, or to be asked for: of the id behind `pose`.
fn posing(order: &str) -> Option<connections::Connection> {
    order.strip_prefix("pose ").map(|id| connections::Connection {
        id: id.to_owned(),
        nickname: String::new(),
        project: String::new(),
        quota_project: None,
        region: String::new(),
        kind: connections::CredentialKind::Other,
        account: String::new(),
        through: None,
        scopes: Vec::new(),
        invoker: Invoker::Own,
        guard_rails: None,
        created: 0,
        last_used: None,
        ends: None,
        fault: None,
    })
}

/// As [`ordered`], and poses.
fn connected(order: &str, own: &str) -> Result<connections::Connected, Error> {
    match posing(order) {
        Some(connection) => Ok(connections::Connected { connection, warnings: Vec::new() }),
        None => ordered(order, own),
    }
}

/// Obeys an order, and returns an error, whatever the export.
fn ordered<T>(order: &str, own: &str) -> Result<T, Error> {
    obey(order, own)?;
    Err(error("this component only misbehaves"))
}

impl connections::Guest for Hostile {
    fn connect(
        request: connections::ConnectRequest,
        _: Option<u32>,
    ) -> Result<connections::Connected, Error> {
        connected(&request.nickname, "00000000000000cc")
    }

    fn authorize(request: connections::AuthorizeRequest) -> Result<connections::Authorization, Error> {
        if let Some(id) = request.nickname.strip_prefix("pose ") {
            let (id, url) = (id.to_owned(), String::new());
            return Ok(connections::Authorization { id, url, expires: 0, warnings: Vec::new() });
        }
        ordered(&request.nickname, "")
    }

    fn finish(_: String, callback: String, _: Option<u32>) -> Result<connections::Connected, Error> {
        connected(&callback, "")
    }

    fn reauthorize(
        id: String,
        _: connections::Credential,
        subject_token: Option<String>,
        _: Option<u32>,
    ) -> Result<connections::Connected, Error> {
        connected(&subject_token.unwrap_or_default(), &id)
    }

    fn rename(id: String, nickname: String) -> Result<connections::Connected, Error> {
        connected(&nickname, &id)
    }

    fn restrict(id: String, _: Option<GuardRails>) -> Result<connections::Connected, Error> {
        ordered(&id, "")
    }

    fn list() -> Result<Vec<connections::Connection>, Error> {
        let _ = stderr().write_all(&b"secret-on-stderr\n".repeat(64));
        match steal(VICTIM) {
            Err(nothing) if nothing.message == "granted: []" => Ok(Vec::new()),
            Err(loot) => Err(loot),
            Ok(()) => Ok(Vec::new()),
        }
    }

    fn get(id: String) -> Result<connections::Connection, Error> {
        ordered(&id, "")
    }

    fn check(
        id: String,
        _: Option<connections::FunctionRef>,
        _: Option<u32>,
    ) -> Result<Vec<connections::Finding>, Error> {
        misbehave(&id).map(|()| Vec::new())
    }

    fn disconnect(id: String, _: Option<u32>) -> Result<connections::Disconnected, Error> {
        ordered(&id, "")
    }
}

/// The number of calls like this that the instance has served. Behind it stands what the call does besides: it may keep
/// something of the host, grow by some megabytes, wait for a moment or for long, send requests, or panic.
fn served(word: &str) -> Result<functions::OptionList, Error> {
    static SERVED: AtomicU32 = AtomicU32::new(0);
    match word {
        "count and keep" => std::mem::forget(monotonic_clock::subscribe_duration(1)),
        "count and grow" => std::mem::forget(vec![1_u8; 8 << 20]),
        "count and sleep" => machine::sleep(),
        "count and wait" => machine::nap(1),
        "count and send" => requests::request(1)?,
        "count and send twice" => requests::request(2)?,
        "count and panic" => panic!("as it was told"),
        _ => {}
    }
    let value = SERVED.fetch_add(1, Ordering::Relaxed).saturating_add(1).to_string();
    let option = functions::OptionItem { label: value.clone(), value, hint: None, default: false };
    Ok(functions::OptionList { options: vec![option], more: false, notes: Vec::new(), trace: Vec::new() })
}

impl functions::Guest for Hostile {
    fn list(
        connection: String,
        _: functions::ListRequest,
        _: Option<u32>,
    ) -> Result<functions::FunctionList, Error> {
        ordered(&connection, "")
    }

    fn get(
        connection: String,
        _: functions::FunctionRef,
        _: Option<u32>,
    ) -> Result<functions::Function, Error> {
        ordered(&connection, "")
    }

    fn options(
        connection: String,
        request: functions::OptionsRequest,
        _: Option<u32>,
    ) -> Result<functions::OptionList, Error> {
        match request.prefix.as_deref() {
            Some(word) if word.starts_with("count") => served(word),
            _ => ordered(&connection, ""),
        }
    }

    fn invoke(
        connection: String,
        _: functions::InvokeRequest,
        _: Option<u32>,
    ) -> Result<functions::Invocation, Error> {
        ordered(&connection, "")
    }
}

impl api::Guest for Hostile {
    fn custom_api(connection: String, _: api::ApiRequest, _: Option<u32>) -> Result<api::ApiResponse, Error> {
        ordered(&connection, "")
    }

    fn all_pages(connection: String, _: api::PagesRequest, _: Option<u32>) -> Result<api::ApiPages, Error> {
        ordered(&connection, "")
    }
}

impl planning::Guest for Hostile {
    fn plan(connection: String, _: planning::Action, _: Option<u32>) -> Result<planning::CallPlan, Error> {
        ordered(&connection, "")
    }
}

impl catalog::Guest for Hostile {
    fn describe() -> String {
        format!(
            r#"{{"egress": [{{"host": "{}", "carries": ["access-token", "none"]}},
                {{"host-suffix": ".run.app", "labels": [2, 2], "carries": ["id-token", "none"]}}]}}"#,
            named(),
        )
    }
}
