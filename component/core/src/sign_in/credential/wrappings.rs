//! The wrappings in which Google's JSON arrives: environment variables, secret stores, shells.
//!
//! Each is taken off where that can mean one thing only.

use std::borrow::Cow;

use crate::{
    base::{
        json::{self, Value},
        unseen::is_unseen,
    },
    google::jwt::BASE64,
};

/// The JSON inside a text; the text itself if there is none.
pub(in crate::sign_in) fn unwrapped(text: &str) -> Cow<'_, str> {
    let text = trimmed(text);
    let inner = if text.starts_with('{') { Some(Cow::Borrowed(text)) } else { within(text) };
    let inner = inner.unwrap_or(Cow::Borrowed(text));
    if json::check(&inner).is_ok() {
        // The answer of IAM that made a key (projects.serviceAccounts.keys.create) holds the file in Base64.
        let made = json::read(inner.as_bytes()).ok();
        let made = made.as_ref().and_then(|made| made.text("privateKeyData").ok().flatten());
        return made.and_then(of_base64).map_or_else(|| inner.clone(), Cow::Owned);
    }
    with_line_breaks(&inner).map_or(inner, Cow::Owned)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || is_unseen(character))
}

/// The object within quotes or Base64.
fn within(text: &str) -> Option<Cow<'_, str>> {
    if let Ok(Value::Text(inner)) = json::value(text) {
        let inner = trimmed(&inner);
        return inner
            .starts_with('{')
            .then(|| Cow::Owned(inner.to_owned()))
            .or_else(|| of_base64(inner).map(Cow::Owned));
    }
    for quote in ['\'', '"', '`'] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).map(trimmed);
        if let Some(inner) = inner.filter(|inner| inner.starts_with('{')) {
            return Some(Cow::Borrowed(inner));
        }
    }
    of_base64(text).map(Cow::Owned)
}

fn of_base64(text: &str) -> Option<String> {
    use base64::Engine as _;
    // `{` in Base64, with what can follow it.
    if !text.starts_with(['e']) {
        return None;
    }
    let plain: String = text.split_whitespace().collect();
    let inner = String::from_utf8(BASE64.decode(plain).ok()?).ok()?;
    let inner = trimmed(&inner);
    inner.starts_with('{').then(|| inner.to_owned())
}

/// With `\n` in place of each line break within a string, which a shell has put there: JSON has none (RFC 8259, section 7).
/// `None` if that does not make it JSON.
fn with_line_breaks(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            '\n' if quoted => mended.push_str("\\n"),
            '\r' if quoted => {}
            character => mended.push(character),
        }
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
    }
    json::check(&mended).is_ok().then_some(mended)
}
