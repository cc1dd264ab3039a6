//! Every function there is, page by page, with what did not answer named.

use super::wire::{FIELDS, Function};
use crate::{
    call::{Call, deadlines},
    error::{Error, Kind, Origin, Result},
    google,
    http::{Exchange, Method},
    json::{self, Object, Read, Unreadable},
    names::Region,
    ports::Ports,
    retry::Class,
    session::Session,
    sorted,
    target::{self, Api, grammar::PathAndQuery},
};

/// The largest page that v2 gives.
const MAX_PAGE: u32 = 1000;

/// More pages than any project has: an end, if a server never ends.
const MAX_PAGES: u32 = 1000;

/// What a caller asks for; see `wit/functions.wit`.
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

/// What was found; see `wit/functions.wit`.
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

struct Page {
    functions: Vec<Function>,
    next_page_token: Option<String>,
    unreachable: Vec<String>,
}

impl Page {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let mut functions = Vec::new();
        for function in fields.list("functions")? {
            let function = function.object().ok_or(Unreadable::Field("functions"))?;
            functions.extend(Function::read(function)?);
        }
        Ok(Self {
            functions,
            next_page_token: fields.string("nextPageToken")?,
            unreachable: fields.texts("unreachable")?,
        })
    }
}

struct Parsed {
    /// `-` is every region.
    locations: Vec<String>,
    filter: Option<String>,
    order_by: Option<String>,
    page_size: u32,
    page_token: Option<String>,
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
    let session = Session::open(ports, connection)?;
    let regions = session.guard_rails.allows_list(request.regions)?;
    let request = parse(ListRequest { regions, ..request })?;
    let mut list = call.run(collect(&call, &session, &request)).await?;
    list.trace = call.take_trace();
    Ok(list)
}

/// Every function of the project: what a bare name is looked up in.
pub(super) async fn everywhere<P: Ports>(call: &Call<'_, P>, session: &Session) -> Result<FunctionList> {
    let regions = session.guard_rails.regions.clone();
    let request = parse(ListRequest { regions, ..ListRequest::default() })?;
    collect(call, session, &request).await
}

fn parse(request: ListRequest) -> Result<Parsed> {
    let mut regions = Vec::new();
    for text in &request.regions {
        sorted::insert(&mut regions, Region::parse(text)?.as_str().to_owned());
    }
    let locations = if regions.is_empty() { vec!["-".to_owned()] } else { regions };
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
    single("page-token", &request.page_token)?;
    if request.page_token.is_some() && locations.len() > 1 {
        return Err(Error::input("page-token", "a page token belongs to one region, or to all of them")
            .fix("name the region that the token came from"));
    }
    Ok(Parsed {
        locations,
        filter: request.filter,
        order_by: request.order_by,
        page_size,
        page_token: request.page_token,
        limit: request.limit.map_or(usize::MAX, |limit| limit as usize),
    })
}

async fn collect<P: Ports>(call: &Call<'_, P>, session: &Session, request: &Parsed) -> Result<FunctionList> {
    let mut list = FunctionList::default();
    for location in &request.locations {
        let mut token = request.page_token.clone();
        let mut seen = Vec::new();
        loop {
            let page = page(call, session, location, request, token.as_deref()).await?;
            list.pages += 1;
            list.functions.extend(page.functions);
            for name in &page.unreachable {
                sorted::insert(&mut list.unreachable, region_of(name));
            }
            token = page.next_page_token.filter(|token| !token.is_empty());
            let Some(next) = &token else { break };
            if !sorted::insert(&mut seen, next.clone()) || list.pages >= MAX_PAGES {
                return Err(Error::new(
                    Kind::PageLoop,
                    Origin::GoogleApi,
                    format!("the list of functions in {location} does not end: a page token came twice"),
                )
                .fix("try again; if it stays so, list one region at a time"));
            }
            if request.page_token.is_some() || list.functions.len() >= request.limit {
                break;
            }
        }
        if token.is_some() {
            list.next_page_token = token;
            break;
        }
        if list.functions.len() >= request.limit {
            break;
        }
    }
    Ok(list)
}

async fn page<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    location: &str,
    request: &Parsed,
    token: Option<&str>,
) -> Result<Page> {
    let project = &session.project;
    let page_size = request.page_size.to_string();
    let fields = format!("functions({FIELDS}),nextPageToken,unreachable");
    let mut query = vec![("pageSize", page_size.as_str()), ("fields", &fields)];
    query.extend(request.filter.as_deref().map(|filter| ("filter", filter)));
    query.extend(request.order_by.as_deref().map(|order| ("orderBy", order)));
    query.extend(token.map(|token| ("pageToken", token)));
    let path = format!("/v2/projects/{}/locations/{location}/functions", project.segment());
    let target = PathAndQuery::ours(&path, &query);
    let response = session
        .send(call, Class::Idempotent, &|token| target::to_api(Api::Functions, Method::Get, &target, token))
        .await?;
    let action = format!("list functions in {project}");
    if response.status != 200 {
        return Err(google::api_error(
            &response,
            &session.attempted(&action, "cloudfunctions.functions.list"),
        ));
    }
    json::read(&response.body)
        .and_then(|fields| Page::read(&fields))
        .map_err(|why| google::unreadable(&response, &action, &why))
}

/// `unreachable` holds region ids, or resource names that end in one.
fn region_of(name: &str) -> String {
    crate::error::foreign(name.rsplit('/').next().unwrap_or(name))
}
