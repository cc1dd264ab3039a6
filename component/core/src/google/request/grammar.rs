//! One grammar for what follows a host: checked bytes are sent bytes, nothing is repaired.

use crate::base::error::{Error, Result, foreign};

/// The longest path with its query, in bytes.
const MAX_TARGET: usize = 16 * 1024;

/// Google's system parameters that carry a credential, change the method, or turn the answer into
/// something else.
///
/// <https://cloud.google.com/apis/docs/system-parameters>
const RESERVED_PARAMETERS: [&str; 14] = [
    "access_token",
    "oauth_token",
    "bearer_token",
    "key",
    "api_key",
    "callback",
    "alt",
    "$alt",
    "uploadtype",
    "upload_protocol",
    "userproject",
    "quotauser",
    "prettyprint",
    "pp",
];

/// Those by which a credential is known anywhere (RFC 6750, section 2.3, and Google's older spellings).
const CREDENTIAL_PARAMETERS: [&str; 4] = ["access_token", "oauth_token", "bearer_token", "id_token"];

/// A path and a query that are safe to send to a Google API or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathAndQuery(String);

impl PathAndQuery {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments of the path, as the two kinds of receivers read them: those that divide it first and then undo
    /// escapes, to whom an escaped slash is a part of a segment, and those that do it the other way round.
    pub(crate) fn readings(&self) -> [Vec<String>; 2] {
        let path = self.0.split('?').next().unwrap_or_default();
        let divided: Vec<_> = path.split('/').skip(1).map(decode).collect();
        let pieces = divided.iter().flat_map(|segment| segment.split('/')).map(str::to_owned).collect();
        [divided, pieces]
    }

    /// The names and values of the query as their receiver reads them.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// A path of ours and pairs of ours.
    #[must_use]
    pub fn ours(path: &str, pairs: &[(&str, &str)]) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
    }

    /// A path under a Google API and a query, as a caller gives them.
    ///
    /// # Errors
    /// `invalid-input` of field `path` or `query`.
    pub fn for_api(path: &str, query: &Query) -> Result<Self> {
        if !path.starts_with('/') {
            return Err(bad("path", "the path does not begin with `/`")
                .fix("begin it with `/`, such as /v2/projects/PROJECT/locations"));
        }
        self::path(path, "path")?;
        let query = query.encode()?;
        let reserved = query.split(['&', ';']).map(parameter).chain(query.split('&').map(parameter)).find(
            |(name, value)| {
                (name.starts_with('$') || RESERVED_PARAMETERS.contains(&name.as_str()))
                    && !says_the_default(name, value)
            },
        );
        match reserved {
            None => Self::join(path, &query),
            Some((name, _)) => {
                let named = foreign(&name);
                Err(bad(
                    "query",
                    format!("the query holds the parameter `{named}`, which is the connector's to set"),
                )
                .fix(match name.as_str() {
                    "alt" | "$alt" => "leave it out, or say json: that is what the answer is",
                    _ => "leave it out: the connection is what signs the request in, and says who pays",
                })
                .detail("parameter", named))
            }
        }
    }

    /// A path below a function and a query, as a caller gives them.
    ///
    /// # Errors
    /// `invalid-input` of field `path` or `query`.
    pub fn for_function(base: &str, below: &str, query: &Query) -> Result<Self> {
        if !below.is_empty() && !below.starts_with('/') {
            return Err(
                bad("path", "the path below the function does not begin with `/`").fix("begin it with `/`")
            );
        }
        self::path(below, "path")?;
        let path = [base, below].concat();
        Self::join(if path.is_empty() { "/" } else { &path }, &query.encode()?)
    }

    /// The same, if the query holds no credential: for a request that is to carry none.
    ///
    /// # Errors
    /// `invalid-input` of field `query`, which names the parameter and never repeats its value.
    pub(crate) fn without_credential(self) -> Result<Self> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let credential = names(query).find(|name| CREDENTIAL_PARAMETERS.contains(&name.as_str()));
        match credential {
            None => Ok(self),
            Some(name) => Err(bad(
                "query",
                format!("the query holds the credential `{name}`, and none travels with this request"),
            )
            .detail("parameter", name)
            .fix("leave it out; a function that wants to know who calls is called with invoke")),
        }
    }

    /// With one more parameter at its end.
    ///
    /// # Errors
    /// `invalid-input` of field `path` if it is too long.
    pub(crate) fn and(&self, name: &str, value: &str) -> Result<Self> {
        let (path, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let mut query = query.to_owned();
        let start = query.len();
        query = form_urlencoded::Serializer::for_suffix(query, start).append_pair(name, value).finish();
        if start > 0 {
            query.insert(start, '&');
        }
        Self::join(path, &query)
    }

    fn join(path: &str, query: &str) -> Result<Self> {
        let text = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        if text.len() > MAX_TARGET {
            return Err(bad("path", "path and query are longer than 16 KiB together")
                .fix("send what is long in the body"));
        }
        Ok(Self(text))
    }
}

