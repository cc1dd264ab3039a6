//! From the contract to the core: each type once, no wildcard.

use gcf_core::{
    actions::{
        api::{ApiRequest, PagesRequest},
        connections::{AuthorizeRequest, ConnectRequest, CredentialRequest},
        functions::{
            invoke::{Auth, InvokeRequest},
            list::ListRequest,
            options::{OptionField, OptionsRequest},
        },
        plan::Action,
    },
    base::secret::Secret,
    google::{
        request::{
            body::{Body, Part},
            grammar::Query,
        },
        which::FunctionRef,
    },
    rails::GuardRails,
    sign_in::invoker::InvokerRequest,
};

use crate::bindings::{
    exports::gcf::connector::{
        api as wit_api, connections as wit_connections, functions as wit_functions, planning as wit_planning,
    },
    gcf::connector::types,
};

pub(crate) fn connect_request(request: wit_connections::ConnectRequest) -> ConnectRequest {
    ConnectRequest {
        nickname: request.nickname,
        project: request.project,
        quota_project: request.quota_project,
        region: request.region,
        credential: credential(request.credential),
        subject_token: request.subject_token,
        invoker: request.invoker.map(invoker),
        guard_rails: request.guard_rails.map(guard_rails),
    }
}

pub(crate) fn credential(credential: wit_connections::Credential) -> CredentialRequest {
    match credential {
        wit_connections::Credential::GoogleJson(json) => CredentialRequest::GoogleJson(Secret::new(json)),
        wit_connections::Credential::StoredKey(stored) => CredentialRequest::StoredKey {
            client_email: stored.client_email,
            private_key_id: stored.private_key_id,
            key: stored.key,
        },
        wit_connections::Credential::SuppliedToken(supplied) => {
            CredentialRequest::SuppliedToken { key: supplied.key, account: supplied.account }
        }
        wit_connections::Credential::InjectedToken(account) => CredentialRequest::InjectedToken(account),
    }
}

pub(crate) fn authorize_request(request: wit_connections::AuthorizeRequest) -> AuthorizeRequest {
    AuthorizeRequest {
        nickname: request.nickname,
        project: request.project,
        quota_project: request.quota_project,
        region: request.region,
        client: Secret::new(request.client),
        redirect_uri: request.redirect_uri,
        login_hint: request.login_hint,
        hosted_domain: request.hosted_domain,
        invoker: request.invoker.map(invoker),
        guard_rails: request.guard_rails.map(guard_rails),
        connection: request.connection,
    }
}

pub(crate) fn guard_rails(rails: types::GuardRails) -> GuardRails {
    GuardRails {
        read_only: rails.read_only,
        regions: rails.regions,
        functions: rails.functions,
        methods: rails.methods,
        max_body: rails.max_body,
        own_project: rails.own_project,
        audiences: rails.audiences,
    }
}

fn invoker(invoker: types::Invoker) -> InvokerRequest {
    match invoker {
        types::Invoker::Own => InvokerRequest::Own,
        types::Invoker::User => InvokerRequest::User,
        types::Invoker::ServiceAccount(impersonation) => InvokerRequest::ServiceAccount {
            service_account: impersonation.service_account,
            delegates: impersonation.delegates,
            include_email: impersonation.include_email,
        },
    }
}

pub(crate) fn list_request(request: wit_functions::ListRequest) -> ListRequest {
    ListRequest {
        regions: request.regions,
        filter: request.filter,
        order_by: request.order_by,
        page_size: request.page_size,
        page_token: request.page_token,
        limit: request.limit,
    }
}

pub(crate) fn options_request(request: wit_functions::OptionsRequest) -> OptionsRequest {
    OptionsRequest {
        field: match request.field {
            wit_functions::OptionField::Regions => OptionField::Regions,
            wit_functions::OptionField::Functions(region) => OptionField::Functions(region),
        },
        prefix: request.prefix,
        limit: request.limit,
    }
}

pub(crate) fn function_ref(function: types::FunctionRef) -> FunctionRef {
    match function {
        types::FunctionRef::Named(named) => FunctionRef::Named { name: named.name, region: named.region },
        types::FunctionRef::Resource(name) => FunctionRef::Resource(name),
        types::FunctionRef::Url(url) => FunctionRef::Url(url),
    }
}

pub(crate) fn invoke_request(request: wit_functions::InvokeRequest) -> InvokeRequest {
    InvokeRequest {
        function: function_ref(request.function),
        method: request.method,
        path: request.path,
        query: query(request.query),
        headers: headers(request.headers),
        body: request.body.map(body),
        auth: match request.auth {
            wit_functions::Auth::Auto => Auth::Auto,
            wit_functions::Auth::IdToken => Auth::IdToken,
            wit_functions::Auth::None => Auth::None,
        },
        invoker: request.invoker.map(invoker),
        audience: request.audience,
        authorization: request.authorization.map(Secret::new),
        serverless_authorization: request.serverless_authorization,
        idempotent: request.idempotent,
        raise_for_status: request.raise_for_status,
    }
}

pub(crate) fn api_request(request: wit_api::ApiRequest) -> ApiRequest {
    ApiRequest {
        api: request.api,
        method: request.method,
        path: request.path,
        query: query(request.query),
        headers: headers(request.headers),
        body: request.body.map(body),
    }
}

pub(crate) fn pages_request(request: wit_api::PagesRequest) -> PagesRequest {
    PagesRequest {
        request: api_request(request.request),
        items: request.items,
        page_token: request.page_token,
        max_pages: request.max_pages,
    }
}

pub(crate) fn action(action: wit_planning::Action) -> Action {
    match action {
        wit_planning::Action::ConnectionsConnect(request) => Action::Connect(connect_request(request)),
        wit_planning::Action::ConnectionsReauthorize(new) => {
            Action::Reauthorize { credential: credential(new.credential), subject_token: new.subject_token }
        }
        wit_planning::Action::ConnectionsCheck(function) => Action::Check(function.map(function_ref)),
        wit_planning::Action::ConnectionsDisconnect => Action::Disconnect,
        wit_planning::Action::FunctionsList(request) => Action::List(list_request(request)),
        wit_planning::Action::FunctionsOptions(request) => Action::Options(options_request(request)),
        wit_planning::Action::FunctionsGet(function) => Action::Get(function_ref(function)),
        wit_planning::Action::FunctionsInvoke(request) => Action::Invoke(invoke_request(request)),
        wit_planning::Action::ApiCustomApi(request) => Action::CustomApi(api_request(request)),
        wit_planning::Action::ApiAllPages(request) => Action::AllPages(pages_request(request)),
    }
}

fn query(query: Option<types::Query>) -> Query {
    match query {
        None => Query::None,
        Some(types::Query::Pairs(pairs)) => Query::Pairs(pairs),
        Some(types::Query::Raw(text)) => Query::Raw(text),
    }
}

fn headers(headers: Vec<types::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

fn body(body: types::Body) -> Body {
    match body {
        types::Body::Json(text) => Body::Json(text),
        types::Body::Text(text) => Body::Text(text),
        types::Body::Form(pairs) => Body::Form(pairs),
        types::Body::Multipart(parts) => Body::Multipart(
            parts
                .into_iter()
                .map(|part| Part {
                    name: part.name,
                    filename: part.filename,
                    content_type: part.content_type,
                    data: part.data,
                })
                .collect(),
        ),
        types::Body::CloudEvent(event) => Body::CloudEvent(event),
        types::Body::Bytes(bytes) => Body::Bytes { content_type: bytes.content_type, data: bytes.data },
    }
}
