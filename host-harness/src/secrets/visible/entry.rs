//! The owner of an entry of the store, read from its key and from nothing else.
//!
//! | key | owner |
//! |---|---|
//! | `pending/{sign-in}/{end}` | the sign-in; one for a connection is called `{connection}.{id}` |
//! | `supplied/…` | the host |
//! | `nicknames/{digest}`, `nicknames/{digest}/{id}`, `nicknames/indexed` | all connections together: the index of their nicknames |
//! | `{kind}/{id}`, `{kind}/{id}/…`, of any other kind | the connection of this id: 16 hexadecimal digits |
//! | `keys/…`, of any other name | the host |

use std::time::Duration;

/// A key, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EntryName<'a> {
    pub(super) key: &'a str,
    /// The first segment.
    pub(super) kind: &'a str,
    pub(super) owner: Owner,
}

/// The owner of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Connection(String),
    SignIn {
        id: SignInId,
        /// The end of the sign-in's life, in seconds since 1970-01-01T00:00:00Z. An earlier version did not
        /// record it.
        expires: Option<u64>,
    },
    Host,
    /// All connections together: the index of their nicknames.
    Nicknames,
    Nobody,
}

/// The id of a sign-in: `{id}` for a connection to be made, `{connection}.{id}` for an existing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignInId {
    text: String,
    connection: Option<String>,
}

/// Kinds of entry that hold no secret, as `wit/secret-store.wit` says.
const PUBLIC: [&str; 2] = ["connections", "status"];

/// Kinds with one entry for each connection.
const KINDS: [&str; 5] = ["connections", "credentials", "keys", "status", "repeats"];

impl<'a> EntryName<'a> {
    pub(super) fn parse(key: &'a str) -> Self {
        let (kind, rest) = key.split_once('/').unwrap_or((key, ""));
        let first = rest.split('/').next().unwrap_or_default();
        let owner = match kind {
            "supplied" if !rest.is_empty() => Owner::Host,
            "pending" => sign_in(rest),
            "nicknames" => nicknames(rest),
            _ if is_id(first) => Owner::Connection(first.to_owned()),
            "keys" if !rest.is_empty() => Owner::Host,
            _ => Owner::Nobody,
        };
        Self { key, kind, owner }
    }

    /// Tells whether the entry is of a sign-in that can still be ended. An earlier version did not record its
    /// end.
    pub(super) fn is_alive(&self, now: Duration) -> bool {
        matches!(&self.owner, Owner::SignIn { expires: Some(end), .. } if *end >= now.as_secs())
    }

    /// Tells whether the entry holds no secret.
    pub(super) fn is_public(&self) -> bool {
        PUBLIC.contains(&self.kind)
    }
}

/// An entry of the index: none that belongs to a connection is called so.
fn nicknames(rest: &str) -> Owner {
    let (digest, id) = match rest.split_once('/') {
        Some((digest, id)) => (digest, Some(id)),
        None => (rest, None),
    };
    let is_digest = digest.len() == 32 && digest.bytes().all(is_hexadecimal);
    if rest == "indexed" || is_digest && id.is_none_or(is_id) { Owner::Nicknames } else { Owner::Nobody }
}

fn sign_in(rest: &str) -> Owner {
    let (id, end) = match rest.split_once('/') {
        Some((id, end)) => (id, Some(end)),
        None => (rest, None),
    };
    let expires = end.map(seconds);
    match (SignInId::parse(id), expires) {
        (None, _) | (_, Some(None)) => Owner::Nobody,
        (Some(id), expires) => Owner::SignIn { id, expires: expires.flatten() },
    }
}

/// A number in its one spelling.
fn seconds(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl SignInId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (connection, id) = match text.split_once('.') {
            Some((connection, id)) => (Some(connection), id),
            None => (None, text),
        };
        (is_id(id) && connection.is_none_or(is_id))
            .then(|| Self { text: text.to_owned(), connection: connection.map(str::to_owned) })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The connection that the sign-in is for, if there is one already.
    pub(super) fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    /// The beginning of the sign-in's keys.
    pub(super) fn prefix(&self) -> String {
        format!("pending/{}/", self.text)
    }
}