/// A query as a caller gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Query {
    /// No query.
    #[default]
    None,
    /// Names and values, to be encoded.
    Pairs(Vec<(String, String)>),
    /// Encoded already; sent as written.
    Raw(String),
}

impl Query {
    fn encode(&self) -> Result<String> {
        match self {
            Self::None => Ok(String::new()),
            Self::Pairs(pairs) => {
                Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
            }
            Self::Raw(text) => {
                plain_ascii(text, "query")?;
                if text.contains('#') {
                    return Err(
                        bad("query", "the query holds a fragment").fix("write `%23` for a `#` of your own")
                    );
                }
                escapes(text, "query")?;
                Ok(text.clone())
            }
        }
    }
}

/// Refuses spaces, controls, backslashes, quotes and anything outside ASCII.
///
/// # Errors
/// `invalid-input` of `field`.
pub fn plain_ascii(text: &str, field: &str) -> Result<()> {
    match text
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}'))
    {
        None => Ok(()),
        Some(c) => Err(bad(field, format!("the {field} holds the character `{}`", c.escape_default()))
            .fix("percent-encode it (RFC 3986, section 2.1), or hand the query over as pairs")),
    }
}

/// Refuses dot segments, empty segments and escapes that hide something, in any spelling.
///
/// # Errors
/// `invalid-input` of `field`.
pub fn path(text: &str, field: &str) -> Result<()> {
    plain_ascii(text, field)?;
    if text.contains(['?', '#']) {
        return Err(bad(field, format!("the {field} holds `?` or `#`"))
            .fix("leave it out; the query stands by itself, in `query`"));
    }
    escapes(text, field)?;
    let segments: Vec<&str> = text.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        if segment.is_empty() && at + 1 < segments.len() {
            return Err(bad(field, format!("the {field} holds an empty segment")).fix("write each `/` once"));
        }
        let decoded = decode(segment);
        // An escaped slash is sent as it is: Google's names hold them (the log `cloudfunctions.googleapis.com%2F…`). To
        // some servers it divides the path all the same, so no piece of it may lead elsewhere; and what follows a `;` is a
        // parameter of the segment to some.
        let leads_elsewhere = |piece: &str| matches!(piece.split(';').next().unwrap_or_default(), "." | "..");
        if decoded.split('/').any(leads_elsewhere) || decoded.contains('\\') {
            return Err(bad(field, format!("the {field} holds a dot segment or an escaped backslash"))
                .fix("write the path out"));
        }
    }
    Ok(())
}

/// Every `%` begins an escape of printable UTF-8 that is not itself an escape.
fn escapes(text: &str, field: &str) -> Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let Some(byte) = rest.get(at + 1..at + 3).and_then(escaped) else {
            return Err(bad(field, format!("the {field} holds a `%` that is no escape"))
                .fix("write `%25` for a `%` of your own (RFC 3986, section 2.1)"));
        };
        if byte.is_ascii_control() {
            return Err(
                bad(field, format!("the {field} holds an escaped control character")).fix("leave it out")
            );
        }
        if byte == b'%' && field != "query" {
            return Err(bad(field, format!("the {field} is encoded twice")).fix("encode it once"));
        }
        rest = &rest[at + 3..];
    }
    match String::from_utf8(decoded(text)) {
        // U+0080 to U+009F are control characters too.
        Ok(text) if !text.contains(char::is_control) => Ok(()),
        Ok(_) => {
            Err(bad(field, format!("the {field} holds an escaped control character")).fix("leave it out"))
        }
        Err(_) => Err(bad(field, format!("the {field} holds escapes that are not UTF-8"))
            .fix("percent-encode the text's UTF-8")),
    }
}

