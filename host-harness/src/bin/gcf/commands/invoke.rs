//! `gcf invoke`: a call of a function.

mod body;

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, ValueEnum};
use gcf_host::{
    Action,
    wit::{
        Case as _,
        functions::{self, Invocation, InvokeRequest},
    },
};
use serde_json::{Value, json};

use self::body::MoreBodies;
use super::{Planning, Run, Running};
use crate::{
    context::Context,
    input::{function::function_ref, invoker::Invoker, request::Request, values},
    output::{
        exit::Exit,
        failure::Failure,
        json, response,
        shown::{Outcome, Shown},
        style::{Look, plain},
    },
};

/// Call a function, and print what it answers
#[derive(Debug, Args)]
pub(crate) struct Invoke {
    /// A name, projects/P/locations/R/functions/F, or the function's own https URL
    #[arg(value_name = "FUNCTION")]
    function: String,
    /// The function's region; by default all are searched, and two functions of the name are an error
    #[arg(long)]
    region: Option<String>,
    /// By default GET, or POST if there is a body
    #[arg(long, value_parser = values::method)]
    method: Option<String>,
    /// A path below the function's URL
    #[arg(long, default_value = "", hide_default_value = true)]
    path: String,
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    more: MoreBodies,
    /// The proof of who calls: `id-token`; `auto`, which sends one only if Google asks for it; or `none`
    // A list of values would make the whole page a long one.
    #[arg(long, value_enum, default_value_t = Auth::IdToken, hide_possible_values = true)]
    auth: Auth,
    /// Ask for an ID token with this audience, instead of the one that the function expects
    #[arg(long)]
    audience: Option<String>,
    /// An Authorization of your own for the function, beside the ID token: the file holds the whole value
    #[arg(long, value_name = "FILE")]
    authorization_file: Option<PathBuf>,
    /// Send the ID token in X-Serverless-Authorization, so that the function finds no Authorization but your own: for
    /// functions that take any for somebody else's, as Firebase's callable ones do
    #[arg(long)]
    serverless_authorization: bool,
    /// The function may be called twice: repeat after a temporary failure
    #[arg(long)]
    idempotent: bool,
    /// Exit with 22, and print the answer to stderr, if the status is not 2xx
    #[arg(long)]
    fail: bool,
    // Last, for its heading is that of all that follows.
    #[command(flatten)]
    invoker: Invoker,
}

/// Proof of who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Nothing, and an ID token only if Google's front end asks for one.
    Auto,
    /// An ID token.
    IdToken,
    /// No credential of any kind.
    None,
}

impl Run for Invoke {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let (include, fail) = (self.request.include, self.fail);
            let request = self.into_request()?;
            let connection = context.current().await?;
            let invoke = async |request| {
                let invoked = context.host.invoke(&connection.id, request, context.timeout).await;
                let invocation = invoked.map_err(|error| Failure::of_call(error, &connection))?;
                Ok(Invoked { invocation, include, fail })
            };
            context.call(&connection.id, request, Action::Invoke, invoke).await
        })
    }
}

impl Invoke {
    fn into_request(self) -> Result<InvokeRequest, Failure> {
        let body = body::body(&self.request, self.more)?;
        let without_method = if body.is_some() { "POST" } else { "GET" };
        let method = self.method.unwrap_or_else(|| without_method.to_owned());
        let mut request = InvokeRequest::new(method, function_ref(self.function, self.region)?);
        request.path = self.path;
        request.query = self.request.query();
        request.headers = self.request.headers();
        request.body = body;
        request.auth = match self.auth {
            Auth::Auto => functions::Auth::Auto,
            Auth::IdToken => functions::Auth::IdToken,
            Auth::None => functions::Auth::None,
        };
        request.invoker = self.invoker.into_contract()?;
        request.audience = self.audience;
        request.authorization = body::authorization(self.authorization_file.as_deref())?;
        request.serverless_authorization = self.serverless_authorization;
        request.idempotent = self.idempotent;
        // An error would have no body, and that is to be seen: `raise_for_status` stays off.
        Ok(request)
    }
}

