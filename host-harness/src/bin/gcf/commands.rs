//! From a command to its outcome: one call of the library each.

pub(crate) mod demo;
pub(crate) mod describe;
#[cfg(test)]
mod foreign;
pub(crate) mod tape;

use std::{path::Path, time::Instant};

use gcf_host::{
    secrets::Expected,
    wit::{
        api::{ApiRequest, PagesRequest},
        connections::{AuthorizeRequest, ConnectRequest, Connection, CredentialKind},
        functions::{
            Auth, FunctionRef, InvokeRequest, ListRequest, NamedFunction, OptionField, OptionsRequest,
        },
        planning::Action,
        types::{GuardRails, Header, Query},
    },
};

use crate::{
    cli::{self, Command, ConnectionsAction},
    commands::describe::Described,
    context::Context,
    input::{bodies, files},
    output::{failure::Failure, outcome::Outcome, plan::plan, words},
    sign_in,
};

/// Does what `command` says. `demo` is not among it: it runs other commands.
pub(crate) async fn run(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Completions { .. } => Err(Failure::input("completions need no connection")),
        Command::Demo { .. } => Err(Failure::input("the demo does not run within itself")),
        Command::Tape { .. } => Err(Failure::input("a tape is looked at without a host")),
        Command::Describe { action } => {
            Described::of(context.host.describe(), action.as_deref()).map(Outcome::Described)
        }
        Command::Connect(connect) => self::connect(context, *connect).await,
        Command::Reconnect(reconnect) => {
            let id = context.named(&reconnect.id).await?.id;
            sign_in::reconnect(context, id, reconnect.credential).await
        }
        Command::Connections { action: None } => Ok(Outcome::Connections(context.host.connections().await?)),
        Command::Connections { action: Some(ConnectionsAction::Show { id }) } => {
            let connection = context.named(&id).await?;
            let shared = context.shared_with(&connection.id)?;
            Ok(Outcome::Connection { connection, shared })
        }
        Command::Connections { action: Some(ConnectionsAction::Check { id }) } => {
            check(context, context.named(&id).await?, None).await
        }
        Command::Connections { action: Some(ConnectionsAction::Rename { id, nickname }) } => {
            let id = context.named(&id).await?.id;
            Ok(Outcome::Renamed(context.host.rename(&id, &nickname).await?))
        }
        Command::Restrict(restrict)
        | Command::Connections { action: Some(ConnectionsAction::Restrict(restrict)) } => {
            self::restrict(context, restrict).await
        }
        Command::Connections { action: Some(ConnectionsAction::Share { id, to }) } => {
            context.refuse_in_replay()?;
            let connection = context.named(&id).await?;
            context
                .directory()?
                .share(&connection.id, &to)
                .map_err(|error| Failure::store_refuses(&format!("share {id}"), &error))?;
            Ok(Outcome::Shared { connection, with: to })
        }
        Command::Connections { action: Some(ConnectionsAction::Unshare { id, from }) } => {
            context.refuse_in_replay()?;
            let connection = context.named(&id).await?;
            context
                .directory()?
                .unshare(&connection.id, &from)
                .map_err(|error| Failure::store_refuses(&format!("unshare {id}"), &error))?;
            Ok(Outcome::Unshared { connection, with: from })
        }
        Command::Doctor { function, region } => {
            let function = function.map(|name| function_ref(name, region)).transpose()?;
            check(context, context.current().await?, function).await
        }
        Command::Supply { name, file } => supply(context, &name, &file).await,
        Command::Store => store(context),
        Command::Connections { action: Some(ConnectionsAction::Disconnect { id }) }
        | Command::Disconnect { id } => disconnect(context, &id).await,
        Command::List(list) => self::list(context, list).await,
        Command::Options(options) => self::options(context, options).await,
        Command::Get(get) => {
            let function = function_ref(get.function, get.region)?;
            let connection = context.current().await?;
            if context.plan {
                return plan(context, &connection.id, Action::Get(function)).await;
            }
            let got = context.host.get_function(&connection.id, function, context.timeout).await;
            got.map(Outcome::Function).map_err(|error| Failure::of_call(error, &connection))
        }
        Command::Invoke(invoke) => self::invoke(context, *invoke).await,
        Command::CustomApi(request) => custom_api(context, request).await,
    }
}

