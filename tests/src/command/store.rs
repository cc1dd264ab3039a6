//! The encrypted store as its owner, a recipient and a stranger meet it.

use std::{fs, path::Path};

use super::{KEY, Person, check_live, forget_tokens, forms::canary, google::Google};

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_shared_connection_is_used_with_the_recipients_own_key() {
    let google = Google::start();
    let (owner, friend) = (Person::with(&google), Person::with(&google));
    owner.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    let key = owner.run(&["connections", "--key-file", "other-key"]);
    let recipient = friend.json(&["store"])["recipient"].as_str().unwrap().to_owned();
    let own = owner.json(&["store"])["recipient"].as_str().unwrap().to_owned();
    let before = [
        key,
        friend.run(&["store"]),
        owner.run(&["connections", "share", "demo", "--to", "age1friend"]),
        owner.run(&["connections", "share", "demo", "--to", &own]),
        owner.run(&["connections", "share", "demo", "--to", &recipient]),
        owner.run(&["connections", "show", "demo"]),
    ];
    copy(&owner.path("store"), &friend.path("copy"));
    // Not only the token that the owner had.
    forget_tokens(&friend.path("copy"));
    let shared = [
        friend.run(&["connections", "--store", "copy"]),
        friend.run(&["list", "--store", "copy"]),
        friend.run(&["store", "--store", "copy"]),
        owner.run(&["connections", "unshare", "demo", "--from", &recipient]),
        owner.run(&["connections", "unshare", "demo", "--from", &recipient]),
    ];
    copy(&owner.path("store"), &friend.path("later"));
    let after = [friend.run(&["connections", "--store", "later"])];
    check_live("share", &[before.as_slice(), &shared, &after].concat());
}

#[test]
fn a_store_under_a_passphrase_opens_with_nothing_else() {
    let person = Person::new();
    let passphrase = canary("passphrase");
    let passphrase = ("GCF_PASSPHRASE", passphrase.as_str());
    check_live(
        "passphrase",
        &[
            person.connect_in(passphrase),
            person.run_in(passphrase, &["store"]),
            person.run_in(("GCF_PASSPHRASE", "wrong"), &["connections"]),
            person.run(&["connections"]),
            person.run_in(("GCF_KEY_FILE", "key"), &["connections"]),
        ],
    );
    assert!(!person.path(".config").exists(), "no key was made beside the passphrase");
}

#[test]
fn a_store_with_a_key_file_opens_with_nothing_else() {
    let person = Person::new();
    person.connect();
    person.write("clear", "AGE-SECRET-KEY-1QQQQ");
    let key = person.path(".config/gcf/key.txt");
    let runs = [
        person.run(&["store"]),
        person.run_in(("GCF_PASSPHRASE", "any"), &["connections"]),
        person.run(&["connections", "--key-file", "clear"]),
        person.run(&["connections", "--key-file", "store/key"]),
    ];
    fs::rename(&key, person.path("backup")).unwrap();
    let moved = [person.run(&["connections"]), person.run(&["connections", "--key-file", "backup"])];
    check_live("key-file", &[runs.as_slice(), &moved].concat());
}

#[test]
fn secrets_from_the_environment_are_read_only() {
    let person = Person::new();
    let run = |secrets: &str, arguments: &[&str]| {
        let output =
            person.command(arguments).env_remove("GCF_STORE").env("GCF_SECRETS", secrets).output().unwrap();
        super::transcript(arguments, output)
    };
    let connect =
        |kind: &'static str| ["connect", "--nickname", "x", "--project", "p-project", kind, "token"];
    check_live(
        "read-only",
        &[
            run("{}", &["connections"]),
            run("{}", &["store"]),
            run("{}", &["supply", "keys/signer", KEY]),
            run("{", &["connections"]),
            run(r#"{"supplied/token":"ya29.x"}"#, &connect("--supplied-token")),
        ],
    );
}
