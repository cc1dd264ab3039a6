//! Other names for projects and people, wherever they stand on a tape.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    TapeError,
    format::Tape,
    scan::{self, Found},
};

impl Tape {
    /// The tape with another name in the place of `from`: in URLs, headers and bodies, in the claims of JWTs, and
    /// percent-encoded. `from` is a whole word: a project `demo` is not found in `demo-2`, but in
    /// `us-central1-demo.cloudfunctions.net`.
    ///
    /// # Errors
    /// [`TapeError::Malformed`] if it is no tape with the new name.
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
    for (at, _) in text.match_indices("eyJ") {
        if at >= rest
            && let Some(Found::Jwt { signature, .. }) = scan::find(text.as_bytes(), at)
        {
            out += &in_clear(&text[rest..at], from, to);
            let segments = text[at..at + signature].trim_end_matches('.').split('.');
            for segment in segments {
                out += &in_segment(segment, from, to);
                out.push('.');
            }
            rest = at + signature;
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
        // `%2F` before it is no letter of the word.
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