async fn connect(context: &Context, connect: cli::Connect) -> Result<Outcome, Failure> {
    let cli::Connect { nickname, if_absent, project, region, credential, invoker, guard_rails } = connect;
    if if_absent && let Some(outcome) = connected_already(context, &nickname).await? {
        return Ok(outcome);
    }
    let invoker = sign_in::invoker(invoker)?;
    let guard_rails = Some(self::guard_rails(guard_rails));
    let connected = if credential.kind.oauth {
        sign_in::by_consent(context, credential, |client, login| AuthorizeRequest {
            nickname,
            project,
            region,
            client,
            redirect_uri: login.redirect_uri,
            login_hint: login.login_hint,
            hosted_domain: login.hosted_domain,
            invoker,
            guard_rails,
            connection: None,
        })
        .await?
    } else {
        let (credential, subject_token) = sign_in::credential(context, credential)?;
        let request = ConnectRequest {
            nickname,
            project,
            region,
            credential: credential.clone(),
            subject_token: subject_token.clone(),
            invoker,
            guard_rails,
        };
        if context.plan {
            return plan(context, "", Action::Connect(request)).await;
        }
        let connected = context.host.connect(request, context.timeout).await;
        connected
            .map_err(|error| sign_in::in_our_words(error.into(), &credential, subject_token.as_deref()))?
    };
    Ok(Outcome::Connected(connected))
}

/// The connection of this nickname, if there is one. Which of several is meant, nobody can tell.
async fn connected_already(context: &Context, nickname: &str) -> Result<Option<Outcome>, Failure> {
    let mut alike = context.host.connections().await?;
    alike.retain(|connection| connection.nickname == nickname);
    match <[Connection; 1]>::try_from(alike) {
        Ok([connection]) => {
            let shared = context.shared_with(&connection.id)?;
            Ok(Some(Outcome::Connection { connection, shared }))
        }
        Err(none) if none.is_empty() => Ok(None),
        Err(several) => {
            Err(Failure::input(format!("there are {} connections of the nickname {nickname}", several.len()))
                .with_fix("rename all but one: gcf connections rename ID NICKNAME"))
        }
    }
}

async fn restrict(context: &Context, restrict: cli::Restrict) -> Result<Outcome, Failure> {
    let rails = guard_rails(restrict.guard_rails);
    let nothing = guard_rails(cli::GuardRails::default());
    match (restrict.none, rails == nothing) {
        (true, false) => {
            return Err(Failure::input("--none takes all guard rails away, and here is one to set")
                .with_fix("leave --none out, or the others"));
        }
        (false, true) => {
            return Err(Failure::input("nothing is said about what it may do").with_fix(
                "name all that is to hold, such as --read-only --allow-region us-central1; or --none",
            ));
        }
        (true, true) | (false, false) => {}
    }
    let before = context.named(&restrict.id).await?;
    let mut restricted = context.host.restrict(&before.id, Some(rails)).await?;
    let said =
        |connection: &Connection| connection.guard_rails.as_ref().map(words::guard_rails).unwrap_or_default();
    let now = said(&restricted.connection);
    let gone: Vec<String> = said(&before).into_iter().filter(|rail| !now.contains(rail)).collect();
    // Each time, all that is to hold is said.
    if !restrict.none && !gone.is_empty() {
        restricted.warnings.push(format!("no longer: {}; name it again if it is to stay", gone.join("; ")));
    }
    Ok(Outcome::Restricted(restricted))
}

/// What forbids nothing is none, to the component.
fn guard_rails(rails: cli::GuardRails) -> GuardRails {
    let cli::GuardRails { read_only, regions, functions, methods, max_body, own_project, audiences } = rails;
    GuardRails { read_only, regions, functions, methods, max_body, own_project, audiences }
}

async fn check(
    context: &Context,
    connection: Connection,
    function: Option<FunctionRef>,
) -> Result<Outcome, Failure> {
    if context.plan {
        return plan(context, &connection.id, Action::Check(function)).await;
    }
    let findings = context.host.check(&connection.id, function, context.timeout).await?;
    // As the check has left it: a token that cannot be had is a fault of the connection.
    let connection = context.host.connection(&connection.id).await?;
    Ok(Outcome::Checked { connection, findings })
}

