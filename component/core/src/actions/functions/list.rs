//! Every function there is, with what did not answer named.
//!
//! ```text
//! Cloud Functions, every page ──────┐
//! Cloud Run everywhere, every page ─┴─► one list
//!   └─ may not be asked: which regions there are ─► Cloud Run in each of them, side by side
//! ```

mod collect;
mod merge;
mod place;
mod reading;

use self::{collect::collect, place::Place};
use super::function::Function;
use crate::{
    base::{
        error::{Error, Kind, Result},
        http::Exchange,
        ports::Ports,
        sorted,
    },
    call::{Call, deadlines},
    google::names::Region,
    session::Session,
};

/// The largest page that v2 gives.
const MAX_PAGE: u32 = 1000;

/// The request for a list; see `wit/functions.wit`.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ListRequest {
    pub regions: Vec<String>,
    pub filter: Option<String>,
    pub order_by: Option<String>,
    pub page_size: Option<u32>,
    pub page_token: Option<String>,
    pub limit: Option<u32>,
}

/// The functions that were found; see `wit/functions.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct FunctionList {
    pub functions: Vec<Function>,
    pub unreachable: Vec<String>,
    pub missing: Vec<MissingPart>,
    pub notes: Vec<String>,
    pub next_page_token: Option<String>,
    pub pages: u32,
    pub trace: Vec<Exchange>,
}

/// A part that could not be had; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct MissingPart {
    pub source: &'static str,
    pub region: Option<String>,
    pub kind: Kind,
    pub message: String,
    pub fix: Option<String>,
}

/// A request of which every part was checked.
struct Parsed {
    /// In order; none is every region.
    regions: Vec<String>,
    filter: Option<String>,
    order_by: Option<String>,
    page_size: u32,
    /// The place to go on from, for one page.
    from: Option<Place>,
    limit: usize,
}

/// Lists functions.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn list<P: Ports>(
    ports: &P,
    connection: &str,
    request: ListRequest,
    deadline_ms: Option<u32>,
) -> Result<FunctionList> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, connection)?;
    let regions = session.guard_rails.allows_list(request.regions)?;
    let request = parse(ListRequest { regions, ..request })?;
    let mut list = call.traced(collect(&call, &session, &request).await)?;
    list.trace = call.take_trace();
    Ok(list)
}

/// Every function of these regions, or of all that the connection may see: what a bare name is looked up in.
pub(super) async fn every<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    regions: Vec<String>,
) -> Result<FunctionList> {
    let regions = session.guard_rails.allows_list(regions)?;
    let request = parse(ListRequest { regions, ..ListRequest::default() })?;
    collect(call, session, &request).await
}

fn parse(request: ListRequest) -> Result<Parsed> {
    let mut regions = Vec::new();
    for text in &request.regions {
        sorted::insert(&mut regions, Region::parse(text)?.as_str().to_owned());
    }
    let page_size = request.page_size.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&page_size) {
        return Err(Error::input("page-size", "the page size is not between 1 and 1000"));
    }
    if request.limit == Some(0) {
        return Err(Error::input("limit", "the limit is zero").fix("leave it out for every function"));
    }
    let single = |name: &str, text: &Option<String>| match text {
        Some(text) if text.is_empty() || text.len() > 4096 || text.contains(char::is_control) => {
            Err(Error::input(
                name,
                format!("the {name} is empty, longer than 4096 bytes, or holds a control character"),
            ))
        }
        _ => Ok(()),
    };
    single("filter", &request.filter)?;
    single("order-by", &request.order_by)?;
    let from = request.page_token.as_deref().map(Place::parse).transpose()?;
    if let Some(place) = &from
        && !place.belongs_to(&regions)
    {
        return Err(Error::input("page-token", "the page token is of a list of other regions")
            .fix("ask for the same regions as the list that it came from"));
    }
    Ok(Parsed {
        regions,
        filter: request.filter,
        order_by: request.order_by,
        page_size,
        from,
        limit: request.limit.map_or(usize::MAX, |limit| limit as usize),
    })
}
