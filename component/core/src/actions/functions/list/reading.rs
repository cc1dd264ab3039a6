//! The list of one source about one location, page by page.

use std::cell::Cell;

use super::{
    Parsed,
    place::{EVERYWHERE, Place, Source},
};
use crate::{
    actions::functions::{
        function::{self, Function},
        service::{self, knative},
    },
    base::{
        error::Error,
        http::Method,
        json::{self, Object, Read, Unreadable},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        sorted,
    },
    call::Call,
    google::{
        names::ProjectId,
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
    /// True if that is about the region as such: it holds nothing of the project's.
    pub(super) is_closed: bool,
}

struct Page {
    functions: Vec<Function>,
    next: Option<String>,
    unreachable: Vec<String>,
}

/// The reason why there is no page.
struct Refused {
    error: Error,
    is_closed: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, is_closed: false }
    }
}

/// Reads the pages of a call.
pub(super) struct Reader<'a, P> {
    pub(super) call: &'a Call<'a, P>,
    pub(super) session: &'a Session,
    pub(super) request: &'a Parsed,
    /// The number of pages that may still be read.
    pub(super) left: Cell<u32>,
}

impl<P: Ports> Reader<'_, P> {
    /// Reads pages until there are `enough` functions, at least one page, and no more than are left for the call.
    pub(super) async fn read(&self, place: &Place, enough: usize, class: Class) -> Reading {
        let mut reading = Reading::default();
        let mut token = place.token.clone();
        let mut seen: Vec<String> = token.clone().into_iter().collect();
        loop {
            let Some(others) = self.left.get().checked_sub(1) else {
                reading.rest = Some(place.at(token));
                break;
            };
            self.left.set(others);
            let page = match self.page(place, token.as_deref(), class).await {
                Ok(page) => page,
                Err(refused) => {
                    reading.is_closed = refused.is_closed;
                    reading.failure = Some(refused.error);
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
        reading
    }

    async fn page(&self, place: &Place, token: Option<&str>, class: Class) -> Result<Page, Refused> {
        let Self { call, session, request, .. } = self;
        let project = &session.project;
        let kind = Kind::of(place);
        let page_size = request.page_size.to_string();
        let fields = kind.mask();
        let [size, page_token] = kind.parameters;
        let mut query = vec![(size, page_size.as_str()), ("fields", &fields)];
        if place.source == Source::Functions {
            query.extend(request.filter.as_deref().map(|filter| ("filter", filter)));
            query.extend(request.order_by.as_deref().map(|order| ("orderBy", order)));
        }
        query.extend(token.map(|token| (page_token, token)));
        let place_in_path = format!("projects/{}/locations/{}", project.segment(), place.location);
        let collection = place.source.collection();
        let target = PathAndQuery::ours(&format!("/{}/{place_in_path}/{collection}", kind.version), &query);
        let purpose = || match place.source {
            Source::Functions => Purpose::Functions { location: place_in_path.clone() },
            Source::Services => Purpose::Services,
        };
        let api = place.source.api();
        let response = session
            .send(call, class, &|token| request::to_api(purpose(), api, Method::Get, &target, token))
            .await?;
        let action = format!("list {} in {project}", kind.what);
        if response.status != 200 {
            let error = refusal::api::error(&response, &session.attempted(&action, kind.permission));
            let is_region = place.location != EVERYWHERE;
            let is_closed = is_region && refusal::api::closes_region(&response, &place.location);
            return Err(Refused { error, is_closed });
        }
        json::read(&response.body)
            .and_then(|answer| kind.page(&answer, project))
            .map_err(|why| refusal::api::unreadable(&response, &action, &why).into())
    }
}

/// A list of Google's, as far as the three of them differ.
struct Kind {
    version: &'static str,
    /// The parameters with the size of a page, and with the token of one.
    parameters: [&'static str; 2],
    /// The fields of an answer that hold the items, and the next page token: that one may be within an object.
    items: &'static str,
    next: (Option<&'static str>, &'static str),
    /// The fields of an item that are asked for, and their reader.
    fields: &'static str,
    read: fn(&Object<'_>, &ProjectId) -> Read<Option<Function>>,
    what: &'static str,
    permission: &'static str,
}

const FUNCTIONS: Kind = Kind {
    version: "v2",
    parameters: ["pageSize", "pageToken"],
    items: "functions",
    next: (None, "nextPageToken"),
    fields: function::FIELDS,
    read: |item, _| Function::read(item),
    what: "functions",
    permission: "cloudfunctions.functions.list",
};

const SERVICES: Kind = Kind {
    items: "services",
    fields: service::FIELDS,
    read: |item, _| service::read(item),
    what: "Cloud Run services",
    permission: "run.services.list",
    ..FUNCTIONS
};

/// Of every region: v2 has no such list.
const SERVICES_EVERYWHERE: Kind = Kind {
    version: "v1",
    parameters: ["limit", "continue"],
    items: "items",
    next: (Some("metadata"), "continue"),
    fields: knative::FIELDS,
    read: knative::read,
    ..SERVICES
};

impl Kind {
    fn of(place: &Place) -> &'static Self {
        match place.source {
            Source::Functions => &FUNCTIONS,
            Source::Services if place.location == EVERYWHERE => &SERVICES_EVERYWHERE,
            Source::Services => &SERVICES,
        }
    }

    /// The mask of an answer.
    fn mask(&self) -> String {
        let (within, next) = self.next;
        let slash = if within.is_some() { "/" } else { "" };
        format!("{}({}),{}{slash}{next},unreachable", self.items, self.fields, within.unwrap_or_default())
    }

    fn page(&self, answer: &Object<'_>, project: &ProjectId) -> Read<Page> {
        let mut functions = Vec::new();
        for item in answer.list(self.items)? {
            let item = item.object().ok_or(Unreadable::Field(self.items))?;
            functions.extend((self.read)(item, project)?);
        }
        let (within, next) = self.next;
        let within = within.map_or(Ok(Some(answer)), |within| answer.object(within))?;
        let next = within.map_or(Ok(None), |within| within.string(next))?;
        Ok(Page { functions, next, unreachable: answer.texts("unreachable")? })
    }
}

fn no_end(place: &Place) -> Error {
    let list = format!("the list of {} in {}", place.source.api().host(), place.location);
    refusal::api::no_end(&list, "a page token came twice")
        .fix("try again; if it stays so, list one region at a time")
}

/// `unreachable` holds region ids, or resource names that end in one.
fn region_of(name: &str) -> String {
    crate::base::error::foreign(name.rsplit('/').next().unwrap_or(name))
}
