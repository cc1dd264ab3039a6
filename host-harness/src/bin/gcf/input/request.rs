//! Options of a request, which `invoke` and `custom-api` have in common.

use clap::Args;
use gcf_host::wit::types::{Body, Header, Query};

use super::{bodies, values};
use crate::output::failure::Failure;

/// A query, headers and a body.
#[derive(Debug, Default, Args)]
pub(crate) struct Request {
    /// A query parameter (repeatable); it is percent-encoded for you
    #[arg(long, value_name = "K=V", value_parser = values::pair)]
    query: Vec<(String, String)>,
    /// The whole query as it is to be sent, already percent-encoded, in place of --query
    #[arg(long, value_name = "TEXT", conflicts_with = "query")]
    query_string: Option<String>,
    /// A header (repeatable)
    #[arg(long, value_name = "'K: V'", value_parser = values::header)]
    header: Vec<(String, String)>,
    /// The body: the text itself, @FILE, or - for stdin. JSON is sent as JSON, other text as text
    #[arg(long, value_name = "S|@FILE|-", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Send the body's bytes as they are, under this media type
    #[arg(long, value_name = "TYPE", requires = "data")]
    pub(crate) content_type: Option<String>,
    /// Print the response's headers before its body
    #[arg(short, long)]
    pub(crate) include: bool,
}

impl Request {
    pub(crate) fn query(&self) -> Option<Query> {
        let pairs = || (!self.query.is_empty()).then(|| Query::Pairs(self.query.clone()));
        self.query_string.clone().map(Query::Raw).or_else(pairs)
    }

    pub(crate) fn headers(&self) -> Vec<Header> {
        self.header.iter().map(|(name, value)| Header { name: name.clone(), value: value.clone() }).collect()
    }

    pub(crate) fn body(&self) -> Result<Option<Body>, Failure> {
        bodies::body(self.data.as_deref(), self.content_type.as_deref(), self.header_content_type())
    }

    /// The media type that a header names.
    pub(crate) fn header_content_type(&self) -> Option<&str> {
        let named = self.header.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        named.map(|(_, value)| value.as_str())
    }
}
