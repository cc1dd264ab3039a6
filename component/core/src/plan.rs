//! What a call would send, without sending it.

use crate::{
    api::{ApiRequest, PagesRequest},
    connections::ConnectRequest,
    error::{Error, Kind, Origin, Result},
    functions::{FunctionRef, invoke::InvokeRequest, list::ListRequest, options::OptionsRequest},
    guard_rails::GuardRails,
    http::{Method, TokenKind},
    ports::Ports,
    retry::Class,
};

/// A call, with what it would be given; see `wit/planning.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Action {
    Connect(ConnectRequest),
    Check(Option<FunctionRef>),
    Disconnect,
    List(ListRequest),
    Options(OptionsRequest),
    Get(FunctionRef),
    Invoke(InvokeRequest),
    CustomApi(ApiRequest),
    AllPages(PagesRequest),
}

/// One request that would be sent; see `wit/planning.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct PlannedRequest {
    pub purpose: String,
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub body_bytes: u64,
    pub token: TokenKind,
    pub audience: Option<String>,
    pub retry: Class,
    pub attempts: u32,
    pub timeout_ms: u64,
}

/// What would happen; see `wit/planning.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Plan {
    pub requests: Vec<PlannedRequest>,
    pub account: String,
    pub principal: Option<String>,
    pub guard_rails: Option<GuardRails>,
    pub notes: Vec<String>,
}

/// Plans a call.
///
/// # Errors
/// As `wit/planning.wit` says.
pub async fn plan<P: Ports>(
    _ports: &P,
    _connection: &str,
    _action: Action,
    _deadline_ms: Option<u32>,
) -> Result<Plan> {
    Err(Error::new(Kind::Internal, Origin::Host, "plans are not built yet"))
}
