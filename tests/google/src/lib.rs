//! A Google for tests, as strict as the real one.
//!
//! | module | subject |
//! |---|---|
//! | `table` | methods and shapes, from Google's discovery documents |
//! | `mask` | the field mask, applied as Google applies it |
//! | `filled` | bodies with every field and each enum value |
//! | `project` | a project: its functions, services, regions, and who may do what |
//! | `keys` | signatures: of assertions, checked; of ID tokens, made |
//! | `tokens` | the token endpoint and the tokens that it has handed out |
//! | `api` | the APIs: method, query, content type, body, credential, scope, permission |
//! | `front_end` | the front end of functions: signature, audience and invoker of an ID token |
//! | `serve` | the same on a loopback port, for programs |
//!
//! It knows no connector: everything it refuses is refused by what Google documents or was seen to answer, and the
//! source stands where the decision is. What nobody has published is refused too, and remembered: a test that asks
//! for something else than it should fails by [`Google::unknown`].

mod api;
mod filled;
mod front_end;
mod keys;
mod mask;
mod project;
mod serve;
mod table;
mod tokens;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Mutex};

use serde_json::{Value, json};

pub use self::{
    filled::lay,
    front_end::{Called, Function},
    keys::{Key, Unaccepted},
    mask::Mask,
    project::{Client, Project},
    serve::{Answering, Server, serve},
    table::{Method, Table},
};

/// A request, as it arrives.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The front end, the token endpoint and the APIs, for one project.
pub struct Google {
    key: Key,
    project: Project,
    functions: BTreeMap<String, Function>,
    tokens: Mutex<tokens::Tokens>,
    unknown: Mutex<Vec<String>>,
}

impl Google {
    /// A Google that knows one service account by its key file, and signs with the same key.
    ///
    /// # Panics
    /// The file is not that of a service account.
    #[must_use]
    pub fn new(key_file: &str, project: Project) -> Self {
        let key = Key::read(key_file);
        Self { key, project, functions: BTreeMap::new(), tokens: Mutex::default(), unknown: Mutex::default() }
    }

    /// Adds a function behind the front end.
    #[must_use]
    pub fn function(mut self, host: &str, function: Function) -> Self {
        self.functions.insert(host.to_owned(), function);
        self
    }

    /// The answer to a request at a time, in seconds since 1970.
    pub fn answer(&self, asked: &Asked, now: u64) -> Answer {
        let host = asked.host();
        match host {
            "oauth2.googleapis.com" | "sts.googleapis.com" | "www.googleapis.com" => self.sign_in(asked, now),
            _ if self.functions.contains_key(host) => self.invoked(&self.functions[host], asked, now),
            _ if host.ends_with(".googleapis.com") => self.api(asked, now),
            _ => self.is_unknown(asked),
        }
    }

    /// The requests that Google has no answer to, and nobody should send.
    pub fn unknown(&self) -> Vec<String> {
        self.unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Forgets them, for a test that has sent them on purpose; how many they were.
    pub fn forgive(&self) -> usize {
        std::mem::take(&mut *self.unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner)).len()
    }

    /// The front end's page for a URL that leads nowhere.
    fn is_unknown(&self, asked: &Asked) -> Answer {
        let mut unknown = self.unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        unknown.push(format!("{} {}", asked.method, asked.url));
        Answer::page(404, "Not Found", "The requested URL was not found on this server.")
    }
}

impl Drop for Google {
    /// Fails the test that has asked for what Google does not have, unless it has looked itself.
    fn drop(&mut self) {
        let unknown =
            std::mem::take(self.unknown.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner));
        if !std::thread::panicking() {
            assert!(unknown.is_empty(), "Google has no such calls: {unknown:#?}");
        }
    }
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google").field("project", &self.project.id).finish_non_exhaustive()
    }
}

impl Asked {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn host(&self) -> &str {
        self.url.split('/').nth(2).unwrap_or_default()
    }

    fn without_query(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    fn query(&self) -> Vec<(String, String)> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    fn media_type(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    /// A credential of a header, without its scheme.
    fn bearer(&self, header: &str) -> Option<&str> {
        self.header(header)?.strip_prefix("Bearer ")
    }
}

impl Answer {
    /// JSON, with the headers that the APIs send beside it.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        // samples of API answers: `server: ESF`, `vary: Origin, X-Origin, Referer`.
        let headers = [
            ("content-type", "application/json; charset=UTF-8"),
            ("server", "ESF"),
            ("vary", "Origin, X-Origin, Referer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-xss-protection", "0"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// An error of an API, in the form of [AIP-193](https://google.aip.dev/193).
    fn error(code: u16, status: &str, message: &str, details: &Value) -> Self {
        let error = json!({"code": code, "message": message, "status": status, "details": details});
        Self::json(code, &json!({"error": error}))
    }

    /// A page of the front end's, with the title that its pages have.
    fn page(status: u16, title: &str, says: &str) -> Self {
        let body = format!(
            "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  \
             <title>Error {status} ({title})!!1</title>\n  <p><b>{status}.</b> <ins>That’s an error.</ins>\n  \
             <p>{says}  <ins>That’s all we know.</ins>\n"
        );
        let headers = vec![("content-type".to_owned(), "text/html; charset=UTF-8".to_owned())];
        Self { status, headers, body: body.into_bytes() }
    }
}
