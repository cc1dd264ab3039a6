//! What can be said of the calls that a connection is for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Invoker;
use crate::input::{
    bodies::{self, FilePart},
    values,
};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this region (repeatable)
    #[arg(long = "region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// Functions a page, 1 to 1000
    #[arg(long, value_name = "N")]
    pub(crate) page_size: Option<u32>,
    /// Stop after the page on which so many functions are reached
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// Go on where a list with the same options was cut, and read one page
    #[arg(long, value_name = "TOKEN")]
    pub(crate) page_token: Option<String>,
    /// A filter in Google's language (AIP-160), such as 'state="ACTIVE"'; leaves Cloud Run out
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// An order in Google's language (AIP-132), such as 'name desc'; Cloud Run comes last
    #[arg(long, value_name = "ORDER")]
    pub(crate) order_by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What is offered: `regions` or `functions`
    #[arg(value_enum, value_name = "FIELD", hide_possible_values = true)]
    pub(crate) field: OptionField,
    /// Only what begins with it
    pub(crate) prefix: Option<String>,
    /// The functions of this region; by default of the connection's own
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// At most so many, 100 if left out
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptionField {
    Regions,
    Functions,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// A name, or projects/P/locations/R/functions/F
    #[arg(value_name = "NAME")]
    pub(crate) function: String,
    /// Where it is; by default all regions are searched, and two of the name are an error
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Invoke {
    /// A name, projects/P/locations/R/functions/F, or the function's own https URL
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,
    /// Where it is; by default all regions are searched, and two of the name are an error
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// By default GET, or POST if there is a body
    #[arg(long, value_parser = values::method)]
    pub(crate) method: Option<String>,
    /// A path below the function's URL
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) request: Request,
    #[command(flatten)]
    pub(crate) more: MoreBodies,
    /// What tells the function who calls: `auto` (nothing, and an ID token only if Google asks for one),
    /// `id-token`, or `none` (no credential of any kind)
    // A list of values would make the whole page a long one.
    #[arg(long, value_enum, default_value_t = Auth::IdToken, hide_possible_values = true)]
    pub(crate) auth: Auth,
    /// In place of the audience that the function's generation asks for
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// An Authorization of your own for the function, beside the ID token: the file holds the whole value
    #[arg(long, value_name = "FILE")]
    pub(crate) authorization_file: Option<PathBuf>,
    /// The function may be called twice: repeat after a temporary failure
    #[arg(long)]
    pub(crate) idempotent: bool,
    /// Exit with 22, and print no body, if the status is not 2xx
    #[arg(long)]
    pub(crate) fail: bool,
    // Last, for its heading is that of all that follows.
    #[command(flatten)]
    pub(crate) invoker: Invoker,
}

/// What `invoke` can send beside `--data`.
#[derive(Debug, Args)]
pub(crate) struct MoreBodies {
    /// A field of a form (repeatable)
    #[arg(long, value_name = "K=V", value_parser = values::pair, conflicts_with = "data")]
    pub(crate) form: Vec<(String, String)>,
    /// A file as a part of a multipart body (repeatable), with the fields of --form beside it
    #[arg(
        long = "file",
        value_name = "NAME=@PATH[;type=TYPE]",
        value_parser = bodies::file_part,
        conflicts_with = "data"
    )]
    pub(crate) files: Vec<FilePart>,
    /// A CloudEvent in JSON, from a file or stdin: functions that events start take it
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["data", "form", "files"])]
    pub(crate) event: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CustomApi {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = values::method)]
    pub(crate) method: String,
    /// A path on the API such as /v2/projects/p/locations; or a function's own https URL, which gets
    /// no credential
    pub(crate) path: String,
    /// Which API, of those that `gcf describe` lists; by default functions
    #[arg(long, value_name = "NAME")]
    pub(crate) api: Option<String>,
    /// Read a list page after page, and print all items as one JSON array
    #[arg(long, conflicts_with_all = ["data", "content_type", "include"])]
    pub(crate) all_pages: bool,
    /// The field that holds the items; by default the only list there is
    #[arg(long, value_name = "FIELD", requires = "all_pages")]
    pub(crate) items: Option<String>,
    /// Read so many pages at most, by default 150
    #[arg(long, value_name = "N", requires = "all_pages")]
    pub(crate) max_pages: Option<u32>,
    /// Go on where an earlier list was cut
    #[arg(long, value_name = "TOKEN", requires = "all_pages")]
    pub(crate) page_token: Option<String>,
    /// Exit with 22 if the status is not 2xx; the body is printed all the same
    #[arg(long, conflicts_with = "all_pages")]
    pub(crate) fail: bool,
    #[command(flatten)]
    pub(crate) request: Request,
}

/// What `invoke` and `custom-api` have in common.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// A query parameter (repeatable); it is percent-encoded for you
    #[arg(long, value_name = "K=V", value_parser = values::pair)]
    pub(crate) query: Vec<(String, String)>,
    /// The whole query as it is to be sent, already percent-encoded, in place of --query
    #[arg(long, value_name = "TEXT", conflicts_with = "query")]
    pub(crate) query_string: Option<String>,
    /// A header (repeatable)
    #[arg(long, value_name = "'K: V'", value_parser = values::header)]
    pub(crate) header: Vec<(String, String)>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Nothing, and an ID token only if Google's front end asks for one.
    Auto,
    /// An ID token.
    IdToken,
    /// No credential of any kind.
    None,
}
