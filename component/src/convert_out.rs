//! From the core to the contract: each type once, no wildcard.

use gcf_core::{
    actions::{
        api::{ApiPages, ApiResponse},
        connections::{Authorization, Connected, Connection, CredentialKind, Finding, Verdict},
        functions::{
            Function, Generation, Trigger,
            invoke::Invocation,
            list::{FunctionList, MissingPart},
            options::OptionList,
        },
        plan::{Plan, PlannedRequest},
    },
    base::{
        content::Content,
        error::{Error, Kind, Origin},
        http::{Exchange, TokenKind},
        retry::Class,
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

pub(crate) fn connection(connection: Connection) -> wit_connections::Connection {
    wit_connections::Connection {
        id: connection.id,
        nickname: connection.nickname,
        project: connection.project,
        quota_project: connection.quota_project,
        region: connection.region,
        kind: match connection.kind {
            CredentialKind::ServiceAccount => wit_connections::CredentialKind::ServiceAccount,
            CredentialKind::StoredKey => wit_connections::CredentialKind::StoredKey,
            CredentialKind::AuthorizedUser => wit_connections::CredentialKind::AuthorizedUser,
            CredentialKind::ImpersonatedServiceAccount => {
                wit_connections::CredentialKind::ImpersonatedServiceAccount
            }
            CredentialKind::ExternalAccount => wit_connections::CredentialKind::ExternalAccount,
            CredentialKind::SuppliedToken => wit_connections::CredentialKind::SuppliedToken,
            CredentialKind::InjectedToken => wit_connections::CredentialKind::InjectedToken,
            CredentialKind::Other => wit_connections::CredentialKind::Other,
        },
        account: connection.account,
        through: connection.through,
        scopes: connection.scopes,
        invoker: invoker(connection.invoker),
        guard_rails: connection.guard_rails.map(guard_rails),
        created: connection.created,
        last_used: connection.last_used,
        ends: connection.ends,
        fault: connection.fault.map(|fault| wit_connections::Fault {
            message: fault.message,
            fix: fault.fix,
            reason: fault.reason,
            since: fault.since,
        }),
    }
}

pub(crate) fn connected((connection, warnings): Connected) -> wit_connections::Connected {
    wit_connections::Connected { connection: self::connection(connection), warnings }
}

pub(crate) fn authorization(authorization: Authorization) -> wit_connections::Authorization {
    wit_connections::Authorization {
        id: authorization.id,
        url: authorization.url,
        expires: authorization.expires,
        warnings: authorization.warnings,
    }
}

fn guard_rails(rails: GuardRails) -> types::GuardRails {
    types::GuardRails {
        read_only: rails.read_only,
        regions: rails.regions,
        functions: rails.functions,
        methods: rails.methods,
        max_body: rails.max_body,
        own_project: rails.own_project,
        audiences: rails.audiences,
    }
}

fn invoker(invoker: InvokerRequest) -> types::Invoker {
    match invoker {
        InvokerRequest::Own => types::Invoker::Own,
        InvokerRequest::User => types::Invoker::User,
        InvokerRequest::ServiceAccount { service_account, delegates, include_email } => {
            types::Invoker::ServiceAccount(types::Impersonation { service_account, delegates, include_email })
        }
    }
}

pub(crate) fn finding(finding: Finding) -> wit_connections::Finding {
    wit_connections::Finding {
        name: finding.name.to_owned(),
        verdict: match finding.verdict {
            Verdict::Pass => wit_connections::Verdict::Pass,
            Verdict::Fail => wit_connections::Verdict::Fail,
            Verdict::Unknown => wit_connections::Verdict::Unknown,
            Verdict::NotNeeded => wit_connections::Verdict::NotNeeded,
        },
        message: finding.message,
        fix: finding.fix,
        link: finding.link,
    }
}

pub(crate) fn function_list(list: FunctionList) -> wit_functions::FunctionList {
    wit_functions::FunctionList {
        functions: list.functions.into_iter().map(function).collect(),
        unreachable: list.unreachable,
        missing: list.missing.into_iter().map(missing_part).collect(),
        notes: list.notes,
        next_page_token: list.next_page_token,
        pages: list.pages,
        trace: trace(list.trace),
    }
}

fn missing_part(part: MissingPart) -> wit_functions::MissingPart {
    wit_functions::MissingPart {
        source: part.source.to_owned(),
        region: part.region,
        kind: kind(part.kind),
        message: part.message,
        fix: part.fix,
    }
}

pub(crate) fn option_list(list: OptionList) -> wit_functions::OptionList {
    wit_functions::OptionList {
        options: list
            .options
            .into_iter()
            .map(|item| wit_functions::OptionItem {
                value: item.value,
                label: item.label,
                hint: item.hint,
                default: item.default,
            })
            .collect(),
        more: list.more,
        notes: list.notes,
        trace: trace(list.trace),
    }
}

pub(crate) fn function(function: Function) -> wit_functions::Function {
    wit_functions::Function {
        name: function.id.name.to_string(),
        region: function.id.region.to_string(),
        project: function.id.project.to_string(),
        generation: generation(function.generation),
        trigger: match function.trigger {
            Trigger::Http => wit_functions::Trigger::Http,
            Trigger::Event(kind) => wit_functions::Trigger::Event(kind),
            Trigger::Other => wit_functions::Trigger::Other,
        },
        state: function.state,
        url: function.url,
        runtime: function.runtime,
        service_account: function.service_account,
        ingress: function.ingress,
        timeout_seconds: function.timeout_seconds,
        memory: function.memory,
        labels: function.labels,
        updated: function.updated,
    }
}

pub(crate) fn invocation(invocation: Invocation) -> wit_functions::Invocation {
    wit_functions::Invocation {
        status: invocation.status,
        headers: headers(invocation.headers),
        body: content(invocation.body),
        url: invocation.url,
        generation: generation(invocation.generation),
        token: token(invocation.token),
        audience: invocation.audience,
        principal: invocation.principal,
        execution_id: invocation.execution_id,
        execution_error: invocation.execution_error,
        diagnosis: invocation.diagnosis,
        trace: trace(invocation.trace),
    }
}

pub(crate) fn api_response(response: ApiResponse) -> wit_api::ApiResponse {
    wit_api::ApiResponse {
        status: response.status,
        headers: headers(response.headers),
        body: content(response.body),
        url: response.url,
        token: token(response.token),
        diagnosis: response.diagnosis,
        trace: trace(response.trace),
    }
}

pub(crate) fn api_pages(pages: ApiPages) -> wit_api::ApiPages {
    wit_api::ApiPages {
        items: pages.items,
        count: pages.count,
        unreachable: pages.unreachable,
        next_page_token: pages.next_page_token,
        pages: pages.pages,
        trace: trace(pages.trace),
    }
}

fn content(content: Content) -> types::Content {
    match content {
        Content::Empty => types::Content::Empty,
        Content::Json(text) => types::Content::Json(text),
        Content::Text(text) => types::Content::Text(text),
        Content::Bytes(bytes) => types::Content::Bytes(bytes),
    }
}

pub(crate) fn plan(plan: Plan) -> wit_planning::CallPlan {
    wit_planning::CallPlan {
        requests: plan.requests.into_iter().map(planned_request).collect(),
        account: plan.account,
        principal: plan.principal,
        guard_rails: plan.guard_rails.map(guard_rails),
        notes: plan.notes,
    }
}

fn planned_request(request: PlannedRequest) -> wit_planning::PlannedRequest {
    let headers = request.headers.into_iter();
    wit_planning::PlannedRequest {
        purpose: request.purpose,
        method: request.method.as_str().to_owned(),
        url: request.url,
        headers: headers.map(|(name, value)| types::Header { name, value }).collect(),
        body: request.body,
        body_bytes: request.body_bytes,
        token: token(request.token),
        audience: request.audience,
        retry: match request.retry {
            Class::Never => types::RetryClass::Never,
            Class::Unsent => types::RetryClass::Unsent,
            Class::Idempotent => types::RetryClass::Idempotent,
            Class::TokenEndpoint => types::RetryClass::TokenEndpoint,
        },
        attempts: request.attempts,
        timeout_ms: request.timeout_ms,
    }
}

pub(crate) fn error(error: Error) -> types::Error {
    let fields = error.into_fields();
    types::Error {
        kind: kind(fields.kind),
        origin: origin(fields.origin),
        message: fields.message,
        fix: fields.fix,
        http_status: fields.http_status,
        retry_after_ms: fields.retry_after_ms,
        reason: fields.reason,
        link: fields.link,
        details: fields.details,
        trace: trace(fields.trace),
    }
}

fn generation(generation: Generation) -> wit_functions::Generation {
    match generation {
        Generation::Gen1 => wit_functions::Generation::Gen1,
        Generation::CloudRun => wit_functions::Generation::CloudRun,
        Generation::Gen2 => wit_functions::Generation::Gen2,
        Generation::Other => wit_functions::Generation::Other,
    }
}

fn headers(headers: Vec<(String, Vec<u8>)>) -> Vec<types::ResponseHeader> {
    headers.into_iter().map(|(name, value)| types::ResponseHeader { name, value }).collect()
}

fn token(token: TokenKind) -> types::TokenKind {
    match token {
        TokenKind::None => types::TokenKind::None,
        TokenKind::AccessToken => types::TokenKind::AccessToken,
        TokenKind::IdToken => types::TokenKind::IdToken,
        TokenKind::Assertion => types::TokenKind::Assertion,
        TokenKind::Grant => types::TokenKind::Grant,
        TokenKind::Injected => types::TokenKind::Injected,
    }
}

fn trace(trace: Vec<Exchange>) -> Vec<types::Exchange> {
    trace
        .into_iter()
        .map(|exchange| types::Exchange {
            method: exchange.method.as_str().to_owned(),
            url: exchange.url,
            token: token(exchange.token),
            status: exchange.status,
            attempt: exchange.attempt,
            duration_ms: exchange.duration_ms,
        })
        .collect()
}

fn origin(origin: Origin) -> types::Origin {
    match origin {
        Origin::Input => types::Origin::Input,
        Origin::Connection => types::Origin::Connection,
        Origin::TokenEndpoint => types::Origin::TokenEndpoint,
        Origin::Iam => types::Origin::Iam,
        Origin::GoogleApi => types::Origin::GoogleApi,
        Origin::Function => types::Origin::Function,
        Origin::GoogleFrontEnd => types::Origin::GoogleFrontEnd,
        Origin::Network => types::Origin::Network,
        Origin::Host => types::Origin::Host,
    }
}

fn kind(kind: Kind) -> types::ErrorKind {
    match kind {
        Kind::InvalidInput => types::ErrorKind::InvalidInput,
        Kind::ConnectionRequired => types::ErrorKind::ConnectionRequired,
        Kind::ConnectionNotFound => types::ErrorKind::ConnectionNotFound,
        Kind::InvalidCredential => types::ErrorKind::InvalidCredential,
        Kind::UnsupportedCredential => types::ErrorKind::UnsupportedCredential,
        Kind::CredentialRejected => types::ErrorKind::CredentialRejected,
        Kind::ReconnectRequired => types::ErrorKind::ReconnectRequired,
        Kind::ClockSkew => types::ErrorKind::ClockSkew,
        Kind::ClientConfig => types::ErrorKind::ClientConfig,
        Kind::InsufficientScope => types::ErrorKind::InsufficientScope,
        Kind::AuthorizationFailed => types::ErrorKind::AuthorizationFailed,
        Kind::AuthorizationDenied => types::ErrorKind::AuthorizationDenied,
        Kind::Unauthenticated => types::ErrorKind::Unauthenticated,
        Kind::MissingRole => types::ErrorKind::MissingRole,
        Kind::Forbidden => types::ErrorKind::Forbidden,
        Kind::ApiDisabled => types::ErrorKind::ApiDisabled,
        Kind::NotFound => types::ErrorKind::NotFound,
        Kind::AmbiguousFunction => types::ErrorKind::AmbiguousFunction,
        Kind::NotInvocable => types::ErrorKind::NotInvocable,
        Kind::RateLimited => types::ErrorKind::RateLimited,
        Kind::Unavailable => types::ErrorKind::Unavailable,
        Kind::Network => types::ErrorKind::Network,
        Kind::DeadlineExceeded => types::ErrorKind::DeadlineExceeded,
        Kind::EgressDenied => types::ErrorKind::EgressDenied,
        Kind::TooLarge => types::ErrorKind::TooLarge,
        Kind::UnexpectedRedirect => types::ErrorKind::UnexpectedRedirect,
        Kind::InvalidResponse => types::ErrorKind::InvalidResponse,
        Kind::PageLoop => types::ErrorKind::PageLoop,
        Kind::Restricted => types::ErrorKind::Restricted,
        Kind::SecretStore => types::ErrorKind::SecretStore,
        Kind::Status => types::ErrorKind::Status,
        Kind::Internal => types::ErrorKind::Internal,
    }
}
