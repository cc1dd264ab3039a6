//! The contract's functions as methods of [`Host`].

use std::time::Duration;

use wasmtime::Store;

#[cfg(doc)]
use crate::error::HostError;
use crate::{
    contract::wit::{
        Action, ApiPages, ApiRequest, ApiResponse, Authorization, AuthorizeRequest, CallPlan, ConnectRequest,
        Connected, Connection, Credential, CredentialKind, Disconnected, Finding, Function, FunctionList,
        FunctionRef, GuardRails, Invocation, InvokeRequest, ListRequest, OptionList, OptionsRequest,
        PagesRequest,
    },
    error::{AnotherSubject, CallError},
    host::{COMPLETE, Host},
    sandbox::state::State,
    secrets::visible::Scope,
};

impl Host {
    /// Makes a connection, and keeps it once Google has accepted the credential.
    ///
    /// # Errors
    /// As `connections.connect` in `wit/connections.wit`, or a [`HostError`].
    pub async fn connect(
        &self,
        request: ConnectRequest,
        deadline: Option<Duration>,
    ) -> Result<Connected, CallError> {
        let request = request.into();
        self.call(Scope::connect(), deadline, async |store, connector| {
            let answer = connector
                .gcf_connector_connections()
                .call_connect(&mut *store, &request, millis(deadline))
                .await?;
            about_its_own(store, answer, |connected| &connected.connection.id)
        })
        .await
    }

    /// Begins signing in by a person's consent, and says where to send the browser. Sends nothing.
    ///
    /// # Errors
    /// As `connections.authorize` in `wit/connections.wit`, or a [`HostError`].
    pub async fn authorize(&self, request: AuthorizeRequest) -> Result<Authorization, CallError> {
        let scope = Scope::authorize(request.connection.as_deref());
        let request = request.into();
        self.call(scope, None, async |store, connector| {
            let answer = connector.gcf_connector_connections().call_authorize(&mut *store, &request).await?;
            about_its_own(store, answer, |begun| &begun.id)
        })
        .await
    }

    /// Ends a sign-in with the URL that the browser came back with, and keeps the connection.
    ///
    /// # Errors
    /// As `connections.finish` in `wit/connections.wit`, or a [`HostError`].
    pub async fn finish(
        &self,
        authorization: &str,
        callback_url: &str,
        deadline: Option<Duration>,
    ) -> Result<Connected, CallError> {
        let scope = self.scope_of_finish(authorization, deadline).await?;
        self.call(scope, deadline, async |store, connector| {
            let connections = connector.gcf_connector_connections();
            let answer =
                connections.call_finish(&mut *store, authorization, callback_url, millis(deadline)).await?;
            about_its_own(store, answer, |connected| &connected.connection.id)
        })
        .await
    }

    /// Gives a connection a new credential in place of its own.
    ///
    /// # Errors
    /// As `connections.reauthorize` in `wit/connections.wit`, or a [`HostError`].
    pub async fn reauthorize(
        &self,
        id: &str,
        credential: Credential,
        subject_token: Option<&str>,
        deadline: Option<Duration>,
    ) -> Result<Connected, CallError> {
        let credential = credential.into();
        self.call(only(id), deadline, async |store, connector| {
            let connections = connector.gcf_connector_connections();
            let answer = connections
                .call_reauthorize(&mut *store, id, &credential, subject_token, millis(deadline))
                .await?;
            about_its_own(store, answer, |connected| &connected.connection.id)
        })
        .await
    }

    /// Gives a connection another nickname. Sends nothing.
    ///
    /// # Errors
    /// As `connections.rename` in `wit/connections.wit`, or a [`HostError`].
    pub async fn rename(&self, id: &str, nickname: &str) -> Result<Connected, CallError> {
        self.call(Scope::rename(id), None, async |store, connector| {
            let answer = connector.gcf_connector_connections().call_rename(&mut *store, id, nickname).await?;
            about_its_own(store, answer, |connected| &connected.connection.id)
        })
        .await
    }