/// Tells whether a text is the id of a connection: the component makes no others.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(is_hexadecimal)
}

fn is_hexadecimal(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// The entries that tell whether a connection is there.
pub(super) fn keys_of(id: &str) -> impl Iterator<Item = String> {
    KINDS.iter().map(move |kind| format!("{kind}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000000000aa";

    fn owner(key: &str) -> Owner {
        EntryName::parse(key).owner
    }

    #[test]
    fn the_owner_stands_in_the_key() {
        for kind in
            ["connections", "credentials", "keys", "status", "repeats", "tokens", "of-a-later-version"]
        {
            for key in [format!("{kind}/{ID}"), format!("{kind}/{ID}/"), format!("{kind}/{ID}/more/and-more")]
            {
                assert_eq!(owner(&key), Owner::Connection(ID.to_owned()), "{key}");
            }
        }
        for key in ["keys/team", "keys/00000000000000a", "keys/00000000000000aaa", "keys//x", "supplied/x"] {
            assert_eq!(owner(key), Owner::Host, "{key}");
        }
        assert_eq!(owner(&format!("supplied/{ID}")), Owner::Host);
        for key in
            ["", "keys", "keys/", "supplied", "supplied/", "connections/", "tokens/team/x", ID, "/", "//"]
        {
            assert_eq!(owner(key), Owner::Nobody, "{key}");
        }
    }

    #[test]
    fn the_index_of_nicknames_belongs_to_all() {
        let digest = "2a97516c354b68848cdbd8f54a226a0a";
        for rest in ["indexed".to_owned(), digest.to_owned(), format!("{digest}/{ID}")] {
            assert_eq!(owner(&format!("nicknames/{rest}")), Owner::Nicknames, "{rest}");
        }
        let upper = digest.to_uppercase();
        for rest in ["", "x", ID, &upper, &digest[1..], "indexed/x"] {
            assert_eq!(owner(&format!("nicknames/{rest}")), Owner::Nobody, "{rest}");
        }
        for id in ["", "x", digest, &format!("{ID}/x")] {
            assert_eq!(owner(&format!("nicknames/{digest}/{id}")), Owner::Nobody, "{id}");
        }
    }

    #[test]
    fn a_sign_in_says_for_whom_and_until_when() {
        let of = |key: &str| match owner(key) {
            Owner::SignIn { id, expires } => Some((id.as_str().to_owned(), id.connection, expires)),
            Owner::Connection(_) | Owner::Host | Owner::Nicknames | Owner::Nobody => None,
        };
        let two = format!("00000000000000bb.{ID}");
        let (id, for_other) = (ID.to_owned(), Some("00000000000000bb".to_owned()));
        assert_eq!(of(&format!("pending/{ID}/1700000600")), Some((id.clone(), None, Some(1_700_000_600))));
        assert_eq!(of(&format!("pending/{two}/7")), Some((two.clone(), for_other, Some(7))));
        assert_eq!(of(&format!("pending/{ID}")), Some((id, None, None)));
        for key in ["pending", "pending/", "pending/x", "pending/x/7"] {
            assert_eq!(owner(key), Owner::Nobody, "{key}");
        }
        for end in ["", "x", "07", "+7", "-7", "7/", "7/8", "99999999999999999999"] {
            assert_eq!(owner(&format!("pending/{ID}/{end}")), Owner::Nobody, "{end}");
        }
        for id in [format!("{ID}."), format!(".{ID}"), format!("{two}.{ID}"), format!("x.{ID}")] {
            assert_eq!(owner(&format!("pending/{id}/7")), Owner::Nobody, "{id}");
        }
    }
}
