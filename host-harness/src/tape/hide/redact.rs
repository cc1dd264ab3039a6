//! Redaction: every secret becomes a placeholder that is the same wherever the secret appears.

mod json;
mod names;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    ops::Range,
};

use memchr::memmem;
use sha2::{Digest as _, Sha256};

use self::names::{is_authorization, is_secret_header, secret_field};
use crate::tape::{
    file::format::RecordedBody,
    hide::{
        known::Known,
        live_secrets::LiveSecrets,
        scan::{self, Found, NO_SIGNATURE},
        search::{self, Budget, What},
    },
    queue::Waiter,
};

/// Replaces secrets by `[redacted:KIND:N]`, numbered by first appearance within their kind.
///
/// A secret is told by its shape, by the name of its field, and by its value: each that was found once, and
/// each that the store gave out, is found again anywhere, the store's in every sixteen bytes; by a
/// [`thorough`](Self::thorough) redactor also in encodings, and compressed. The time is linear in the text,
/// and the decoding has a bound.
///
/// A token in a response is the same placeholder in the next request. A JWT keeps its header and payload, so
/// that claims stay readable and comparable, and loses its signature, without which it is not a secret.
/// Redacting twice changes nothing.
#[derive(Default)]
pub struct Redactor {
    placeholders: HashMap<[u8; 32], String>,
    /// Numbers of placeholders that were there before, for each kind.
    taken: HashMap<String, HashSet<u32>>,
    /// The number that was given last, for each kind.
    last: HashMap<String, u32>,
    known: Known,
    /// True if encodings are looked into.
    thorough: bool,
    live: LiveSecrets,
    /// The number of live secrets that are known.
    seen: usize,
    /// The budget that all texts of the body at hand have together.
    of_body: Option<Budget>,
    searched: Searched,
    waiter: Waiter,
}

/// Texts without a secret, by their digest, so that none is searched twice for the same secrets.
#[derive(Default)]
struct Searched {
    texts: HashSet<[u8; 32]>,
    /// The secrets that were known then, by their generation.
    known: u64,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.placeholders.len()).finish()
    }
}

/// The place of a named value. `code` is a secret in a form, and the number of an error in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tape) enum Place {
    Query,
    Form,
    Json,
}

impl Redactor {
    /// A redactor that looks into encodings, too: for texts that are written. A tape that is read was
    /// searched when it was written, and a person's additions to it by hand are in the clear.
    #[must_use]
    pub fn thorough() -> Self {
        Self { thorough: true, ..Self::default() }
    }

    /// Takes these secrets by their exact value, from now on, and those that are added to them later.
    pub fn know(&mut self, live: LiveSecrets) {
        self.live = live;
        self.seen = 0;
    }

    /// Ends each search, from now on, once this waiter has left. Text that was not looked into counts as text
    /// that takes too long.
    pub(in crate::tape) fn serve(&mut self, waiter: Waiter) {
        self.waiter = waiter;
    }

    /// Tells whether nobody waits for the work at hand.
    pub(in crate::tape) fn is_given_up(&self) -> bool {
        self.waiter.has_left()
    }

    /// Tells whether a secret is in `bytes`, in whatever form, or might be: there is a bound for the work.
    pub(in crate::tape) fn finds_in(&mut self, bytes: &[u8]) -> bool {
        self.learn();
        if !self.knows_all() {
            return true;
        }
        let noted = noted(bytes);
        if self.was_searched(noted) {
            return false;
        }
        let mut budget = self.budget(bytes.len()).while_waits(&self.waiter);
        let before = budget.left();
        let found = search::is_dirty(&mut self.known, bytes, DEPTH, &mut budget) || budget.is_spent();
        self.spend(before - budget.left());
        if !found {
            self.is_searched(noted);
        }
        found
    }

