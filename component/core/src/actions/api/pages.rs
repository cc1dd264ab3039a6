//! Lists in full: page after page, joined.

use super::{ApiPages, PagesRequest, Parsed, Target, parse, purpose, url_of};
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, Result, foreign},
        http::Method,
        json::{
            self, Read, Unreadable,
            split::{fields, items},
        },
        ports::Ports,
        retry::Class,
        sorted,
    },
    call::{Call, MAX_PAGES, deadlines},
    google::{
        hosts::Api,
        refusal,
        request::{self, body::Payload, grammar::PathAndQuery, headers::CallerHeaders},
    },
    session::Session,
};

/// The most bytes of all items together.
const MAX_ITEMS: usize = 32 * 1024 * 1024;

/// The longest page token, and the longest name of a field, in bytes.
const MAX_TEXT: usize = 4096;

/// Follows `nextPageToken` (<https://google.aip.dev/158>), and joins the pages.
///
/// # Errors
/// As `wit/api.wit` says.
pub async fn all_pages<P: Ports>(
    ports: &P,
    connection: &str,
    request: PagesRequest,
    deadline_ms: Option<u32>,
) -> Result<ApiPages> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, connection)?;
    let list = List::parse(ports, &session, request)?;
    let mut pages = call.traced(list.collect(&call, &session).await)?;
    pages.trace = call.take_trace();
    Ok(pages)
}

/// A list of an API, and how much of it is wanted.
struct List {
    api: Api,
    target: PathAndQuery,
    headers: CallerHeaders,
    /// For messages.
    action: String,
    items: Option<String>,
    from: Option<String>,
    max_pages: u32,
}

impl List {
    fn parse(ports: &impl Ports, session: &Session, request: PagesRequest) -> Result<Self> {
        let PagesRequest { request, items, page_token: from, max_pages } = request;
        let max_pages = max_pages.unwrap_or(MAX_PAGES);
        if !(1..=MAX_PAGES).contains(&max_pages) {
            return Err(Error::input("max-pages", "the number of pages is not between 1 and 150")
                .fix("leave it out for 150, and go on with the next-page-token"));
        }
        for (field, given) in [("items", &items), ("page-token", &from)] {
            let wrong = |text: &String| {
                text.is_empty() || text.len() > MAX_TEXT || text.contains(|c: char| c.is_ascii_control())
            };
            if given.as_ref().is_some_and(wrong) {
                return Err(Error::input(
                    field,
                    format!("the {field} is empty, longer than 4096 bytes, or holds a control character"),
                )
                .fix("take it as it stands in an answer, or leave it out"));
            }
        }
        if request.body.is_some() {
            return Err(Error::input("body", "a list is read without a body").fix("leave the body out"));
        }
        let Parsed { target, method, headers, .. } = parse(ports, session, request)?;
        if method != Method::Get {
            return Err(Error::input("method", "the method of a list is GET")
                .fix("use GET; for any other method there is custom-api"));
        }
        let Target::Api(api, target) = target else {
            return Err(Error::input("path", "a function's URL is no list of a Google API")
                .fix("call it with custom-api, or invoke it"));
        };
        for (name, value) in target.parameters() {
            let why = match name.as_str() {
                "pageToken" | "page_token" => "the query holds a page token, which belongs in page-token",
                "fields" if !value.contains("nextPageToken") && value != "*" => {
                    "the field mask leaves out nextPageToken, so the list would end after one page"
                }
                _ => continue,
            };
            return Err(Error::input("query", why)
                .detail("parameter", name)
                .fix("hand a page token over as page-token, and name nextPageToken in a field mask"));
        }
        let action = format!("list {}", url_of(api.host(), &target));
        Ok(Self { api, target, headers, action, items, from, max_pages })
    }

    async fn collect<P: Ports>(self, call: &Call<'_, P>, session: &Session) -> Result<ApiPages> {
        let mut joined = Joined { named: self.items.is_some(), name: self.items, ..Joined::default() };
        let mut seen: Vec<String> = self.from.iter().cloned().collect();
        let mut token = self.from;
        let mut pages = 0;
        loop {
            let target = match &token {
                Some(token) => &self.target.and("pageToken", token)?,
                None => &self.target,
            };
            let build = |token: &_| {
                let purpose = purpose(self.api, Method::Get, target);
                request::to_api(purpose, self.api, Method::Get, target, token)
                    .with(&self.headers, Payload::none())
            };
            let response = session.send(call, Class::Idempotent, &build).await?;
            if response.status != 200 {
                return Err(refusal::api::error(&response, &session.attempted(&self.action, "")));
            }
            let page = Page::read(&response.body)
                .map_err(|why| refusal::api::unreadable(&response, &self.action, &why))?;
            let list = joined.choose(&page, &self.action)?;
            if pages > 0 && !joined.fits(&list) {
                // This page is read again by whoever goes on here.
                break;
            }
            joined.add(&list, page.unreachable);
            pages += 1;
            token = page.next.filter(|next| !next.is_empty());
            let Some(next) = &token else { break };
            if !sorted::insert(&mut seen, next.clone()) {
                let attempt = format!("the attempt to {}", self.action);
                return Err(refusal::api::no_end(&attempt, "a page token came twice")
                    .fix("try again; if it stays so, read one page in each call, with `max-pages` 1"));
            }
            if pages == self.max_pages {
                break;
            }
        }
        joined.finish(&self.action, pages, token)
    }
}

