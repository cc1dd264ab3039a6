//! The actions of the contract: one table, from which the methods of [`Host`], calls by name, plans, and the part of the
//! store that a call sees all come.

use std::time::Duration;

use wasmtime::Store;

use super::{
    COMPLETE, Host,
    table::{Row, Sees, Sight, actions},
};
use crate::{
    contract::{
        bindings::exports::{api, connections, functions, planning as generated},
        wit::{
            ApiPages, ApiRequest, ApiResponse, Authorization, AuthorizeRequest, CallPlan, ConnectRequest,
            Connected, Connection, Credential, CredentialKind, Disconnected, Finding, Function, FunctionList,
            FunctionRef, GuardRails, Invocation, InvokeRequest, ListRequest, NewCredential, OptionList,
            OptionsRequest, PagesRequest,
        },
    },
    error::{AnotherSubject, CallError, HostError},
    sandbox::state::State,
    secrets::visible::Scope,
};

actions! {
    "connections.connect": {
        /// Makes a connection, and keeps it once Google has accepted the credential.
        pub fn connect(request: ConnectRequest; deadline) -> Connected, passing (&connections::ConnectRequest::from(request));
        sees NewConnection;
        answers about connection.id;
        is planned as Connect(request: ConnectRequest), ConnectionsConnect;
    }
    "connections.authorize": {
        /// Begins signing in by a person's consent, and says where to send the browser. Sends nothing.
        pub fn authorize(request: AuthorizeRequest) -> Authorization, passing (&connections::AuthorizeRequest::from(request));
        sees NewSignIn, of request.connection.as_deref();
        answers about id;
    }
    "connections.finish": {
        /// Ends a sign-in with the URL that the browser came back with, and keeps the connection.
        pub fn finish(authorization: &str, callback_url: &str; deadline) -> Connected,
            passing (authorization, callback_url);
        sees SignIn, of authorization;
        answers about connection.id;
    }
    "connections.reauthorize": {
        /// Gives a connection a new credential in place of its own.
        pub fn reauthorize(id: &str, credential: Credential, subject_token: Option<&str>; deadline) -> Connected,
            passing (id, &connections::Credential::from(credential), subject_token);
        sees Own, of id;
        answers about connection.id;
        is planned as Reauthorize(credential: NewCredential), ConnectionsReauthorize;
    }
    "connections.rename": {
        /// Gives a connection another nickname. Sends nothing.
        pub fn rename(id: &str, nickname: &str) -> Connected, passing (id, nickname);
        sees OwnAndNames, of id;
        answers about connection.id;
    }
    "connections.restrict": {
        /// Gives a connection other guard rails, or none. Sends nothing.
        pub fn restrict(id: &str, rails: Option<GuardRails>) -> Connected, passing (id, rails.as_ref());
        sees OwnOffline, of id;
        answers about connection.id;
    }
    "connections.list": {
        /// All connections of the store, as it has them; [`Host::connections`] completes those of an earlier version.
        fn stored() -> Vec<Connection>, passing ();
        sees Names;
    }
    "connections.get": {
        /// One connection. Sends nothing.
        pub fn connection(id: &str) -> Connection, passing (id);
        sees OwnOffline, of id;
        answers about id;
    }
    "connections.check": {
        /// Tries each prerequisite of a connection on its own, and those of one function too if it is named.
        pub fn check(id: &str, function: Option<FunctionRef>; deadline) -> Vec<Finding>,
            passing (id, function.as_ref());
        sees Own, of id;
        is planned as Check(function: Option<FunctionRef>), ConnectionsCheck;
    }
    "connections.disconnect": {
        /// Removes a connection with its credential, its key and its cached tokens, and revokes a user's grant.
        pub fn disconnect(id: &str; deadline) -> Disconnected, passing (id);
        sees OwnAndNickname, of id;
        is planned as Disconnect, ConnectionsDisconnect;
    }
    "functions.list": {
        /// Lists functions of both generations.
        pub fn list_functions(connection: &str, request: ListRequest; deadline) -> FunctionList,
            passing (connection, &functions::ListRequest::from(request));
        sees Own, of connection;
        is planned as List(request: ListRequest), FunctionsList;
    }
    "functions.get": {
        /// One function, by name or resource name.
        pub fn get_function(connection: &str, function: FunctionRef; deadline) -> Function,
            passing (connection, &function);
        sees Own, of connection;
        is planned as Get(function: FunctionRef), FunctionsGet;
    }
    "functions.options": {
        /// Lists the options of a drop-down, while the user types.
        pub fn options(connection: &str, request: OptionsRequest; deadline) -> OptionList,
            passing (connection, &functions::OptionsRequest::from(request));
        sees Own, of connection;
        is planned as Options(request: OptionsRequest), FunctionsOptions;
    }
    "functions.invoke": {
        /// Calls a function, and returns whatever it answers: any status is data.
        pub fn invoke(connection: &str, request: InvokeRequest; deadline) -> Invocation,
            passing (connection, &functions::InvokeRequest::from(request));
        sees Own, of connection;
        is planned as Invoke(request: InvokeRequest), FunctionsInvoke;
    }
    "api.custom-api": {
        /// Sends one request to a Google API, and returns the response as it came.
        pub fn custom_api(connection: &str, request: ApiRequest; deadline) -> ApiResponse,
            passing (connection, &api::ApiRequest::from(request));
        sees Own, of connection;
        is planned as CustomApi(request: ApiRequest), ApiCustomApi;
    }
    "api.all-pages": {
        /// Reads a list of a Google API page by page, and joins the pages.
        pub fn all_pages(connection: &str, request: PagesRequest; deadline) -> ApiPages,
            passing (connection, &api::PagesRequest::from(request));
        sees Own, of connection;
        is planned as AllPages(request: PagesRequest), ApiAllPages;
    }
}