    /// Does the work for one body; all searches in it together may cost as much as one text of its length.
    fn within_one_budget<T>(&mut self, length: usize, what: impl FnOnce(&mut Self) -> T) -> T {
        self.of_body = Some(Budget::of_text(length).while_waits(&self.waiter));
        let done = what(self);
        self.of_body = None;
        done
    }

    /// Tells whether the redactor looks for everything that the store gave out.
    pub(in crate::tape) fn knows_all(&self) -> bool {
        !self.live.is_over()
    }

    /// The budget of one text. A text outside of a body is short, and is looked into even if nobody waits.
    fn budget(&self, length: usize) -> Budget {
        let alone = Budget::of_text(length);
        match &self.of_body {
            Some(of_body) => alone.within(of_body),
            None => alone,
        }
    }

    fn spend(&mut self, bytes: usize) {
        if let Some(of_body) = &mut self.of_body {
            // If nothing is left for this one, nothing is for the others.
            of_body.take(bytes);
        }
    }

    /// Says whether the next texts are sent, or came as an answer: secrets learned of the one leave room for
    /// the other.
    pub(in crate::tape) fn sending(&mut self, sending: bool) {
        self.known.sending(sending);
    }

    /// Makes the secrets that their shape tells in `text` known by their value, from now on.
    pub(in crate::tape) fn look_through(&mut self, text: &str) {
        self.learn();
        search::marks(&mut self.known, text.as_bytes());
    }

    /// A body that cannot be read here, and so cannot be searched.
    pub(in crate::tape) fn unreadable(&mut self, bytes: &[u8]) -> RecordedBody {
        RecordedBody::Text(self.placeholder("unreadable", bytes))
    }

    /// Makes `secret` the same as `placeholder` from now on: a server gave it out anew in the place of the
    /// old one.
    pub(in crate::tape) fn bind(&mut self, secret: &str, placeholder: &str) {
        self.known.learn_own(secret.as_bytes());
        self.reserve(placeholder);
        self.placeholders.insert(Sha256::digest(secret.as_bytes()).into(), placeholder.to_owned());
    }