/// One page, each of its lists as it was written.
struct Page<'a> {
    lists: Vec<(String, &'a str)>,
    next: Option<String>,
    unreachable: Vec<String>,
    /// It goes on, and not by a page token.
    goes_on_otherwise: bool,
}

impl<'a> Page<'a> {
    fn read(body: &'a [u8]) -> Read<Self> {
        // JSON is UTF-8 (RFC 8259, section 8.1).
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::NoObject)?;
        let mut page =
            Self { lists: Vec::new(), next: None, unreachable: Vec::new(), goes_on_otherwise: false };
        for (name, value) in fields(text)? {
            match name.as_ref() {
                "nextPageToken" if value != "null" => {
                    let token = json::value(value)?;
                    page.next = Some(token.text().ok_or(Unreadable::Field("nextPageToken"))?.to_owned());
                }
                "unreachable" if value != "null" => {
                    let names = json::value(value)?;
                    let names = names.list().ok_or(Unreadable::Field("unreachable"))?;
                    let texts = names.iter().map(|name| name.text().map(str::to_owned));
                    page.unreachable =
                        texts.collect::<Option<_>>().ok_or(Unreadable::Field("unreachable"))?;
                }
                // As Kubernetes does it, and Cloud Run v1.
                "metadata" => {
                    let metadata = json::value(value)?;
                    let goes_on = metadata.object().and_then(|fields| fields.get("continue")?.text());
                    page.goes_on_otherwise = goes_on.is_some_and(|token| !token.is_empty());
                }
                _ if value.starts_with('[') => page.lists.push((name.into_owned(), value)),
                _ => {}
            }
        }
        Ok(page)
    }
}

/// The items of all pages.
#[derive(Default)]
struct Joined {
    /// The field that holds them.
    name: Option<String>,
    /// True if that is the caller's word, and not what the pages have.
    named: bool,
    found: bool,
    /// Other lists of the pages.
    others: Vec<String>,
    items: String,
    count: u32,
    unreachable: Vec<String>,
}

impl Joined {
    /// The items of a page, each as it was written.
    fn choose<'a>(&mut self, page: &Page<'a>, action: &str) -> Result<Vec<&'a str>> {
        if page.goes_on_otherwise {
            return Err(odd(action, "goes on without a nextPageToken").fix("use another version of the API"));
        }
        if self.name.is_none() {
            self.name = page.lists.first().map(|(name, _)| name.clone());
        }
        let mut chosen = Vec::new();
        for (name, list) in &page.lists {
            if self.name.as_ref() == Some(name) {
                self.found = true;
                chosen = items(list).unwrap_or_default();
            } else {
                sorted::insert(&mut self.others, name.clone());
            }
        }
        if self.named || self.others.is_empty() {
            return Ok(chosen);
        }
        let mut lists = self.others.clone();
        lists.extend(self.name.clone());
        Err(odd(action, &format!("has several lists: {}", foreign(&lists.join(", "))))
            .detail("field", "items")
            .cause(Cause::SeveralLists)
            .fix("name the one that is meant in `items`"))
    }

    fn fits(&self, list: &[&str]) -> bool {
        self.items.len() + list.iter().map(|item| item.len() + 1).sum::<usize>() < MAX_ITEMS
    }

    fn add(&mut self, list: &[&str], unreachable: Vec<String>) {
        for item in list {
            self.items.push(if self.items.is_empty() { '[' } else { ',' });
            self.items.push_str(item);
            self.count += 1;
        }
        for name in unreachable {
            sorted::insert(&mut self.unreachable, name);
        }
    }

    fn finish(mut self, action: &str, pages: u32, next_page_token: Option<String>) -> Result<ApiPages> {
        if !self.found && !self.others.is_empty() {
            return Err(odd(action, "has no list of this name")
                .detail("field", "items")
                .fix(format!("name one that it has: {}", foreign(&self.others.join(", ")))));
        }
        self.items.push_str(if self.items.is_empty() { "[]" } else { "]" });
        Ok(ApiPages {
            items: self.items,
            count: self.count,
            unreachable: self.unreachable,
            next_page_token,
            pages,
            trace: Vec::new(),
        })
    }
}

fn odd(action: &str, what: &str) -> Error {
    Error::new(
        Kind::InvalidResponse,
        Origin::GoogleApi,
        format!("the answer to the attempt to {action} {what}"),
    )
}