async fn supply(context: &Context, name: &str, file: &Path) -> Result<Outcome, Failure> {
    context.refuse_in_replay()?;
    let (key, value) = match name.strip_prefix("keys/") {
        Some(id) => {
            // There lie the keys of connections that came with one, too.
            if context.host.connections().await?.iter().any(|connection| connection.id == id) {
                return Err(Failure::input(format!("{name} is the key of the connection {id}"))
                    .with_fix(format!("choose another name, or: gcf reconnect {id} --credentials FILE")));
            }
            (name.to_owned(), files::private_key(file)?)
        }
        None => (sign_in::supplied(name), files::token(file)?),
    };
    context
        .store
        .put(&key, &value, &Expected::Anything)
        .map_err(|error| Failure::store_refuses(&format!("keep {key}"), &error))?;
    Ok(Outcome::Supplied { key })
}

async fn disconnect(context: &Context, name: &str) -> Result<Outcome, Failure> {
    let connection = context.named(name).await?;
    if context.plan {
        return plan(context, &connection.id, Action::Disconnect).await;
    }
    let mut result = context.host.disconnect(&connection.id, context.timeout).await?;
    // To Google, all sign-ins of one person through one OAuth client are one grant.
    let others = context.host.connections().await?;
    let user = CredentialKind::AuthorizedUser;
    for other in others.iter().filter(|other| connection.kind == user && other.kind == user) {
        if other.account == connection.account {
            result.warnings.push(format!(
                "{} ({}) is of the same account: if it is of the same OAuth client too, its sign-in has ended \
                 with this one; `gcf doctor --connection {}` tells",
                other.nickname, other.id, other.id
            ));
        }
    }
    Ok(Outcome::Disconnected { connection, result })
}

fn store(context: &Context) -> Result<Outcome, Failure> {
    let directory = context.directory()?;
    Ok(Outcome::Stored {
        folder: directory.path().to_owned(),
        key: context.key_place.clone(),
        recipient: directory.recipient(),
        hidden: directory.hidden().map_err(|error| Failure::store(&error))?,
    })
}

async fn list(context: &Context, list: cli::List) -> Result<Outcome, Failure> {
    let request = ListRequest {
        regions: list.regions,
        filter: list.filter,
        order_by: list.order_by,
        page_size: list.page_size,
        page_token: list.page_token,
        limit: list.limit,
    };
    let ordered = request.order_by.is_some();
    let connection = context.current().await?;
    if context.plan {
        return plan(context, &connection.id, Action::List(request)).await;
    }
    let listed = context.host.list_functions(&connection.id, request, context.timeout).await;
    let list = listed.map_err(|error| Failure::of_call(error, &connection))?;
    Ok(Outcome::Listed { list, ordered })
}

async fn options(context: &Context, options: cli::Options) -> Result<Outcome, Failure> {
    let cli::Options { field, prefix, region, limit } = options;
    let field = match field {
        cli::OptionField::Regions if region.is_some() => {
            return Err(Failure::input("--region goes with `gcf options functions` only")
                .with_fix("give the beginning of a region without it: gcf options regions europe"));
        }
        cli::OptionField::Regions => OptionField::Regions,
        cli::OptionField::Functions => OptionField::Functions(region.clone()),
    };
    let connection = context.current().await?;
    let of_functions_in = matches!(field, OptionField::Functions(_))
        .then(|| region.unwrap_or_else(|| connection.region.clone()));
    let request = OptionsRequest { field, prefix, limit };
    if context.plan {
        return plan(context, &connection.id, Action::Options(request)).await;
    }
    let offered = context.host.options(&connection.id, request, context.timeout).await;
    let list = offered.map_err(|error| Failure::of_call(error, &connection))?;
    Ok(Outcome::Offered { list, of_functions_in })
}