    /// Gives a connection other guard rails, or none. Sends nothing.
    ///
    /// # Errors
    /// As `connections.restrict` in `wit/connections.wit`, or a [`HostError`].
    pub async fn restrict(&self, id: &str, rails: Option<GuardRails>) -> Result<Connected, CallError> {
        self.call(Scope::offline(id), None, async |store, connector| {
            let answer =
                connector.gcf_connector_connections().call_restrict(&mut *store, id, rails.as_ref()).await?;
            about_its_own(store, answer, |connected| &connected.connection.id)
        })
        .await
    }

    /// All connections of the store, in the order of their nicknames. Sends nothing.
    ///
    /// A list reads no credential, and in a store of an earlier version it is the credential that says who
    /// signs in. Each such connection is asked for by its id once.
    ///
    /// # Errors
    /// As `connections.list` in `wit/connections.wit`, or a [`HostError`].
    pub async fn connections(&self) -> Result<Vec<Connection>, CallError> {
        let list = self.call(Scope::list(), None, async |store, connector| {
            connector.gcf_connector_connections().call_list(store).await
        });
        let mut connections = list.await?;
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

    /// One connection. Sends nothing.
    ///
    /// # Errors
    /// As `connections.get` in `wit/connections.wit`, or a [`HostError`].
    pub async fn connection(&self, id: &str) -> Result<Connection, CallError> {
        self.call(Scope::offline(id), None, async |store, connector| {
            let answer = connector.gcf_connector_connections().call_get(&mut *store, id).await?;
            about_its_own(store, answer, |shown| &shown.id)
        })
        .await
    }

    /// Tries each prerequisite of a connection on its own, and those of one function too if it is named.
    ///
    /// # Errors
    /// As `connections.check` in `wit/connections.wit`, or a [`HostError`].
    pub async fn check(
        &self,
        id: &str,
        function: Option<FunctionRef>,
        deadline: Option<Duration>,
    ) -> Result<Vec<Finding>, CallError> {
        self.call(only(id), deadline, async |store, connector| {
            let connections = connector.gcf_connector_connections();
            connections.call_check(store, id, function.as_ref(), millis(deadline)).await
        })
        .await
    }

    /// Removes a connection with its credential, its key and its cached tokens, and revokes a user's grant.
    ///
    /// # Errors
    /// As `connections.disconnect` in `wit/connections.wit`, or a [`HostError`].
    pub async fn disconnect(&self, id: &str, deadline: Option<Duration>) -> Result<Disconnected, CallError> {
        self.call(only(id), deadline, async |store, connector| {
            connector.gcf_connector_connections().call_disconnect(store, id, millis(deadline)).await
        })
        .await
    }

    /// Lists functions of both generations.
    ///
    /// # Errors
    /// As `functions.list` in `wit/functions.wit`, or a [`HostError`].
    pub async fn list_functions(
        &self,
        connection: &str,
        request: ListRequest,
        deadline: Option<Duration>,
    ) -> Result<FunctionList, CallError> {
        self.call(only(connection), deadline, async |store, connector| {
            let functions = connector.gcf_connector_functions();
            functions.call_list(store, connection, &request, millis(deadline)).await
        })
        .await
    }

    /// One function, by name or resource name.
    ///
    /// # Errors
    /// As `functions.get` in `wit/functions.wit`, or a [`HostError`].
    pub async fn get_function(
        &self,
        connection: &str,
        function: FunctionRef,
        deadline: Option<Duration>,
    ) -> Result<Function, CallError> {
        self.call(only(connection), deadline, async |store, connector| {
            let functions = connector.gcf_connector_functions();
            functions.call_get(store, connection, &function, millis(deadline)).await
        })
        .await
    }

    /// Lists the options of a drop-down, while the user types.
    ///
    /// # Errors
    /// As `functions.options` in `wit/functions.wit`, or a [`HostError`].
    pub async fn options(
        &self,
        connection: &str,
        request: OptionsRequest,
        deadline: Option<Duration>,
    ) -> Result<OptionList, CallError> {
        self.call(only(connection), deadline, async |store, connector| {
            let functions = connector.gcf_connector_functions();
            functions.call_options(store, connection, &request, millis(deadline)).await
        })
        .await
    }

    /// Calls a function, and returns whatever it answers: any status is data.
    ///
    /// # Errors
    /// As `functions.invoke` in `wit/functions.wit`, or a [`HostError`].
    pub async fn invoke(
        &self,
        connection: &str,
        request: InvokeRequest,
        deadline: Option<Duration>,
    ) -> Result<Invocation, CallError> {
        let request = request.into();
        self.call(only(connection), deadline, async |store, connector| {
            let functions = connector.gcf_connector_functions();
            functions.call_invoke(store, connection, &request, millis(deadline)).await
        })
        .await
    }

    /// Sends one request to a Google API, and returns the response as it came.
    ///
    /// # Errors
    /// As `api.custom-api` in `wit/api.wit`, or a [`HostError`].
    pub async fn custom_api(
        &self,
        connection: &str,
        request: ApiRequest,
        deadline: Option<Duration>,
    ) -> Result<ApiResponse, CallError> {
        self.call(only(connection), deadline, async |store, connector| {
            let api = connector.gcf_connector_api();
            api.call_custom_api(store, connection, &request, millis(deadline)).await
        })
        .await
    }

    /// Reads a list of a Google API page by page, and joins the pages.
    ///
    /// # Errors
    /// As `api.all-pages` in `wit/api.wit`, or a [`HostError`].
    pub async fn all_pages(
        &self,
        connection: &str,
        request: PagesRequest,
        deadline: Option<Duration>,
    ) -> Result<ApiPages, CallError> {
        self.call(only(connection), deadline, async |store, connector| {
            let api = connector.gcf_connector_api();
            api.call_all_pages(store, connection, &request, millis(deadline)).await
        })
        .await
    }

    /// Tells what a call would send, and sends nothing.
    ///
    /// # Errors
    /// As `planning.plan` in `wit/planning.wit`, or a [`HostError`].
    pub async fn plan(
        &self,
        connection: &str,
        action: Action,
        deadline: Option<Duration>,
    ) -> Result<CallPlan, CallError> {
        // A new connection has no id yet.
        let scope = if matches!(action, Action::Connect(_)) {
            Scope::connect()
        } else {
            Scope::connection(connection)
        };
        let action = action.into();
        self.call(scope.planned(), deadline, async |store, connector| {
            let planning = connector.gcf_connector_planning();
            planning.call_plan(store, connection, &action, millis(deadline)).await
        })
        .await
    }
}

/// Passes an answer on if it is about the connection or sign-in that the call made, or named.
fn about_its_own<T, E>(
    store: &Store<State>,
    answer: Result<T, E>,
    id: impl FnOnce(&T) -> &String,
) -> wasmtime::Result<Result<T, E>> {
    let subject = store.data().secrets.subject();
    match &answer {
        Ok(about) if subject != Some(id(about)) => Err(AnotherSubject.into()),
        Ok(_) | Err(_) => Ok(answer),
    }
}

/// Tells whether a connection of a list does not say who signs in, as one of an earlier version.
fn is_unknown(connection: &Connection) -> bool {
    connection.kind == CredentialKind::Other && connection.account.is_empty()
}

fn only(connection: &str) -> Scope {
    Scope::connection(connection)
}

/// The deadline as the contract counts it; 49 days are enough.
pub(crate) fn millis(deadline: Option<Duration>) -> Option<u32> {
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

    /// Compiles only if calls can be spawned.
    const _: fn(&Host, ConnectRequest) = |host, request| {
        fn is_send(_: impl Send) {}
        is_send(host.connections());
        is_send(host.connect(request, None));
    };
}
