//! Stores that earlier versions wrote are read as they are.

use std::{io::Write as _, sync::Arc};

use gcf_host::{
    secrets::{Expected, MemoryStore, ReadOnlyStore, SecretStore},
    wit::{CredentialKind, FunctionRef},
};
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, DEMO_KEY, builder,
    google::{FUNCTION, Google, json_response},
    invoke_request, list_request, live,
};

const ROBOT: &str = "00000000000000aa";
const PERSON: &str = "00000000000000bb";

/// The entries as version 0.1.0 kept them at first: the account stands in the credential alone.
fn entries() -> Vec<(String, String)> {
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    let connection = |nickname: &str| {
        json!({"format": 1, "nickname": nickname, "project": "demo-project", "region": "us-central1",
            "created": 1_772_366_400, "invoker": "own"})
    };
    let robot = json!({"type": "service-account", "account": ACCOUNT, "private_key_id": key["private_key_id"],
        "key": format!("keys/{ROBOT}")});
    let person = json!({"type": "authorized-user", "account": "ada@example.com", "scopes": "openid email",
        "client_id": "1.apps.googleusercontent.com", "client_secret": "GOCSPX-canary", "refresh_token": "1//canary",
        "impersonates": "bot@demo-project.iam.gserviceaccount.com"});
    vec![
        (format!("connections/{ROBOT}"), connection("robot").to_string()),
        (format!("credentials/{ROBOT}"), robot.to_string()),
        (format!("keys/{ROBOT}"), key["private_key"].as_str().unwrap().to_owned()),
        (format!("connections/{PERSON}"), connection("person").to_string()),
        (format!("credentials/{PERSON}"), person.to_string()),
    ]
}

async fn is_as_it_was(store: Arc<dyn SecretStore>) {
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let host = builder().transport(live(&google)).secrets(store).build().unwrap();
    for _ in 0..2 {
        let connections = host.connections().await.unwrap();
        let shown: Vec<_> = connections
            .iter()
            .map(|c| (c.nickname.as_str(), c.kind, c.account.as_str(), c.through.as_deref()))
            .collect();
        let bot = "bot@demo-project.iam.gserviceaccount.com";
        assert_eq!(
            shown,
            [
                ("person", CredentialKind::ImpersonatedServiceAccount, bot, Some("ada@example.com")),
                ("robot", CredentialKind::ServiceAccount, ACCOUNT, None),
            ]
        );
        assert_eq!(connections[0].scopes, ["openid", "email"]);
    }
    let invoke = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    assert_eq!(host.invoke(ROBOT, invoke, None).await.unwrap().status, 200);
    assert!(host.list_functions(ROBOT, list_request(), None).await.is_ok());
}

#[tokio::test]
async fn a_store_that_can_be_written_is_completed() {
    let store = Arc::new(MemoryStore::new());
    for (key, value) in entries() {
        store.put(&key, &value, &Expected::Absent).unwrap();
    }
    is_as_it_was(Arc::<MemoryStore>::clone(&store) as Arc<dyn SecretStore>).await;
    for id in [ROBOT, PERSON] {
        let connection = store.get(&format!("connections/{id}")).unwrap().unwrap().value;
        assert!(connection.contains("signs_in") && !connection.contains("canary"), "{connection}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_read() {
    let json: serde_json::Map<_, _> = entries().into_iter().map(|(key, value)| (key, value.into())).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(Value::from(json).to_string().as_bytes()).unwrap();
    is_as_it_was(Arc::new(ReadOnlyStore::from_file(file.path()).unwrap())).await;
}

/// A list by name does not know who signs in until the connection is used.
#[tokio::test]
async fn a_list_by_name_reads_no_credential() {
    let store = Arc::new(MemoryStore::new());
    for (key, value) in entries() {
        store.put(&key, &value, &Expected::Absent).unwrap();
    }
    let host = builder().secrets(Arc::<MemoryStore>::clone(&store) as Arc<dyn SecretStore>).build().unwrap();
    let list = async || host.call_by_name("connections.list", "", &json!({}), None).await.unwrap().unwrap();
    assert_eq!(list().await[1]["kind"], "other");
    host.connection(ROBOT).await.unwrap();
    let known = list().await;
    assert_eq!((&known[1]["kind"], &known[1]["account"]), (&json!("service-account"), &json!(ACCOUNT)));
}