async fn invoke(context: &Context, invoke: cli::Invoke) -> Result<Outcome, Failure> {
    let cli::Request { query, query_string, header, data, content_type, include } = invoke.request;
    let body = bodies::body(data.as_deref(), content_type.as_deref(), invoke.more)?;
    let without_method = if body.is_some() { "POST" } else { "GET" };
    let request = InvokeRequest {
        function: function_ref(invoke.function, invoke.region)?,
        method: invoke.method.unwrap_or_else(|| without_method.to_owned()),
        path: invoke.path,
        query: self::query(query, query_string),
        headers: headers(header),
        body,
        auth: match invoke.auth {
            cli::Auth::Auto => Auth::Auto,
            cli::Auth::IdToken => Auth::IdToken,
            cli::Auth::None => Auth::None,
        },
        invoker: sign_in::invoker(invoke.invoker)?,
        audience: invoke.audience,
        authorization: bodies::authorization(invoke.authorization_file.as_deref())?,
        idempotent: invoke.idempotent,
        raise_for_status: invoke.fail,
    };
    let connection = context.current().await?;
    if context.plan {
        return plan(context, &connection.id, Action::Invoke(request)).await;
    }
    let invoked = context.host.invoke(&connection.id, request, context.timeout).await;
    let invocation = invoked.map_err(|error| {
        let failure = sign_in::invoker_in_our_words(Failure::of_call(error, &connection));
        // What --fail is called in the contract.
        match failure.fix().map(|fix| fix.replace("leave raise-for-status off", "leave --fail out")) {
            Some(fix) => failure.with_fix(fix),
            None => failure,
        }
    })?;
    Ok(Outcome::Invoked { invocation, include })
}

async fn custom_api(context: &Context, custom: cli::CustomApi) -> Result<Outcome, Failure> {
    let cli::Request { query, query_string, header, data, content_type, include } = custom.request;
    let request = ApiRequest {
        api: custom.api,
        method: custom.method,
        path: custom.path,
        query: self::query(query, query_string),
        headers: headers(header),
        body: bodies::of_data(data.as_deref(), content_type.as_deref())?,
    };
    let connection = context.current().await?;
    if custom.all_pages {
        let request = PagesRequest {
            request,
            items: custom.items,
            page_token: custom.page_token,
            max_pages: custom.max_pages,
        };
        if context.plan {
            return plan(context, &connection.id, Action::AllPages(request)).await;
        }
        let pages = context.host.all_pages(&connection.id, request, context.timeout).await;
        return pages.map(Outcome::Paged).map_err(|error| Failure::of_call(error, &connection));
    }
    if context.plan {
        return plan(context, &connection.id, Action::CustomApi(request)).await;
    }
    let began = Instant::now();
    let answered = context.host.custom_api(&connection.id, request, context.timeout).await;
    let response = answered.map_err(|error| Failure::of_call(error, &connection))?;
    let left = context.timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
    let response = context.cleaned(response, left).await?;
    Ok(Outcome::Answered { response, include, fail: custom.fail })
}

/// A bare name, a resource name or a URL: what it is shows in how it begins.
fn function_ref(function: String, region: Option<String>) -> Result<FunctionRef, Failure> {
    let url = function.contains("://");
    let resource = function.starts_with("projects/");
    if region.is_some() && (url || resource) {
        return Err(Failure::input("--region goes with a bare name only")
            .with_fix("leave --region out: a resource name or a URL says where the function is"));
    }
    Ok(match (url, resource) {
        (true, _) => FunctionRef::Url(function),
        (false, true) => FunctionRef::Resource(function),
        (false, false) => FunctionRef::Named(NamedFunction { name: function, region }),
    })
}

fn query(pairs: Vec<(String, String)>, raw: Option<String>) -> Option<Query> {
    raw.map(Query::Raw).or_else(|| (!pairs.is_empty()).then_some(Query::Pairs(pairs)))
}

fn headers(headers: Vec<(String, String)>) -> Vec<Header> {
    headers.into_iter().map(|(name, value)| Header { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_function_is_named_shows_in_how_it_begins() {
        let named = function_ref("f".to_owned(), Some("r".to_owned())).unwrap();
        assert!(matches!(named, FunctionRef::Named(named) if named.region.as_deref() == Some("r")));
        let resource = function_ref("projects/p/locations/r/functions/f".to_owned(), None).unwrap();
        assert!(matches!(resource, FunctionRef::Resource(_)));
        // The component refuses http with a message of its own.
        let url = function_ref("http://f.run.app".to_owned(), None).unwrap();
        assert!(matches!(url, FunctionRef::Url(_)));
        assert!(function_ref("https://f.run.app".to_owned(), Some("r".to_owned())).is_err());
    }
}
