//! Other names for projects and people, wherever they stand on a tape.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::tape::{
    error::TapeError,
    file::{
        format::{Interaction, Provenance, RecordedBody, RecordedRequest, RecordedResponse, Tape},
        url::fitting,
    },
    hide::scan::{self, Found},
};

/// Other names for projects, addresses and anything else that is to be kept off a tape.
///
/// A recorder renames requests and answers before it keeps them. A replay renames a request before it
/// compares, and gives an answer its old names: the holder of the old names meets no others, and the holder
/// of the new ones needs no aliases. A tape does not say what its names were.
///
/// Names are found as by [`Tape::renamed`]: not within Base64, and not in bodies that are not text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases(Vec<(String, String)>);

impl Aliases {
    /// Takes pairs of a name and its alias on the tape.
    ///
    /// # Errors
    /// [`TapeError::Alias`] if a new name is not a name, or if the old ones could not be told from the new
    /// ones again.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, TapeError> {
        let aliases = Self(pairs.into_iter().collect());
        let back = aliases.back();
        for (from, to) in &aliases.0 {
            let problem = if from.is_empty() || to.is_empty() {
                "a name is empty"
            } else if !to.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c)) {
                // It stands in hosts and queries too, where others mean something.
                "a name is of letters, digits, and . _ - @"
            } else if aliases.rename(to) != *to {
                "the new name holds one that is renamed itself"
            } else if aliases.rename(from) != *to || back.rename(to) != *from {
                "it is a part of another name, or the same as one; the longer one comes first"
            } else {
                continue;
            };
            return Err(TapeError::Alias { from: from.clone(), to: to.clone(), problem });
        }
        Ok(aliases)
    }

    /// The aliases from the tape's names to the original ones.
    pub(in crate::tape) fn back(&self) -> Self {
        Self(self.0.iter().map(|(from, to)| (to.clone(), from.clone())).collect())
    }

    /// Tells whether anything in a text has another name.
    pub(in crate::tape) fn name(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        !self.0.is_empty() && self.rename(&text) != text
    }

    pub(in crate::tape) fn in_request(&self, request: &mut RecordedRequest) {
        request.url = fitting(self.rename(&request.url));
        self.in_headers(&mut request.headers);
        self.in_body(&mut request.body);
    }

    /// Renames in a response. Its `content-length` is as it was.
    pub(in crate::tape) fn in_response(&self, response: &mut RecordedResponse) {
        self.in_headers(&mut response.headers);
        self.in_body(&mut response.body);
    }

    /// Renames in an interaction that a tape has already.
    pub(in crate::tape) fn in_interaction(&self, interaction: &mut Interaction) {
        interaction.note = interaction.note.as_ref().map(|note| self.rename(note));
        if let Some(provenance) = &mut interaction.provenance {
            self.in_provenance(provenance);
        }
        self.in_request(&mut interaction.request);
        if let Some(response) = &mut interaction.response {
            self.in_response(response);
            if interaction.request.method != "HEAD" {
                response.correct_length();
            }
        }
    }

    pub(in crate::tape) fn in_provenance(&self, provenance: &mut Provenance) {
        provenance.from = self.rename(&provenance.from);
        provenance.note = provenance.note.as_ref().map(|note| self.rename(note));
    }

    fn in_headers(&self, headers: &mut [(String, String)]) {
        for (_, value) in headers {
            *value = self.rename(value);
        }
    }

    fn in_body(&self, body: &mut Option<RecordedBody>) {
        match body {
            None | Some(RecordedBody::Base64(_)) => {}
            Some(RecordedBody::Text(text)) => *text = self.rename(text),
            Some(RecordedBody::Json(value)) => self.0.iter().for_each(|(from, to)| walk(value, from, to)),
            Some(RecordedBody::Form(pairs)) => {
                for (name, value) in pairs {
                    (*name, *value) = (self.rename(name), self.rename(value));
                }
            }
        }
    }

    fn rename(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (from, to)| in_text(&text, from, to))
    }
}