/// The function's answer.
pub(super) struct Invoked {
    pub(super) invocation: Invocation,
    pub(super) include: bool,
    /// A status outside 2xx was to be a failure.
    pub(super) fail: bool,
}

impl Invoked {
    /// Tells if the function failed, with its status, or as `functions.call` says it.
    fn fails(&self) -> bool {
        let Invocation { status, execution_error, .. } = &self.invocation;
        self.fail && (!(200..300).contains(status) || execution_error.is_some())
    }
}

impl Outcome for Invoked {
    fn show(&self, look: Look) -> Shown {
        let invocation = &self.invocation;
        let mut carried = response::carried(invocation.token);
        if let Some(audience) = &invocation.audience {
            let _ = write!(carried, " for {}", plain(audience));
        }
        if let Some(principal) = &invocation.principal {
            let _ = write!(carried, " as {}", plain(principal));
        }
        let (headers, body) = (&invocation.headers, invocation.body.as_bytes());
        let show = if self.fails() { response::show_failure } else { response::show };
        let mut shown = show(invocation.status, headers, body, self.include, look, &carried);
        if let Some(failure) = &invocation.execution_error {
            shown.after += &format!("{} {}\n", look.err.error("the function failed:"), plain(failure));
        }
        shown.after += &response::diagnosis(invocation.diagnosis.as_deref(), look);
        shown
    }

    fn json(&self) -> Value {
        let invocation = &self.invocation;
        json!({
            "status": invocation.status,
            "headers": json::headers(&invocation.headers),
            "body": json::body(&invocation.headers, invocation.body.as_bytes()),
            "url": invocation.url,
            "generation": invocation.generation.name(),
            "token": invocation.token.name(),
            "audience": invocation.audience,
            "principal": invocation.principal,
            "execution-id": invocation.execution_id,
            "execution-error": invocation.execution_error,
            "diagnosis": invocation.diagnosis,
            "trace": json::trace(&invocation.trace),
        })
    }

    fn exit(&self) -> Exit {
        if self.fails() { Exit::Status } else { Exit::Done }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::commands::{Cli, Command};

    #[test]
    fn stdin_is_a_value_of_data() {
        let cli = Cli::try_parse_from(["gcf", "invoke", "f", "--data", "-", "-i"]).unwrap();
        let Command::Invoke(invoke) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(invoke.request.data.as_deref(), Some("-"));
        assert!(invoke.request.include);
        assert_eq!(invoke.auth, Auth::IdToken);
    }

    #[test]
    fn a_request_has_one_body() {
        let parse = |arguments: &[&str]| {
            Cli::try_parse_from(["gcf", "invoke", "f"].iter().chain(arguments))
                .map(drop)
                .map_err(|error| error.kind())
        };
        use clap::error::ErrorKind::{ArgumentConflict, ValueValidation};
        assert_eq!(parse(&["--form", "a=b", "--file", "c=@d", "--form", "a=c"]), Ok(()));
        assert_eq!(parse(&["--event", "-"]), Ok(()));
        assert_eq!(parse(&["--data", "x", "--form", "a=b"]), Err(ArgumentConflict));
        assert_eq!(parse(&["--data", "x", "--file", "a=@b"]), Err(ArgumentConflict));
        for other in [["--data", "x"], ["--form", "a=b"], ["--file", "a=@b"]] {
            assert_eq!(parse(&["--event", "e", other[0], other[1]]), Err(ArgumentConflict));
        }
        assert_eq!(parse(&["--file", "a=b"]), Err(ValueValidation));
    }

    #[test]
    fn a_content_type_needs_data() {
        let error = Cli::try_parse_from(["gcf", "invoke", "f", "--content-type", "a/b"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::MissingRequiredArgument);
    }
}
