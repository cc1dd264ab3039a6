//! Plans: the requests that a call would send, without sending them.

mod notes;
pub mod rehearsal;

pub use crate::actions::plan::rehearsal::PlannedRequest;
use crate::{
    actions::{
        api::{self, ApiRequest, PagesRequest},
        connections::{self, ConnectRequest, CredentialRequest},
        functions::{self, invoke::InvokeRequest, list::ListRequest, options::OptionsRequest},
        plan::rehearsal::{Rehearsal, Stage},
    },
    base::{error::Result, ports::Ports},
    google::which::FunctionRef,
    rails::GuardRails,
};

/// A call, with what it would be given; see `wit/planning.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Action {
    Connect(ConnectRequest),
    Reauthorize { credential: CredentialRequest, subject_token: Option<String> },
    Check(Option<FunctionRef>),
    Disconnect,
    List(ListRequest),
    Options(OptionsRequest),
    Get(FunctionRef),
    Invoke(InvokeRequest),
    CustomApi(ApiRequest),
    AllPages(PagesRequest),
}

/// The plan of a call; see `wit/planning.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Plan {
    pub requests: Vec<PlannedRequest>,
    pub account: String,
    pub principal: Option<String>,
    pub guard_rails: Option<GuardRails>,
    pub notes: Vec<String>,
}

/// Plans a call: rehearses it on the ports of `stage`.
///
/// # Errors
/// As `wit/planning.wit` says.
pub async fn plan<P: Ports>(
    stage: &Stage<'_, P>,
    connection: &str,
    action: Action,
    deadline_ms: Option<u32>,
) -> Result<Plan> {
    // What is wrong with it, the call itself says.
    let exists = !matches!(action, Action::Connect(_));
    let mut acting = if exists { connections::get(stage, connection).ok() } else { None };
    let rails = acting.as_ref().and_then(|connection| connection.guard_rails.as_ref());
    let audience = if let Action::Invoke(request) = &action { request.audience.as_deref() } else { None };
    let rehearsal = Rehearsal::new(stage, action.function(), audience, rails);
    let stage = &stage.rehearsing(&rehearsal);
    let mut notes = notes::of(&action, deadline_ms);
    let mut principal = None;
    match action {
        Action::Connect(request) => {
            let (connection, warnings) = connections::connect(stage, request, deadline_ms).await?;
            acting = Some(connection);
            notes.extend(warnings);
        }
        Action::Reauthorize { credential, subject_token } => {
            let reauthorized = connections::reauthorize(
                stage,
                connection,
                credential,
                subject_token.as_deref(),
                deadline_ms,
            );
            let (connection, warnings) = reauthorized.await?;
            acting = Some(connection);
            notes.extend(warnings);
        }
        Action::Check(function) => {
            connections::check(stage, connection, function, deadline_ms).await?;
        }
        Action::Disconnect => {
            connections::disconnect(stage, connection, deadline_ms).await?;
        }
        Action::List(request) => {
            functions::list::list(stage, connection, request, deadline_ms).await?;
        }
        Action::Options(request) => {
            functions::options::options(stage, connection, request, deadline_ms).await?;
        }
        Action::Get(function) => {
            functions::get::get(stage, connection, function, deadline_ms).await?;
        }
        Action::Invoke(request) => {
            principal = functions::invoke::invoke(stage, connection, request, deadline_ms).await?.principal;
        }
        Action::CustomApi(request) => {
            api::custom_api(stage, connection, request, deadline_ms).await?;
        }
        Action::AllPages(request) => {
            api::all_pages(stage, connection, request, deadline_ms).await?;
        }
    }
    let requests = rehearsal.into_requests();
    notes.extend(notes::on(&requests));
    let (account, guard_rails) = acting.map_or_else(Default::default, |c| (c.account, c.guard_rails));
    Ok(Plan { requests, account, principal, guard_rails, notes })
}

impl Action {
    /// The function that the call is about.
    fn function(&self) -> Option<&FunctionRef> {
        match self {
            Self::Check(function) => function.as_ref(),
            Self::Get(function) => Some(function),
            Self::Invoke(request) => Some(&request.function),
            Self::Connect(_)
            | Self::Reauthorize { .. }
            | Self::Disconnect
            | Self::List(_)
            | Self::Options(_)
            | Self::CustomApi(_)
            | Self::AllPages(_) => None,
        }
    }
}