impl Tape {
    /// The tape with another name in the place of `from`: in URLs, headers and bodies, in the claims of JWTs,
    /// and percent-encoded. `from` is a whole word: a project `demo` is not found in `demo-2`, but in
    /// `us-central1-demo.cloudfunctions.net`.
    ///
    /// # Errors
    /// [`TapeError::Malformed`] if it is not a tape with the new name.
    pub fn renamed(&self, from: &str, to: &str) -> Result<Self, TapeError> {
        let mut document = serde_json::to_value(self).expect("maps have string keys and nothing else fails");
        if !from.is_empty() {
            walk(&mut document, from, to);
        }
        let mut tape = Self::parse(&document.to_string())?;
        for interaction in &mut tape.interactions {
            if interaction.request.method != "HEAD"
                && let Some(response) = &mut interaction.response
            {
                response.correct_length();
            }
        }
        Ok(tape)
    }
}

fn walk(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = in_text(text, from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, from, to)),
        Value::Object(fields) => {
            let renamed = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                walk(&mut value, from, to);
                (replaced(&name, from, to), value)
            });
            *fields = renamed.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_text(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = 0;
    for (at, found) in scan::shapes(text.as_bytes()) {
        match found {
            Found::Jwt { signature, .. } => {
                out += &in_clear(&text[rest..at], from, to);
                for segment in text[at..at + signature].trim_end_matches('.').split('.') {
                    out += &in_segment(segment, from, to);
                    out.push('.');
                }
                rest = at + signature;
            }
            // The kind of a secret is not the name of anything.
            Found::Placeholder { len, .. } => {
                out += &in_clear(&text[rest..at], from, to);
                out += &text[at..at + len];
                rest = at + len;
            }
            Found::Secret { .. } => {}
        }
    }
    out + &in_clear(&text[rest..], from, to)
}

fn in_segment(segment: &str, from: &str, to: &str) -> String {
    let json = URL_SAFE_NO_PAD.decode(segment).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    json.map_or_else(|| segment.to_owned(), |json| URL_SAFE_NO_PAD.encode(in_clear(&json, from, to)))
}

fn in_clear(text: &str, from: &str, to: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let text = replaced(text, from, to);
    if encoded(from) == from { text } else { replaced(&text, &encoded(from), &encoded(to)) }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = 0;
    for (at, _) in text.match_indices(from) {
        let before = text[..at].chars().next_back();
        let after = text[at + from.len()..].chars().next();
        let whole = !before.is_some_and(char::is_alphanumeric)
            && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        // A `%2F` before it is not a letter of the word.
        let encoded = at >= 3 && text.as_bytes()[at - 3] == b'%';
        if whole || encoded && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
            out += &text[rest..at];
            out += to;
            rest = at + from.len();
        }
    }
    out + &text[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_whole_word() {
        for (text, expected) in [
            ("projects/demo/locations", "projects/new-1/locations"),
            ("projects%2Fdemo%2Flocations", "projects%2Fnew-1%2Flocations"),
            ("https://us-central1-demo.cloudfunctions.net", "https://us-central1-new-1.cloudfunctions.net"),
            ("a@demo.iam.gserviceaccount.com", "a@new-1.iam.gserviceaccount.com"),
            ("demo-2 demos mydemo demo_x", "demo-2 demos mydemo demo_x"),
        ] {
            assert_eq!(in_text(text, "demo", "new-1"), expected);
        }
    }

    #[test]
    fn an_address_is_renamed_in_claims_and_encoded() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = |who: &str| {
            format!(
                "Bearer {}.{}.redacted",
                part(r#"{"alg":"RS256"}"#),
                part(&format!(r#"{{"email":"{who}"}}"#))
            )
        };
        assert_eq!(in_text(&token("me@corp.test"), "me@corp.test", "you@x.test"), token("you@x.test"));
        assert_eq!(in_text("a=me%40corp.test&b", "me@corp.test", "you@x.test"), "a=you%40x.test&b");
    }
}