/// The row of an action that is called by its name. An action that the table does not have sees nothing of the store.
pub(super) fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

impl Host {
    /// All connections of the store, in the order of their nicknames. Sends nothing.
    ///
    /// A list reads no credential, and in a store of an earlier version it is the credential that says who
    /// signs in. Each such connection is asked for by its id once.
    ///
    /// # Errors
    /// As `connections.list` in `wit/`, or a [`HostError`].
    pub async fn connections(&self) -> Result<Vec<Connection>, CallError> {
        let mut connections = self.stored().await?;
        let unknown = connections.iter().filter(|connection| is_unknown(connection));
        let earlier =
            self.of_earlier_version(unknown.map(|connection| connection.id.clone()).collect()).await?;
        // One that cannot be read is listed all the same: it can be disconnected.
        let complete = async {
            for connection in connections.iter_mut().filter(|connection| earlier.contains(&connection.id)) {
                if let Ok(known) = self.connection(&connection.id).await {
                    *connection = known;
                }
            }
        };
        let _ = tokio::time::timeout(COMPLETE, complete).await;
        Ok(connections)
    }

    /// Tells what a call would send, and sends nothing. For a new connection, `connection` is not read.
    ///
    /// # Errors
    /// As `planning.plan` in `wit/`, or a [`HostError`].
    pub async fn plan(
        &self,
        connection: &str,
        action: Action,
        deadline: Option<Duration>,
    ) -> Result<CallPlan, CallError> {
        let scope = action.row().planned(connection);
        let action = generated::Action::from(action);
        let exports = &self.0.sandbox.exports;
        self.call(scope, deadline, async |store, instance| {
            exports.call(store, instance, "planning.plan", (connection, &action, millis(deadline))).await
        })
        .await
    }

    /// The part of the store that a call sees.
    pub(super) async fn scope(
        &self,
        row: Row,
        subject: Option<&str>,
        deadline: Option<Duration>,
    ) -> Result<Scope, HostError> {
        match row.sight(subject) {
            Sight::Known(scope) => Ok(scope),
            Sight::OfSignIn(authorization) => self.scope_of_finish(&authorization, deadline).await,
        }
    }
}

/// Passes an answer on if it is about the connection or sign-in that the call made, or named.
pub(super) fn about_its_own(store: &Store<State>, id: &str) -> wasmtime::Result<()> {
    if store.data().secrets.subject() == Some(id) { Ok(()) } else { Err(AnotherSubject.into()) }
}

/// Tells whether a connection of a list does not say who signs in, as one of an earlier version.
fn is_unknown(connection: &Connection) -> bool {
    connection.kind == CredentialKind::Other && connection.account.is_empty()
}

/// The deadline as the contract counts it; 49 days are enough.
pub(super) fn millis(deadline: Option<Duration>) -> Option<u32> {
    deadline.map(|deadline| u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_crosses_in_milliseconds() {
        assert_eq!(millis(None), None);
        assert_eq!(millis(Some(Duration::from_secs(30))), Some(30_000));
        assert_eq!(millis(Some(Duration::MAX)), Some(u32::MAX));
    }

    /// Every action of the catalog has a row, but for the two that stand apart: a plan sees what the call sees that it
    /// plans, and the catalog is read without a store.
    #[test]
    #[cfg(feature = "embedded")]
    fn the_table_is_complete() {
        let host = Host::builder().build().unwrap();
        let catalog: serde_json::Value = serde_json::from_str(host.describe()).unwrap();
        let mut actions: Vec<_> = catalog["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["name"].as_str().unwrap())
            .collect();
        actions.retain(|name| !["planning.plan", "catalog.describe"].contains(name));
        actions.sort_unstable();
        let mut rows: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        rows.sort_unstable();
        assert_eq!(rows, actions);
    }

    /// Against the table in decision 0015.
    #[test]
    fn each_action_sees_what_the_record_says() {
        let record = include_str!("../../../docs/decisions/0015-store-within-a-call.md");
        let cell = |row: &Row| match row.sees {
            Sees::Own | Sees::OwnOffline => "names a connection",
            Sees::OwnAndNickname => "`disconnect`",
            Sees::OwnAndNames => "`rename`",
            Sees::Names => "`list`",
            Sees::NewConnection => "`connect`",
            Sees::NewSignIn => "`authorize`",
            Sees::SignIn => "`finish`",
        };
        for row in ROWS {
            let function = row.name.split_once('.').unwrap().1;
            let begins = format!("| {}", cell(row));
            let line = record.lines().find(|line| line.starts_with(&begins)).unwrap();
            let first = line.split('|').nth(1).unwrap();
            let names = first.contains(&format!("`{function}`"))
                || first.contains("functions") && row.name.starts_with("functions.")
                || first.contains("`custom-api`") && row.name.starts_with("api.");
            assert!(names, "{}: {first}", row.name);
        }
    }

    /// Compiles only if calls can be spawned.
    const _: fn(&Host, ConnectRequest) = |host, request| {
        fn is_send(_: impl Send) {}
        is_send(host.connections());
        is_send(host.connect(request, None));
    };
}