/// The byte that two hexadecimal digits stand for.
fn escaped(digits: &str) -> Option<u8> {
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// The text with its escapes undone, once.
fn decode(text: &str) -> String {
    String::from_utf8_lossy(&decoded(text)).into_owned()
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = after.get(..2).filter(|_| *first == b'%');
        match byte.and_then(|pair| std::str::from_utf8(pair).ok()).and_then(escaped) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// The names of an encoded query, in lower case. Some servers divide it at `;` too.
fn names(query: &str) -> impl Iterator<Item = String> {
    query.split(['&', ';']).map(|pair| parameter(pair).0)
}

/// A parameter of an encoded query: its name in lower case, and its value.
fn parameter(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let undone = |text: &str| decode(&text.replace('+', " "));
    (undone(name).to_ascii_lowercase(), undone(value))
}

/// Tells if a reserved parameter says what holds without it, or changes nothing but white space. Google's own clients send
/// these.
///
/// <https://cloud.google.com/apis/docs/system-parameters>
fn says_the_default(name: &str, value: &str) -> bool {
    match name {
        "alt" | "$alt" => value == "json",
        "prettyprint" | "$prettyprint" => matches!(value, "true" | "false"),
        "$.xgafv" => value == "2",
        _ => false,
    }
}

fn bad(field: &str, message: impl Into<String>) -> Error {
    Error::input(field, message)
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("/v2/projects/p-123456/locations", true)]
    #[test_case("/v2/projects/p/locations/-/functions/f:getIamPolicy", true; "a custom verb")]
    #[test_case("/v2/../../v1/projects/other", false)]
    #[test_case("/v2/%2e%2e/v1/x", false)]
    #[test_case("/v2/%2E/x", false)]
    #[test_case("/v2//projects", false)]
    #[test_case("//evil.com/v2", false)]
    #[test_case("/v2/projects/p%0d%0aHost:%20evil", false)]
    #[test_case("/v2/projects/p%00", false)]
    #[test_case("/v2/projects/p name", false)]
    #[test_case("/v2/projects/%zz", false)]
    #[test_case("/v2/projects/%+1", false; "a sign is no digit")]
    #[test_case("/v2/projects/%", false)]
    #[test_case("/v2/projects/%252e%252e", false)]
    // <https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.logs/delete>: LOG_ID is URL-encoded.
    #[test_case("/v2/projects/p/logs/cloudfunctions.googleapis.com%2Fcloud-functions", true; "the id of a log")]
    #[test_case("/v2/projects/a%2fb", true; "an escaped slash")]
    #[test_case("/v2/x/https%3A%2F%2Fexample.com%2F", true; "an address in a segment")]
    #[test_case("/v2/x/a%2F..%2Fb", false; "dots among escaped slashes")]
    #[test_case("/v2/x/a%2F%2e%2e", false; "escaped dots behind one")]
    #[test_case("/v2/x/%2F.;a", false; "a dot with a parameter")]
    #[test_case("/v2/projects/a%5Cb", false; "an escaped backslash")]
    #[test_case("/v2/projects/a%252Fb", false; "a slash escaped twice")]
    #[test_case("/v2/projects/%ff%fe", false)]
    #[test_case("/v2/projects/\u{e9}", false)]
    #[test_case("*", false)]
    #[test_case("@evil.com/", false)]
    #[test_case("http://evil.com/", false)]
    #[test_case("", false)]
    #[test_case("/v2?x=1", false; "the query goes apart")]
    fn an_api_path(path: &str, ok: bool) {
        assert_eq!(PathAndQuery::for_api(path, &Query::None).is_ok(), ok);
    }

    #[test_case("pageSize=10&pageToken=abc", true)]
    #[test_case("access_token=ya29.x", false)]
    #[test_case("oauth_token=ya29.x", false)]
    #[test_case("key=AIza", false)]
    #[test_case("k%65y=AIza", false; "escaped name")]
    #[test_case("ACCESS_TOKEN=ya29.x", false)]
    #[test_case("callback=alert(1)", false)]
    #[test_case("$userProject=other-project", false)]
    #[test_case("%24httpMethod=DELETE", false)]
    #[test_case("alt=media", false)]
    // As Google's clients send them (<https://cloud.google.com/apis/docs/system-parameters>).
    #[test_case("alt=json", true)]
    #[test_case("$alt=json", true)]
    #[test_case("%61lt=%6Ason", true; "the same escaped")]
    #[test_case("alt=json&prettyPrint=false", true)]
    #[test_case("$prettyPrint=true", true)]
    #[test_case("alt=json;enum-encoding=int", false; "another answer by a parameter of its value")]
    #[test_case("$alt=json%3Benum-encoding=int", false; "the same escaped parameter")]
    #[test_case("alt=json&alt=media", false; "the default, and another")]
    #[test_case("x=1;alt=media", false; "behind a semicolon")]
    #[test_case("alt=", false; "alt of nothing")]
    #[test_case("alt", false; "alt alone")]
    #[test_case("alt=JSON", false; "another value by its letters")]
    #[test_case("prettyPrint=maybe", false)]
    #[test_case("$.xgafv=2", true; "the usual format of errors")]
    #[test_case("$.xgafv=1", false; "another format of errors")]
    #[test_case("$fields=name", false)]
    #[test_case("quotaUser=x", false)]
    #[test_case("uploadType=resumable", false)]
    #[test_case("upload_protocol=resumable", false)]
    #[test_case("a=1&a=2&access_token=x", false)]
    #[test_case("x=1%0d%0aX: y", false)]
    #[test_case("x=%zz", false)]
    #[test_case("filter=a b", false)]
    fn an_api_query(query: &str, ok: bool) {
        let query = Query::Raw(query.to_owned());
        assert_eq!(PathAndQuery::for_api("/v2/x", &query).is_ok(), ok);
    }

    #[test]
    fn a_parameter_that_is_refused_is_named() {
        for (query, named) in [
            ("a=1&alt=media", "`alt`"),
            ("$userProject=other", "`$userproject`"),
            ("k%65y=AIza", "`key`"),
            ("UploadType=media", "`uploadtype`"),
        ] {
            let error = PathAndQuery::for_api("/v2/x", &Query::Raw(query.to_owned())).unwrap_err();
            assert!(error.fields().message.contains(named), "{error}");
            assert!(!error.to_string().contains("AIza"), "{error}");
        }
    }

    #[test]
    fn an_escaped_slash_is_sent_as_it_is_and_read_both_ways() {
        let target = PathAndQuery::for_api("/v2/a%2Fb/c?x".trim_end_matches("?x"), &Query::None).unwrap();
        assert_eq!(target.as_str(), "/v2/a%2Fb/c");
        assert_eq!(target.readings(), [vec!["v2", "a/b", "c"], vec!["v2", "a", "b", "c"]]);
        let below = PathAndQuery::for_function("/fn", "/files/a%2Fb", &Query::None).unwrap();
        assert_eq!(below.as_str(), "/fn/files/a%2Fb");
    }

    #[test]
    fn pairs_are_encoded_and_their_names_are_checked_too() {
        let pairs = |name: &str| Query::Pairs(vec![(name.to_owned(), "a b&c".to_owned())]);
        assert_eq!(PathAndQuery::for_api("/x", &pairs("q")).unwrap().as_str(), "/x?q=a+b%26c");
        assert!(PathAndQuery::for_api("/x", &pairs("access_token")).is_err());
    }

    #[test]
    fn a_raw_query_is_sent_as_written() {
        let query = Query::Raw("a=1&a=%20&b".to_owned());
        let target = PathAndQuery::for_function("/fn", "/sub", &query).unwrap();
        assert_eq!(target.as_str(), "/fn/sub?a=1&a=%20&b");
    }
}
