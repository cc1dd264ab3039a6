//! One function, by whatever name a caller has for it.

use super::{
    list,
    wire::{FIELDS, Function},
};
use crate::{
    call::{Call, deadlines},
    error::{Error, Kind, Origin, Result},
    google,
    http::Method,
    json,
    names::{FunctionId, FunctionName, Region},
    ports::Ports,
    retry::Class,
    session::Session,
    sorted,
    target::{self, Api, grammar::PathAndQuery},
};

/// Which function is meant; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum FunctionRef {
    Named { name: String, region: Option<String> },
    Resource(String),
    Url(String),
}

/// A name that Google can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Project, region and name are known.
    Exact(FunctionId),
    /// Only the name is: it is looked up in every region.
    Bare(FunctionName),
}

impl Lookup {
    /// Parses what Google can be asked about.
    pub(crate) fn parse(session: &Session, function: FunctionRef) -> Result<Self> {
        match function {
            FunctionRef::Named { name, region } => Self::named(session, &name, region.as_deref()),
            FunctionRef::Resource(name) => Ok(Self::Exact(FunctionId::parse(&name)?)),
            FunctionRef::Url(_) => {
                Err(Error::input("function", "Google cannot be asked for a function by its URL")
                    .fix("name the function, or invoke it by its URL"))
            }
        }
    }

    pub(super) fn named(session: &Session, name: &str, region: Option<&str>) -> Result<Self> {
        let name = FunctionName::parse(name)?;
        Ok(match region {
            None => Self::Bare(name),
            Some(region) => Self::Exact(FunctionId {
                project: session.project.clone(),
                region: Region::parse(region)?,
                name,
            }),
        })
    }
}

/// One function.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn get<P: Ports>(
    ports: &P,
    connection: &str,
    function: FunctionRef,
    deadline_ms: Option<u32>,
) -> Result<Function> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(ports, connection)?;
    let lookup = Lookup::parse(&session, function)?;
    call.run(find(&call, &session, &lookup)).await
}

pub(crate) async fn find<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    lookup: &Lookup,
) -> Result<Function> {
    match lookup {
        Lookup::Exact(id) => exact(call, session, id).await,
        Lookup::Bare(name) => bare(call, session, name).await,
    }
}

async fn exact<P: Ports>(call: &Call<'_, P>, session: &Session, id: &FunctionId) -> Result<Function> {
    session.guard_rails.allows_region(&id.region)?;
    let target = PathAndQuery::ours(&format!("/v2/{}", id.path()), &[("fields", FIELDS)]);
    let response = session
        .send(call, Class::Idempotent, &|token| target::to_api(Api::Functions, Method::Get, &target, token))
        .await?;
    let action = format!("get the function {} in {} of {}", id.name, id.region, id.project);
    if response.status != 200 {
        return Err(google::api_error(
            &response,
            &session.attempted(&action, "cloudfunctions.functions.get"),
        ));
    }
    json::read(&response.body)
        .and_then(|fields| Function::read(&fields))
        .map_err(|why| google::unreadable(&response, &action, &why))?
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidResponse,
                Origin::GoogleApi,
                format!("the answer to the attempt to {action} does not name a function"),
            )
        })
}

/// The only function of this name in any region. Two are an error: the first match could be the wrong
/// one, and calling it cannot be undone.
async fn bare<P: Ports>(call: &Call<'_, P>, session: &Session, name: &FunctionName) -> Result<Function> {
    let list = match list::everywhere(call, session).await {
        Ok(list) => list,
        // Who may not list may still get: the connection's own region is all there is to go by.
        Err(error) if error.kind() == Kind::MissingRole => {
            let id = FunctionId {
                project: session.project.clone(),
                region: session.region.clone(),
                name: name.clone(),
            };
            return exact(call, session, &id).await;
        }
        Err(error) => return Err(error),
    };
    let mut found: Vec<Function> = list.functions.into_iter().filter(|f| f.id.name == *name).collect();
    match (found.pop(), found.as_slice()) {
        (Some(function), []) => Ok(function),
        (Some(last), others) => {
            let mut regions = Vec::new();
            for function in others.iter().chain([&last]) {
                sorted::insert(&mut regions, function.id.region.as_str());
            }
            Err(Error::new(
                Kind::AmbiguousFunction,
                Origin::Input,
                format!("the function {name} exists in several regions: {}", regions.join(", ")),
            )
            .detail("regions", regions.join(","))
            .fix("name the region; nothing was called"))
        }
        (None, _) if list.unreachable.is_empty() => Err(Error::new(
            Kind::NotFound,
            Origin::Input,
            format!("there is no function {name} in any region of {}", session.project),
        )
        .fix("list the functions, and use a name from there")),
        (None, _) => Err(Error::new(
            Kind::Unavailable,
            Origin::GoogleApi,
            format!(
                "the function {name} is in no region that answered; {} did not",
                list.unreachable.join(", ")
            ),
        )
        .detail("unreachable", list.unreachable.join(","))
        .fix("name the region, or try again")),
    }
}
