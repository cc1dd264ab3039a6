//! A token that the host keeps in its store, and renews there: read each time, and never copied.

use super::{Described, Means, Scopes, fingerprint};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        json::{self, Object, Read},
        ports::Ports,
        secret::Secret,
        unseen::{deceives, is_unseen},
    },
    google::refusal::token_endpoint::Grant,
    sign_in::grant::usable,
    store::{self, connection::CredentialKind, names::host_key},
};

/// The name of the kind, as it is kept.
pub(super) const TYPE: &str = "supplied-token";

/// The longest text that the host may give for whose token it is.
const MAX_ACCOUNT: usize = 254;

/// An access token that the host keeps in its store.
#[derive(Debug)]
pub struct SuppliedToken {
    /// The entry under which it is.
    pub key: String,
    /// The account, as the host says.
    pub account: String,
}

impl SuppliedToken {
    /// From what a caller names.
    pub(super) fn parse(key: &str, account: Option<String>) -> Result<Self> {
        Ok(Self { account: account_of_host(account)?, key: host_key("key", "supplied/", key)? })
    }

    /// From the store.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self { key: fields.required("key")?, account: fields.required("account")? })
    }

    /// The token, as it is now: it is the host that renews it.
    ///
    /// # Errors
    /// `invalid-credential` if there is none, `secret-store`.
    pub fn current(&self, ports: &impl Ports) -> Result<Secret<String>> {
        read(ports, &self.key, "token")
    }
}

/// The subject token under this name.
pub(super) fn subject(ports: &impl Ports, key: &str) -> Result<Secret<String>> {
    read(ports, key, "subject token")
}

fn read(ports: &impl Ports, key: &str, what: &str) -> Result<Secret<String>> {
    let entry =
        ports.secret_get(key).map_err(|error| store::store_error(&format!("read the {what}"), error))?;
    let whose = if what == "token" { "token" } else { "provider's token" };
    let refused = |message: String, alone: &str| {
        Error::new(Kind::InvalidCredential, Origin::Host, message).detail("field", "supplied").fix(format!(
            "whoever runs the host puts the {whose} there{alone}, and renews it before it expires"
        ))
    };
    let text = entry.as_ref().map_or("", |entry| trimmed(entry.value.reveal()));
    if let Some(instead) = instead_of_token(text) {
        let message = format!("the host's store holds no {what} under {key}, but {instead}");
        return Err(refused(message, " alone, with nothing around it"));
    }
    usable(text.to_owned())
        .ok_or_else(|| refused(format!("the host's store holds no {what} under {key}"), ""))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || is_unseen(character))
}

/// The thing that stands where a token is expected, if it is known: what a program prints that has none, or has wrapped it.
fn instead_of_token(text: &str) -> Option<&'static str> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if text.is_empty() {
        None
    } else if is(&["null", "nil", "none", "undefined", "nan", "true", "false"]) {
        Some("a word that a program prints for a value that is not there")
    } else if text.starts_with('{') || text.starts_with('[') && json::check(text).is_ok() {
        Some("JSON: a token may stand in it, and which is for whoever put it there to say")
    } else if text.starts_with('<') {
        Some("a web page or XML")
    } else if text.starts_with(['"', '\'', '`']) {
        Some("a text in quotes")
    } else if begins("bearer ") || begins("authorization:") {
        Some("a whole header, or the word Bearer before a token")
    } else if text.starts_with("-----BEGIN") {
        Some("a key or a certificate")
    } else if text.contains("://") {
        Some("an address")
    } else if text.contains(char::is_whitespace) {
        Some("several words, and a token is one")
    } else {
        None
    }
}

/// The entry stays: the host keeps it.
pub(super) fn stays(key: &str) -> String {
    format!("what the host keeps under {key} stays there")
}

/// The account of a token, as the host says.
pub(super) fn account_of_host(account: Option<String>) -> Result<String> {
    let account = account.unwrap_or_else(|| "the host's own".to_owned());
    if account.is_empty() || account.len() > MAX_ACCOUNT || account.contains(deceives) {
        return Err(Error::credential("account", "is empty, longer than 254 bytes, or not one line"));
    }
    Ok(account)
}

impl Described for SuppliedToken {
    fn kind(&self) -> CredentialKind {
        CredentialKind::SuppliedToken
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn fingerprint(&self) -> String {
        fingerprint(TYPE, &self.account, "", "", "")
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", TYPE)
            .with("account", self.account.as_str())
            .with("key", self.key.as_str())
    }

    fn means(&self) -> Means<'_> {
        Means::Supplied(self)
    }

    fn grant(&self) -> Grant {
        // Nothing is known of it but that somebody issued it.
        Grant::Exchange
    }

    fn scopes(&self) -> Scopes {
        Scopes::OfHost
    }
}
