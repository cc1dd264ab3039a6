//! The connection that is meant.

use gcf_host::{
    text::nearest,
    wit::{connections::Connection, types::ErrorKind},
};

use crate::output::{failure::Failure, style::plain};

/// The one that `name` stands for: an id, a nickname, or the only connection there is.
pub(crate) fn choose(connections: Vec<Connection>, name: Option<&str>) -> Result<Connection, Failure> {
    let Some(name) = name else {
        let count = connections.len();
        return only(connections).map_err(|connections| {
            if connections.is_empty() {
                return Failure::connection(ErrorKind::ConnectionRequired, "there is no connection yet")
                    .with_fix(FIRST);
            }
            let message = format!("which of the {count} connections?{}", listed(&connections));
            Failure::connection(ErrorKind::ConnectionRequired, message)
                .in_lines()
                .with_fix("name one with --connection ID, or for all commands: gcf connections use ID")
        });
    };
    if let Some(connection) = connections.iter().find(|connection| connection.id == name) {
        return Ok(connection.clone());
    }
    let near = nearest(name, connections.iter().map(|connection| connection.nickname.as_str()));
    let meant = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    only(connections.into_iter().filter(|connection| connection.nickname == name).collect()).map_err(
        |namesakes| match namesakes.len() {
            0 => Failure::connection(
                ErrorKind::ConnectionNotFound,
                format!("no connection has the id or the nickname {name:?}"),
            )
            .with_fix(format!("{meant}`gcf connections` lists what there is")),
            count => Failure::ambiguous_connection(format!(
                "{count} connections have the nickname {name:?}:{}",
                listed(&namesakes)
            ))
            .in_lines()
            .with_fix("use the id in place of the nickname"),
        },
    )
}

/// The one element, or all of them.
fn only(connections: Vec<Connection>) -> Result<Connection, Vec<Connection>> {
    <[Connection; 1]>::try_from(connections).map(|[only]| only)
}

/// A line each.
fn listed(connections: &[Connection]) -> String {
    let each = |connection: &Connection| {
        let Connection { id, nickname, project, account, .. } = connection;
        let of = plain(&format!("{id}  {nickname}, project {project}, {account}")).into_owned();
        format!("\n  {of}")
    };
    connections.iter().map(each).collect()
}

/// The hint where there is none.
pub(crate) const FIRST: &str =
    "make one: gcf connect --nickname NAME --credentials KEY.json, or --oauth --client CLIENT.json";

#[cfg(test)]
pub(crate) mod tests {
    use gcf_host::wit::connections::{CredentialKind, Invoker};

    use super::*;
    use crate::output::exit::Exit;

    /// A connection by its id and its nickname.
    pub(crate) fn connection(id: &str, nickname: &str) -> Connection {
        Connection {
            id: id.to_owned(),
            nickname: nickname.to_owned(),
            project: "p".to_owned(),
            quota_project: None,
            region: "us-central1".to_owned(),
            kind: CredentialKind::ServiceAccount,
            account: "a@p.iam.gserviceaccount.com".to_owned(),
            through: None,
            scopes: Vec::new(),
            invoker: Invoker::Own,
            guard_rails: None,
            created: 0,
            last_used: None,
            ends: None,
            fault: None,
        }
    }

    #[test]
    fn the_only_connection_needs_no_name() {
        assert_eq!(choose(vec![connection("c1", "a")], None).unwrap().id, "c1");
        assert_eq!(choose(Vec::new(), None).unwrap_err().exit, Exit::Connection);
        let several = choose(vec![connection("c1", "a"), connection("c2", "b")], None).unwrap_err();
        assert_eq!(several.exit, Exit::Connection);
        assert!(
            several.message.contains("\n  c1  a, project p, a@p.iam.gserviceaccount.com\n  c2  b,"),
            "{}",
            several.message
        );
    }

    #[test]
    fn a_nickname_is_as_good_as_an_id_while_it_is_one() {
        let all = || vec![connection("c1", "a"), connection("c2", "b"), connection("c3", "b")];
        assert_eq!(choose(all(), Some("c3")).unwrap().id, "c3");
        assert_eq!(choose(all(), Some("a")).unwrap().id, "c1");
        let ambiguous = choose(all(), Some("b")).unwrap_err();
        assert_eq!(ambiguous.exit, Exit::NotFound);
        assert!(ambiguous.message.contains("c2  b,") && ambiguous.message.contains("c3  b,"));
        assert_eq!(choose(all(), Some("x")).unwrap_err().exit, Exit::Connection);
    }

    #[test]
    fn an_id_wins_over_a_nickname() {
        let connections = vec![connection("c1", "c2"), connection("c2", "x")];
        assert_eq!(choose(connections, Some("c2")).unwrap().id, "c2");
    }
}
