//! Stores that earlier versions wrote are read as they are.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_host::{
    secrets::{DirectoryStore, Expected, KeySource, MemoryStore, ReadOnlyStore, SecretStore},
    wit::{CredentialKind, FunctionRef},
};
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, DEMO_KEY, builder, connect_request,
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

/// A folder as commit 2a165ee left it, and the key of its store.
fn folder_of_2a165ee() -> (tempfile::TempDir, KeySource) {
    use std::os::unix::fs::PermissionsExt as _;
    let file: Value = serde_json::from_str(include_str!("../fixtures/store-of-2a165ee.json")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("store");
    for folder in [store.clone(), store.join("leases"), store.join("sharing")] {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let put = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    put(&store.join(".lock"), b"");
    for (name, bytes) in file["folder"]["files"].as_object().unwrap() {
        put(&store.join(name), &STANDARD.decode(bytes.as_str().unwrap()).unwrap());
    }
    let key = home.path().join("key.txt");
    put(&key, file["folder"]["key"].as_str().unwrap().as_bytes());
    (home, KeySource::File(key))
}

#[tokio::test]
async fn a_folder_of_commit_2a165ee_opens_lists_and_invokes() {
    let (home, key) = folder_of_2a165ee();
    let store = Arc::new(DirectoryStore::open_with(home.path().join("store"), &key).unwrap());
    assert_eq!((store.migrated(), store.hidden().unwrap()), (0, 0));
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let host =
        builder().transport(live(&google)).secrets(Arc::<DirectoryStore>::clone(&store)).build().unwrap();
    for _ in 0..2 {
        let connections = host.connections().await.unwrap();
        let shown: Vec<_> = connections.iter().map(|c| (c.nickname.as_str(), c.kind)).collect();
        assert_eq!(
            shown,
            [
                ("external", CredentialKind::ExternalAccount),
                ("impersonated", CredentialKind::ImpersonatedServiceAccount),
                ("injected", CredentialKind::InjectedToken),
                ("person", CredentialKind::AuthorizedUser),
                ("robot", CredentialKind::ServiceAccount),
                ("supplied", CredentialKind::SuppliedToken),
            ]
        );
    }
    let robot = "0404040404040404";
    let invoke = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    assert_eq!(host.invoke(robot, invoke, None).await.unwrap().status, 200);
    assert!(host.list_functions(robot, list_request(), None).await.is_ok());
    // A nickname of then is in use still, and free once it is given up.
    let connect = async || host.connect(connect_request().nickname("robot"), None).await;
    let first = connect().await.unwrap();
    assert_eq!(first.warnings.len(), 1, "{:?}", first.warnings);
    host.disconnect(&first.connection.id, None).await.unwrap();
    host.disconnect(robot, None).await.unwrap();
    assert_eq!(connect().await.unwrap().warnings, Vec::<String>::new());
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
