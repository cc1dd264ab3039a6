//! From a command to its outcome: one call of the library each.

use gcf_host::wit::{
    api::ApiRequest,
    connections::{ConnectRequest, Connection, Credential},
    functions::{Auth, FunctionRef, InvokeRequest, ListRequest, NamedFunction},
    types::{ErrorKind, Header, Query},
};

use crate::{
    cli::{self, Command, ConnectionsAction},
    errors::Failure,
    inputs,
    outcome::Outcome,
    session::Session,
};

/// Does what `command` says. `demo` is not among it: it runs other commands.
pub(crate) async fn run(session: &Session, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Demo => Err(Failure::input("the demo does not run within itself")),
        Command::Describe => describe(session),
        Command::Connect(connect) => self::connect(session, connect).await,
        Command::Connections { action: None } => Ok(Outcome::Connections(session.host.connections().await?)),
        Command::Connections { action: Some(ConnectionsAction::Show { id }) } => {
            let id = resolve(session, Some(&id)).await?;
            Ok(Outcome::Connection(session.host.connection(&id).await?))
        }
        Command::Connections { action: Some(ConnectionsAction::Check { id }) } => {
            check(session, Some(&id)).await
        }
        Command::Check => check(session, session.connection.as_deref()).await,
        Command::Connections { action: Some(ConnectionsAction::Disconnect { id }) }
        | Command::Disconnect { id } => {
            let id = resolve(session, Some(&id)).await?;
            let result = session.host.disconnect(&id, session.timeout).await?;
            Ok(Outcome::Disconnected { id, result })
        }
        Command::List(list) => self::list(session, list).await,
        Command::Get(get) => {
            let function = function_ref(get.function, get.region)?;
            let connection = current(session).await?;
            Ok(Outcome::Function(session.host.get_function(&connection, function, session.timeout).await?))
        }
        Command::Invoke(invoke) => self::invoke(session, invoke).await,
        Command::CustomApi(request) => custom_api(session, request).await,
    }
}

fn describe(session: &Session) -> Result<Outcome, Failure> {
    let catalog = serde_json::from_str(session.host.describe())
        .map_err(|error| Failure::fault(format!("the component's catalog is not JSON: {error}")))?;
    Ok(Outcome::Described(catalog))
}

async fn connect(session: &Session, connect: cli::Connect) -> Result<Outcome, Failure> {
    let request = ConnectRequest {
        nickname: connect.nickname,
        project: connect.project,
        region: connect.region,
        credential: Credential::GoogleJson(session.source.key(&connect.credentials)?),
    };
    let mut connected = session.host.connect(request, session.timeout).await?;
    if let Some(folder) = &session.unencrypted {
        let folder = folder.display();
        connected
            .warnings
            .push(format!("{folder} keeps the key in clear text; this version does not encrypt yet"));
    }
    Ok(Outcome::Connected(connected))
}

async fn check(session: &Session, name: Option<&str>) -> Result<Outcome, Failure> {
    let id = resolve(session, name).await?;
    Ok(Outcome::Checked(session.host.check(&id, session.timeout).await?))
}

async fn list(session: &Session, list: cli::List) -> Result<Outcome, Failure> {
    let request = ListRequest {
        regions: list.regions,
        filter: list.filter,
        order_by: None,
        page_size: list.page_size,
        page_token: None,
        limit: list.limit,
    };
    let connection = current(session).await?;
    Ok(Outcome::Listed(session.host.list_functions(&connection, request, session.timeout).await?))
}

async fn invoke(session: &Session, invoke: cli::Invoke) -> Result<Outcome, Failure> {
    let cli::Request { query, header, data, content_type, include } = invoke.request;
    let body = inputs::body(data.as_deref(), content_type.as_deref())?;
    let without_method = if body.is_some() { "POST" } else { "GET" };
    let request = InvokeRequest {
        function: function_ref(invoke.function, invoke.region)?,
        method: invoke.method.unwrap_or_else(|| without_method.to_owned()),
        path: invoke.path,
        query: self::query(query),
        headers: headers(header),
        body,
        auth: match invoke.auth {
            cli::Auth::Auto => Auth::Auto,
            cli::Auth::IdToken => Auth::IdToken,
            cli::Auth::None => Auth::None,
        },
        audience: invoke.audience,
        idempotent: invoke.idempotent,
        raise_for_status: invoke.fail,
    };
    let connection = current(session).await?;
    let invocation = session.host.invoke(&connection, request, session.timeout).await?;
    Ok(Outcome::Invoked { invocation, include })
}

