//! Files that are not credentials, and are taken for one: each is named for what it is, with the way to the right one.

use crate::base::{
    error::{Error, Kind, Origin},
    json::Object,
};

/// The way to the key of a service account.
const KEY: &str = "make a key in the Google Cloud console (IAM & Admin, Service Accounts, Keys, Add key, JSON), and use that file";

/// The way to a credential of one's own.
const USER: &str = "run `gcloud auth application-default login`, and use the file that it writes, application_default_credentials.json";

/// A kind of file, by a name for programs, in words, and with the way to the right one.
type Stranger = (&'static str, &'static str, &'static str);

/// Kinds of JSON, each by names that all stand in it.
///
/// The first: <https://firebase.google.com/docs/projects/learn-more#config-files-objects>.
const OBJECTS: [(&[&str], Stranger); 18] = [
    (
        &["project_info", "client"],
        (
            "google-services",
            "the configuration of an Android app (google-services.json), which holds no credential",
            KEY,
        ),
    ),
    (
        &["apiKey", "projectId"],
        ("firebase-config", "the configuration of a Firebase app, which holds no credential", KEY),
    ),
    (&["installed"], CLIENT),
    (&["web"], CLIENT),
    (
        &["clientEmail", "privateKey"],
        (
            "renamed-key",
            "the key of a service account with its fields renamed, as the Firebase Admin SDK takes it",
            KEY,
        ),
    ),
    (
        &["privateKeyType", "name"],
        ("key-metadata", "what Google Cloud says about a key, without the key", KEY),
    ),
    (
        &["validAfterTime", "keyAlgorithm"],
        ("key-metadata", "what Google Cloud says about a key, without the key", KEY),
    ),
    (&["hosting"], FIREBASE),
    (&["firestore"], FIREBASE),
    (&["projects", "targets"], FIREBASE),
    (&["kind", "apiVersion"], KUBERNETES),
    (&["clusters", "contexts"], KUBERNETES),
    (
        &["access_token"],
        ("token", "a token, which ends within the hour, and not the credential that gets one", USER),
    ),
    (
        &["id_token"],
        ("token", "a token, which ends within the hour, and not the credential that gets one", USER),
    ),
    (
        &["AccessKeyId", "SecretAccessKey"],
        (
            "aws",
            "a key of Amazon Web Services",
            "use a credential of Google's; for workload identity federation, the JSON that `gcloud iam workload-identity-pools create-cred-config` writes",
        ),
    ),
    (
        &["appId", "tenant"],
        (
            "azure",
            "a service principal of Microsoft Azure",
            "use a credential of Google's; for workload identity federation, the JSON that `gcloud iam workload-identity-pools create-cred-config` writes",
        ),
    ),
    (
        &["uniqueId", "email"],
        ("account", "what Google Cloud says about a service account, without a key of it", KEY),
    ),
    (&["dependencies", "version"], ("package", "the description of a package of JavaScript", KEY)),
];

const CLIENT: Stranger = (
    "oauth-client",
    "an OAuth client, which signs nobody in by itself",
    "sign in with Google in a browser through it, or use the JSON key of a service account",
);

const FIREBASE: Stranger =
    ("firebase-project", "the configuration of the Firebase command line, which holds no credential", KEY);

const KUBERNETES: Stranger = ("kubernetes", "a file of Kubernetes", KEY);

/// Kinds of text, by how each begins.
const TEXTS: [(&str, Stranger); 20] = [
    ("<!doctype html", PAGE),
    ("<html", PAGE),
    ("<?xml", ("xml", "XML; that of an Apple app (GoogleService-Info.plist) holds no credential", KEY)),
    ("<", PAGE),
    ("-----begin certificate", ("certificate", "a certificate", KEY)),
    (
        "-----begin",
        (
            "private-key",
            "a private key alone, without the account that it is of",
            "use the whole JSON in which Google handed the key out, or have the host keep this key in its store, and connect with a stored key and its account",
        ),
    ),
    ("mii", P12),
    ("apiversion:", KUBERNETES),
    ("clusters:", KUBERNETES),
    ("kind:", KUBERNETES),
    ("ya29.", TOKEN),
    ("1//", ("refresh-token", "a refresh token alone, without its OAuth client", USER)),
    ("aiza", ("api-key", "an API key, which signs nobody in", KEY)),
    (
        "gocspx-",
        ("client-secret", "the secret of an OAuth client alone", "use the whole JSON of a credential"),
    ),
    ("[core]", GCLOUD),
    ("[default]", ("aws", "a configuration of Amazon Web Services", KEY)),
    ("sqlite format 3", ("gcloud", "gcloud's own database of credentials", USER)),
    ("const ", FIREBASE_SCRIPT),
    ("var ", FIREBASE_SCRIPT),
    ("import ", FIREBASE_SCRIPT),
];

const PAGE: Stranger =
    ("html", "a web page, such as a sign-in page that was saved in place of the file", KEY);

const P12: Stranger =
    ("p12", "a key or a certificate in PKCS #12 or DER, which Google handed out before JSON", KEY);

const TOKEN: Stranger =
    ("token", "a token, which ends within the hour, and not the credential that gets one", USER);

const GCLOUD: Stranger = ("gcloud", "a configuration of gcloud, which holds no credential", USER);

const FIREBASE_SCRIPT: Stranger =
    ("script", "a script; the configuration of a Firebase app in it is no credential", KEY);

/// The error for JSON that is something else.
pub(super) fn json(raw: &Object<'_>) -> Option<Error> {
    of_json(raw).map(error)
}

fn of_json(raw: &Object<'_>) -> Option<&'static Stranger> {
    let found = OBJECTS.iter().find(|(names, _)| names.iter().all(|name| raw.get(name).is_some()));
    found.map(|(_, stranger)| stranger)
}

/// The name, in words, of JSON that is taken for an OAuth client.
pub(in crate::sign_in) fn in_place_of_client(raw: &Object<'_>) -> Option<&'static str> {
    of_json(raw).map(|(_, what, _)| *what)
}

/// The error for text that is not JSON at all.
pub(super) fn text(text: &str) -> Option<Error> {
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if let Some((_, stranger)) = TEXTS.iter().find(|(with, _)| begins(with)) {
        return Some(error(stranger));
    }
    let is_line = !text.is_empty() && text.len() < 4096 && !text.contains('\n');
    let is_path = is_line
        && (text.starts_with(['/', '~', '.']) || text.get(1..3) == Some(":\\") || text.ends_with(".json"));
    if is_path {
        return Some(error(&(
            "path",
            "the name of a file, and not what stands in it",
            "hand over what stands in the file",
        )));
    }
    // Three parts of Base64url, of which the first is an object (RFC 7515, section 7.1).
    if is_line && text.starts_with("ey") && text.split('.').count() == 3 {
        return Some(error(&TOKEN));
    }
    None
}

fn error((name, what, way): &Stranger) -> Error {
    Error::new(
        Kind::InvalidCredential,
        Origin::Connection,
        format!("this is no credential of Google's: it is {what}"),
    )
    .detail("field", "json")
    .detail("file", *name)
    .fix(*way)
}