    /// Text without secrets.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// As [`text`](Self::text), for bytes that may be anything. Bytes that hold a secret in compressed form
    /// are replaced as a whole, and so are those that could hold one and take too much work to look into.
    #[must_use]
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.learn();
        if !self.knows_all() && bytes.len() >= SHORTEST {
            return self.placeholder(UNSEARCHED, bytes).into_bytes();
        }
        if !self.thorough || bytes.len() < SHORTEST {
            return self.plain(bytes);
        }
        let noted = noted(bytes);
        if self.was_searched(noted) {
            return bytes.to_vec();
        }
        let mut budget = self.budget(bytes.len());
        let before = budget.left();
        let shown = self.thoroughly(bytes, &mut budget);
        self.spend(before - budget.left());
        if budget.is_spent() {
            return self.placeholder(UNSEARCHED, bytes).into_bytes();
        }
        if shown == bytes {
            self.is_searched(noted);
        }
        shown
    }

    fn thoroughly(&mut self, bytes: &[u8], budget: &mut Budget) -> Vec<u8> {
        if search::is_compressed(&mut self.known, bytes, DEPTH + 1, budget) {
            return self.placeholder("compressed", bytes).into_bytes();
        }
        let shown = self.plain(bytes);
        let encoded = search::encoded(&mut self.known, &shown, DEPTH, budget);
        self.without(&shown, encoded.into_iter().map(|range| (range, What::Secret("encoded"))))
    }

    /// Takes over the secrets that the store has given out since.
    fn learn(&mut self) {
        for secret in self.live.beyond(self.seen) {
            self.known.add(&secret);
            self.seen += 1;
        }
    }

    fn was_searched(&self, noted: Option<[u8; 32]>) -> bool {
        self.searched.known == self.known.generation()
            && noted.is_some_and(|digest| self.searched.texts.contains(&digest))
    }

    fn is_searched(&mut self, noted: Option<[u8; 32]>) {
        if self.searched.known != self.known.generation() || self.searched.texts.len() >= MOST_SEARCHED {
            self.searched = Searched { texts: HashSet::new(), known: self.known.generation() };
        }
        self.searched.texts.extend(noted);
    }

    /// Replaces the secrets as they stand.
    fn plain(&mut self, bytes: &[u8]) -> Vec<u8> {
        let marks = search::marks(&mut self.known, bytes);
        self.without(bytes, marks.into_iter().map(|mark| (mark.range, mark.what)))
    }

    /// Replaces stretches that are in order and do not overlap.
    fn without(&mut self, bytes: &[u8], marks: impl Iterator<Item = (Range<usize>, What)>) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for (range, what) in marks {
            out.extend_from_slice(&bytes[at..range.start]);
            at = range.end;
            match what {
                What::Clean => out.extend_from_slice(&bytes[range]),
                What::Signature => out.extend_from_slice(NO_SIGNATURE.as_bytes()),
                What::Secret(kind) => out.extend_from_slice(self.placeholder(kind, &bytes[range]).as_bytes()),
            }
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }

    /// The value of a header, judged by the header's name too.
    #[must_use]
    pub fn header(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" | "x-serverless-authorization" => {
                match value.split_once(' ') {
                    Some((scheme, token)) => {
                        let bearer = scheme.eq_ignore_ascii_case("bearer");
                        let kind = if bearer { "access-token" } else { "credentials" };
                        format!("{scheme} {}", self.secret(kind, token))
                    }
                    None => self.secret("credentials", value),
                }
            }
            "x-goog-api-key" => self.secret("api-key", value),
            "cookie" => value.split("; ").map(|pair| self.cookie(pair)).collect::<Vec<_>>().join("; "),
            "set-cookie" => match value.split_once(';') {
                Some((pair, attributes)) => format!("{};{attributes}", self.cookie(pair)),
                None => self.cookie(value),
            },
            "location" | "content-location" | "referer" => self.url(value),
            name if is_secret_header(name) => self.secret("credentials", value),
            _ => self.text(value),
        }
    }

    /// A URL: its query by the names of the parameters, its path by shape; the host stays.
    #[must_use]
    pub fn url(&mut self, url: &str) -> String {
        let (origin, rest) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                match authority.rsplit_once('@') {
                    Some((_, host)) => (format!("{scheme}://redacted@{host}"), rest),
                    None => (format!("{scheme}://{authority}"), rest),
                }
            }
            None => (String::new(), url),
        };
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, format!("#{}", self.query(fragment))),
            None => (rest, String::new()),
        };
        match rest.split_once('?') {
            Some((path, query)) => format!("{origin}{}?{}{fragment}", self.path(path), self.query(query)),
            None => format!("{origin}{}{fragment}", self.path(rest)),
        }
    }

    /// A path. The slash that parts it from the host is a letter of Base64, and stays.
    fn path(&mut self, path: &str) -> String {
        match path.strip_prefix('/') {
            Some(rest) => format!("/{}", self.text(rest)),
            None => self.text(path),
        }
    }

    /// A body, by the names of its fields where it has any.
    #[must_use]
    pub fn body(&mut self, body: &RecordedBody) -> RecordedBody {
        self.within_one_budget(body.to_bytes().len(), |this| this.redacted_body(body))
    }

    fn redacted_body(&mut self, body: &RecordedBody) -> RecordedBody {
        match body {
            RecordedBody::Json(value) => RecordedBody::Json(self.json("", value)),
            RecordedBody::Text(text) => {
                let named = self.named(text);
                RecordedBody::Text(self.text(named.as_deref().unwrap_or(text)))
            }
            RecordedBody::Base64(bytes) => match String::from_utf8(self.bytes(bytes)) {
                // It was replaced as a whole.
                Ok(text) if text.as_bytes() != bytes => RecordedBody::Text(text),
                Ok(text) => RecordedBody::Base64(text.into_bytes()),
                Err(error) => RecordedBody::Base64(error.into_bytes()),
            },
            RecordedBody::Form(pairs) => RecordedBody::Form(self.pairs(Place::Form, pairs)),
        }
    }

    pub(in crate::tape) fn pairs(
        &mut self,
        place: Place,
        pairs: &[(String, String)],
    ) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.clone(), self.field(place, name, value))).collect()
    }

    /// Keeps the numbers of all placeholders in `text` from being given to other secrets.
    pub(in crate::tape) fn reserve(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for at in memmem::find_iter(bytes, b"[redacted:") {
            if let Some(Found::Placeholder { kind, number, .. }) = scan::first(&bytes[at..]) {
                self.taken.entry(kind.to_owned()).or_default().insert(number);
            }
        }
    }

    fn field(&mut self, place: Place, name: &str, value: &str) -> String {
        match secret_field(place, name) {
            Some(kind) => self.secret(kind, value),
            None if is_authorization(name, value) => self.header("authorization", value),
            None => self.text(value),
        }
    }

    fn query(&mut self, query: &str) -> String {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let redacted = self.pairs(Place::Query, &pairs);
        if redacted == pairs {
            // Encoded as it came, which may be no text at all.
            self.text(query)
        } else {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&redacted).finish()
        }
    }

    fn cookie(&mut self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", self.secret("cookie", value)),
            None => self.text(pair),
        }
    }

    /// A value that is a secret because of where it stands.
    fn secret(&mut self, kind: &str, value: &str) -> String {
        match scan::first(value.as_bytes()) {
            Some(Found::Placeholder { len, .. } | Found::Jwt { len, .. }) if len == value.len() => {
                self.text(value)
            }
            _ if value.is_empty() => String::new(),
            _ => {
                // From now on it is one wherever it stands.
                self.known.learn_field(value.as_bytes());
                self.placeholder(kind, value.as_bytes())
            }
        }
    }

    fn placeholder(&mut self, kind: &str, secret: &[u8]) -> String {
        let digest = digest(secret);
        if let Some(known) = self.placeholders.get(&digest) {
            return known.clone();
        }
        if self.placeholders.len() >= MOST_PLACEHOLDERS {
            return format!("[redacted:{kind}:0]");
        }
        let taken = self.taken.get(kind);
        let last = self.last.get(kind).copied().unwrap_or_default();
        let number = (last + 1..)
            .find(|number| taken.is_none_or(|taken| !taken.contains(number)))
            .expect("a tape holds fewer than four billion secrets");
        match self.last.get_mut(kind) {
            Some(last) => *last = number,
            None => _ = self.last.insert(kind.to_owned(), number),
        }
        let placeholder = format!("[redacted:{kind}:{number}]");
        self.placeholders.insert(digest, placeholder.clone());
        placeholder
    }
}

/// The digest under which a text is noted, if that pays.
fn noted(text: &[u8]) -> Option<[u8; 32]> {
    (text.len() >= WORTH_NOTING).then(|| digest(text))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The depth of encodings within encodings; nobody nests more by accident.
const DEPTH: u8 = 3;

/// The shortest text that is looked into: shorter ones hide nothing in an encoding.
const SHORTEST: usize = 8;

/// The kind of a text that was not looked into: it would have taken too long, or there was too much to look
/// for.
const UNSEARCHED: &str = "unsearched";

/// The shortest text that is noted: shorter ones are searched as fast as they are looked up. The names of
/// fields come again and again.
const WORTH_NOTING: usize = 8;

/// The number of secrets of a kind with a number of their own. All others share one: 0.
const MOST_PLACEHOLDERS: usize = 1 << 14;

/// The number of digests that are kept: 4 MiB.
const MOST_SEARCHED: usize = 1 << 17;

#[cfg(test)]
mod tests;