async fn custom_api(session: &Session, custom: cli::CustomApi) -> Result<Outcome, Failure> {
    let cli::Request { query, header, data, content_type, include } = custom.request;
    let request = ApiRequest {
        api: custom.api,
        method: custom.method,
        path: custom.path,
        query: self::query(query),
        headers: headers(header),
        body: inputs::body(data.as_deref(), content_type.as_deref())?,
    };
    let connection = current(session).await?;
    let response = session.host.custom_api(&connection, request, session.timeout).await?;
    Ok(Outcome::Answered { response, include })
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

fn query(pairs: Vec<(String, String)>) -> Option<Query> {
    (!pairs.is_empty()).then_some(Query::Pairs(pairs))
}

fn headers(headers: Vec<(String, String)>) -> Vec<Header> {
    headers.into_iter().map(|(name, value)| Header { name, value }).collect()
}

async fn current(session: &Session) -> Result<String, Failure> {
    resolve(session, session.connection.as_deref()).await
}

async fn resolve(session: &Session, name: Option<&str>) -> Result<String, Failure> {
    choose(&session.host.connections().await?, name)
}

/// The id that `name` stands for: an id, a nickname, or the only connection there is.
fn choose(connections: &[Connection], name: Option<&str>) -> Result<String, Failure> {
    let Some(name) = name else {
        return match connections {
            [] => Err(Failure::connection(ErrorKind::ConnectionRequired, "there is no connection yet")
                .with_fix("make one: gcf connect --nickname NAME --credentials KEY.json")),
            [only] => Ok(only.id.clone()),
            several => {
                let message = format!("which connection? There are {}", listed(several));
                Err(Failure::connection(ErrorKind::ConnectionRequired, message)
                    .with_fix("name one with --connection ID, or set GCF_CONNECTION"))
            }
        };
    };
    if let Some(connection) = connections.iter().find(|connection| connection.id == name) {
        return Ok(connection.id.clone());
    }
    let namesakes: Vec<&Connection> =
        connections.iter().filter(|connection| connection.nickname == name).collect();
    match namesakes.as_slice() {
        [] => Err(Failure::connection(
            ErrorKind::ConnectionNotFound,
            format!("no connection has the id or the nickname {name:?}"),
        )
        .with_fix("`gcf connections` lists what there is")),
        [only] => Ok(only.id.clone()),
        several => {
            let message = format!("{name:?} is the nickname of {}", listed(several.iter().copied()));
            Err(Failure::ambiguous_connection(message).with_fix("name one by its id: --connection ID"))
        }
    }
}

fn listed<'a>(connections: impl IntoIterator<Item = &'a Connection>) -> String {
    let each = |connection: &Connection| {
        format!("{} ({}, project {})", connection.id, connection.nickname, connection.project)
    };
    connections.into_iter().map(each).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use gcf_host::wit::connections::CredentialKind;

    use super::*;
    use crate::errors::Exit;

    fn connection(id: &str, nickname: &str) -> Connection {
        Connection {
            id: id.to_owned(),
            nickname: nickname.to_owned(),
            project: "p".to_owned(),
            region: "us-central1".to_owned(),
            kind: CredentialKind::ServiceAccount,
            account: "a@p.iam.gserviceaccount.com".to_owned(),
            scopes: Vec::new(),
            created: 0,
        }
    }

    #[test]
    fn the_only_connection_needs_no_name() {
        assert_eq!(choose(&[connection("c1", "a")], None).unwrap(), "c1");
        assert_eq!(choose(&[], None).unwrap_err().exit, Exit::Connection);
        let several = choose(&[connection("c1", "a"), connection("c2", "b")], None).unwrap_err();
        assert_eq!(several.exit, Exit::Connection);
        assert!(several.message.contains("c1 (a, project p), c2 (b, project p)"), "{}", several.message);
    }

    #[test]
    fn a_nickname_is_as_good_as_an_id_while_it_is_one() {
        let connections = [connection("c1", "a"), connection("c2", "b"), connection("c3", "b")];
        assert_eq!(choose(&connections, Some("c3")).unwrap(), "c3");
        assert_eq!(choose(&connections, Some("a")).unwrap(), "c1");
        let ambiguous = choose(&connections, Some("b")).unwrap_err();
        assert_eq!(ambiguous.exit, Exit::NotFound);
        assert!(ambiguous.message.contains("c2 (b") && ambiguous.message.contains("c3 (b"));
        assert_eq!(choose(&connections, Some("x")).unwrap_err().exit, Exit::Connection);
    }

    #[test]
    fn an_id_wins_over_a_nickname() {
        assert_eq!(choose(&[connection("c1", "c2"), connection("c2", "x")], Some("c2")).unwrap(), "c2");
    }

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
