//! The list of one source about one location, page by page.

use std::cell::Cell;

use super::{
    Parsed,
    place::{Place, Source},
};
use crate::{
    actions::functions::{
        function::{self, Function},
        service,
    },
    base::{
        error::{Error, Result},
        http::Method,
        json::{self, Object, Read, Unreadable},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        sorted,
    },
    call::Call,
    google::{
        refusal,
        request::{self, grammar::PathAndQuery},
    },
    session::Session,
};

/// The part of a place that was read until it ended, was enough, or failed.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) functions: Vec<Function>,
    pub(super) unreachable: Vec<String>,
    pub(super) pages: u32,
    /// The place where it goes on, if it was cut.
    pub(super) rest: Option<Place>,
    /// The error that ended it early. What had been read until then is kept.
    pub(super) failure: Option<Error>,
}

struct Page {
    functions: Vec<Function>,
    next: Option<String>,
    unreachable: Vec<String>,
}

/// Reads pages until there are `enough` functions, at least one page, and no more than are `left` for the call.
pub(super) async fn read<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: &Parsed,
    place: &Place,
    enough: usize,
    left: &Cell<u32>,
) -> Reading {
    let mut reading = Reading::default();
    let mut token = place.token.clone();
    let mut seen: Vec<String> = token.clone().into_iter().collect();
    loop {
        let Some(others) = left.get().checked_sub(1) else {
            reading.rest = Some(place.at(token));
            break;
        };
        left.set(others);
        let page = match page(call, session, request, place, token.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                reading.failure = Some(error);
                break;
            }
        };
        reading.pages += 1;
        reading.functions.extend(page.functions);
        for name in &page.unreachable {
            sorted::insert(&mut reading.unreachable, region_of(name));
        }
        token = page.next.filter(|token| !token.is_empty());
        let Some(next) = &token else { break };
        if !sorted::insert(&mut seen, next.clone()) {
            reading.failure = Some(no_end(place));
            break;
        }
        if reading.functions.len() >= enough {
            reading.rest = Some(place.at(token));
            break;
        }
    }
    if place.source == Source::Services {
        reading.functions = by_name(reading.functions);
    }
    reading
}

async fn page<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: &Parsed,
    place: &Place,
    token: Option<&str>,
) -> Result<Page> {
    let project = &session.project;
    let location = &place.location;
    let page_size = request.page_size.to_string();
    let collection = place.source.collection();
    let (one, what, permission) = match place.source {
        Source::Functions => (function::FIELDS, "functions", "cloudfunctions.functions.list"),
        Source::Services => (service::FIELDS, "Cloud Run services", "run.services.list"),
    };
    let fields = format!("{collection}({one}),nextPageToken,unreachable");
    let mut query = vec![("pageSize", page_size.as_str()), ("fields", &fields)];
    if place.source == Source::Functions {
        query.extend(request.filter.as_deref().map(|filter| ("filter", filter)));
        query.extend(request.order_by.as_deref().map(|order| ("orderBy", order)));
    }
    query.extend(token.map(|token| ("pageToken", token)));
    let place_in_path = format!("projects/{}/locations/{location}", project.segment());
    let target = PathAndQuery::ours(&format!("/v2/{place_in_path}/{collection}"), &query);
    let purpose = || match place.source {
        Source::Functions => Purpose::Functions { location: place_in_path.clone() },
        Source::Services => Purpose::Services,
    };
    let api = place.source.api();
    let response = session
        .send(call, Class::Idempotent, &|token| request::to_api(purpose(), api, Method::Get, &target, token))
        .await?;
    let action = format!("list {what} in {project}");
    if response.status != 200 {
        return Err(refusal::api::error(&response, &session.attempted(&action, permission)));
    }
    json::read(&response.body)
        .and_then(|fields| read_page(&fields, place.source))
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))
}

fn read_page(fields: &Object<'_>, source: Source) -> Read<Page> {
    let collection = source.collection();
    let mut functions = Vec::new();
    for item in fields.list(collection)? {
        let item = item.object().ok_or(Unreadable::Field(collection))?;
        functions.extend(match source {
            Source::Functions => Function::read(item)?,
            Source::Services => service::read(item)?,
        });
    }
    Ok(Page { functions, next: fields.string("nextPageToken")?, unreachable: fields.texts("unreachable")? })
}

fn no_end(place: &Place) -> Error {
    let list = format!("the list of {} in {}", place.source.api().host(), place.location);
    refusal::api::no_end(&list, "a page token came twice")
        .fix("try again; if it stays so, list one region at a time")
}

/// Cloud Run lists the newest first.
fn by_name(functions: Vec<Function>) -> Vec<Function> {
    // What is moved about in the list is a pointer, not a function.
    let mut sorted: Vec<Box<Function>> = Vec::with_capacity(functions.len());
    for function in functions {
        let at = sorted.partition_point(|there| there.id.name <= function.id.name);
        sorted.insert(at, Box::new(function));
    }
    sorted.into_iter().map(|function| *function).collect()
}

/// `unreachable` holds region ids, or resource names that end in one.
fn region_of(name: &str) -> String {
    crate::base::error::foreign(name.rsplit('/').next().unwrap_or(name))
}
