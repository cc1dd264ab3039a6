//! Tokens from files and stdin: alone, or as programs print them.

use std::path::Path;

use serde_json::Value;

use super::files::{Source, name_of};
use crate::output::failure::Failure;

/// A token, and where it stood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) token: String,
    /// The path of the field of JSON that held it, if it did not stand alone.
    pub(crate) field: Option<String>,
}

/// The token in a file, or on stdin for `-`.
pub(crate) fn read(path: &Path) -> Result<Token, Failure> {
    let text = Source::Machine.key(path)?;
    find(&text).map_err(|why| {
        Failure::input(format!("{} {why}", name_of(path)))
            .with_fix("put the token there alone, with nothing around it, or name the file that it is in")
    })
}

/// The token in a text, or what is wrong, as the end of a sentence that begins with the name of the file.
fn find(text: &str) -> Result<Token, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty: there is no token in it".to_owned());
    }
    let is_quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_) | Value::Array(_)) => return in_json(text),
        // What `jq` prints without -r.
        Ok(Value::String(inner)) => return alone(inner.trim()),
        Ok(Value::Null | Value::Bool(_)) => return alone(text),
        // A token of digits is a number, and JSON that is damaged is none.
        Ok(Value::Number(_)) | Err(_) => {}
    }
    if text.starts_with(['{', '[']) {
        return Err("begins like JSON and is none, and a token does not begin so".to_owned());
    }
    if is_quoted('\'') { alone(text[1..text.len() - 1].trim()) } else { alone(text) }
}

/// A token that stands alone, or behind the name of its scheme.
fn alone(text: &str) -> Result<Token, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let token = match words.as_slice() {
        [token] => token,
        // RFC 6750, section 2.1: as it stands in a request.
        [scheme, token] if scheme.eq_ignore_ascii_case("bearer") => token,
        [name, scheme, token]
            if name.eq_ignore_ascii_case("authorization:") && scheme.eq_ignore_ascii_case("bearer") =>
        {
            token
        }
        [] => return Err("is empty: there is no token in it".to_owned()),
        [first, ..] if first.starts_with('<') => return Err("is a web page or XML, and no token".to_owned()),
        [..] => return Err("holds more than one word, and a token is one".to_owned()),
    };
    let nothing = ["null", "nil", "none", "undefined", "nan", "true", "false"];
    if nothing.iter().any(|word| token.eq_ignore_ascii_case(word)) {
        return Err(format!("holds the word {token}, which a program prints for a value that is not there"));
    }
    if token.starts_with('<') {
        return Err("is a web page or XML, and no token".to_owned());
    }
    if !is_token(token) {
        return Err("holds characters that no token has (RFC 6750, section 2.1)".to_owned());
    }
    Ok(Token { token: (*token).to_owned(), field: None })
}

/// The one token in JSON: by what it looks like, or else by the name of its field.
fn in_json(text: &str) -> Result<Token, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "is not JSON".to_owned())?;
    let mut texts = Vec::new();
    collect(&value, String::new(), &mut texts);
    let says = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    if !says("private_key").is_empty() || !says("refresh_token").is_empty() && !says("client_id").is_empty() {
        return Err("is a credential, which gets tokens, and is none: connect with it (--credentials FILE)"
            .to_owned());
    }
    let by_look: Vec<_> = texts.iter().filter(|(_, text)| looks_like_token(text)).collect();
    let by_name: Vec<_> = texts.iter().filter(|(path, text)| is_named_so(path) && is_token(text)).collect();
    let found = if by_look.is_empty() { by_name } else { by_look };
    match found.as_slice() {
        [(path, token)] => Ok(Token { token: token.clone(), field: Some(path.clone()) }),
        [] => Err("is JSON without a token in it".to_owned()),
        several => {
            let names: Vec<_> = several.iter().map(|(path, _)| path.as_str()).collect();
            Err(format!("is JSON with {} tokens in it: {}", several.len(), names.join(", ")))
        }
    }
}

/// All texts, with the paths of their fields. serde_json has limited the depth.
fn collect(value: &Value, path: String, texts: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => texts.push((path, text.trim().to_owned())),
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, path, texts);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                collect(value, format!("{path}[{at}]"), texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A JWT (RFC 7519: three parts, the first of which is an object), or an access token of Google's.
fn looks_like_token(text: &str) -> bool {
    let is_jwt = text.starts_with("ey") && text.split('.').count() == 3 && !text.ends_with('.');
    is_token(text) && (is_jwt || text.starts_with("ya29."))
}

fn is_named_so(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path).replace(['_', '-'], "").to_ascii_lowercase();
    matches!(name.as_str(), "accesstoken" | "idtoken" | "subjecttoken" | "token" | "oidctoken")
}

/// `b64token` of RFC 6750, section 2.1.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln";

    #[test]
    fn a_token_is_taken_out_of_what_programs_print() {
        for (text, field) in [
            (format!("\n {JWT}\n"), None),
            (format!("\"{JWT}\""), None),
            (format!("'{JWT}'"), None),
            (format!("Bearer {JWT}"), None),
            (format!("Authorization: Bearer {JWT}\r\n"), None),
            // GitHub's answer (ACTIONS_ID_TOKEN_REQUEST_URL), the metadata server's, gcloud's, and Kubernetes'.
            (format!("{{\"count\":1,\"value\":\"{JWT}\"}}"), Some("value")),
            (
                format!("{{\"access_token\":\"{JWT}\",\"expires_in\":3599,\"token_type\":\"Bearer\"}}"),
                Some("access_token"),
            ),
            (format!("{{\"token\":\"{JWT}\"}}"), Some("token")),
            (
                format!("{{\"kind\":\"TokenRequest\",\"status\":{{\"token\":\"{JWT}\"}}}}"),
                Some("status.token"),
            ),
            (format!("[{{\"token\":\"{JWT}\"}}]"), Some("[0].token")),
        ] {
            let found = find(&text).unwrap();
            assert_eq!((found.token.as_str(), found.field.as_deref()), (JWT, field), "{text}");
        }
        let opaque = find(r#"{"access_token":"opaque-1","expires_in":3599}"#).unwrap();
        assert_eq!((opaque.token.as_str(), opaque.field.as_deref()), ("opaque-1", Some("access_token")));
        assert_eq!(find("ya29.a0Af_B-y~x/+=").unwrap().field, None);
        assert_eq!(find("1234567890").unwrap().token, "1234567890");
    }

    #[test]
    fn what_is_no_token_is_refused_by_name() {
        for (text, why) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("\"\"", "is empty"),
            ("null", "the word null"),
            ("undefined\n", "the word undefined"),
            ("None", "the word None"),
            ("\"null\"", "the word null"),
            ("true", "the word true"),
            ("canary canary", "more than one word"),
            ("<!DOCTYPE html><p>canary", "a web page"),
            ("<html>canary</html>", "a web page"),
            ("{\"canary", "begins like JSON"),
            ("{}", "JSON without a token"),
            ("{\"error\":\"canary\",\"error_description\":\"x\"}", "JSON without a token"),
            ("{\"access_token\":null}", "JSON without a token"),
            ("{\"access_token\":\"a\",\"id_token\":\"b\"}", "2 tokens in it: access_token, id_token"),
            ("{\"type\":\"service_account\",\"private_key\":\"canary\"}", "is a credential"),
            ("{\"refresh_token\":\"1//canary\",\"client_id\":\"x\"}", "is a credential"),
            ("canary\u{fc}", "characters that no token has"),
            ("https://canary", "characters that no token has"),
        ] {
            let refused = find(text).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("canary"), "{text}: {refused}");
        }
    }
}
