//! Which entries of the store a call may touch: those of the connection that it is for.
//!
//! A component that was tricked, or is malicious, would otherwise use one connection's key in a call for another
//! one. The contract names the owner of an entry in the second segment of its key: `credentials/{id}`, `tokens/{id}/…`.

use crate::secrets::{SecretStore, StoreError};

/// What a call may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A call for the connection of this id: what is its own, and what is nobody's.
    Connection(String),
    /// A call that makes or lists connections: every credential, for a nickname that is in use is told; but no
    /// private key that a connection has already.
    AllConnections,
}

/// What is to be done with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read it, or sign with it.
    Use,
    /// Write it, remove it, or lease it.
    Change,
}

impl Scope {
    /// Whether a call may do this.
    ///
    /// # Errors
    /// [`StoreError::Other`] if not; otherwise what the store says.
    pub(crate) fn check(&self, store: &dyn SecretStore, key: &str, access: Access) -> Result<(), StoreError> {
        if self.allows(store, key, access)? {
            return Ok(());
        }
        // With no word of whether there is such an entry.
        Err(StoreError::Other(format!("{key} is not for this call: it belongs to another connection")))
    }

    fn allows(&self, store: &dyn SecretStore, key: &str, access: Access) -> Result<bool, StoreError> {
        let (kind, owner) = key.split_once('/').unwrap_or((key, ""));
        let owner = owner.split('/').next().unwrap_or_default();
        // The host fills `supplied/` and names under `keys/` for whichever connections refer to them.
        let of_a_connection = || store.get(&format!("connections/{owner}")).map(|entry| entry.is_some());
        match self {
            Self::Connection(id) if !id.is_empty() && owner == id => Ok(true),
            Self::Connection(_) if kind == "keys" => Ok(access == Access::Use && !of_a_connection()?),
            // Who else has this nickname is no secret.
            Self::Connection(_) => Ok(kind == "supplied" && access == Access::Use),
            Self::AllConnections if kind == "keys" && access == Access::Use => Ok(!of_a_connection()?),
            Self::AllConnections => Ok(true),
        }
    }

    /// Those of the keys that a call may know of.
    pub(crate) fn visible(&self, mut keys: Vec<String>) -> Vec<String> {
        if let Self::Connection(id) = self {
            keys.retain(|key| key.split('/').nth(1) == Some(id));
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Expected, MemoryStore};

    const MINE: &str = "00000000000000aa";
    const THEIRS: &str = "00000000000000bb";

    fn store() -> MemoryStore {
        let store = MemoryStore::default();
        for id in [MINE, THEIRS] {
            for kind in ["connections", "credentials", "keys", "status"] {
                store.put(&format!("{kind}/{id}"), "x", &Expected::Absent).unwrap();
            }
            store.put(&format!("tokens/{id}/d"), "x", &Expected::Absent).unwrap();
        }
        store.put("keys/team", "x", &Expected::Absent).unwrap();
        store
    }

    /// Whether it may be used, and whether it may be changed.
    fn may(scope: &Scope, key: &str) -> (bool, bool) {
        let check = |access| scope.check(&store(), key, access).is_ok();
        (check(Access::Use), check(Access::Change))
    }

    #[test]
    fn a_call_for_a_connection_touches_what_is_its_own() {
        let scope = Scope::Connection(MINE.to_owned());
        for kind in
            ["connections", "credentials", "keys", "status", "tokens", "pending", "of-a-later-version"]
        {
            assert_eq!(may(&scope, &format!("{kind}/{MINE}")), (true, true), "{kind}");
            assert_eq!(may(&scope, &format!("{kind}/{MINE}/d")), (true, true), "{kind}");
            for not_mine in
                [format!("{kind}/{THEIRS}"), format!("{kind}/{THEIRS}/{MINE}"), format!("{kind}/{MINE}0")]
            {
                let named_by_the_host = kind == "keys" && !not_mine.contains(THEIRS);
                assert_eq!(may(&scope, &not_mine), (named_by_the_host, false), "{not_mine}");
            }
        }
        assert_eq!(may(&scope, "keys/team"), (true, false));
        assert_eq!(may(&scope, "supplied/token"), (true, false));
        for nobodys in ["", "keys", "credentials", MINE] {
            assert!(!may(&scope, nobodys).1, "{nobodys}");
        }
    }

    #[test]
    fn a_call_that_names_no_connection_uses_the_key_of_none() {
        let scope = Scope::AllConnections;
        assert_eq!(may(&scope, &format!("keys/{THEIRS}")), (false, true));
        assert_eq!(may(&scope, "keys/team"), (true, true));
        assert_eq!(may(&scope, "keys/00000000000000cc"), (true, true));
        assert_eq!(may(&scope, &format!("credentials/{THEIRS}")), (true, true));
        assert_eq!(may(&scope, "pending/1"), (true, true));
    }

    #[test]
    fn an_id_that_is_none_owns_nothing() {
        let scope = Scope::Connection(String::new());
        assert_eq!(may(&scope, "credentials/"), (false, false));
        assert_eq!(may(&scope, "credentials"), (false, false));
    }

    #[test]
    fn keys_of_others_are_not_listed() {
        let keys = || store().keys("").unwrap();
        assert_eq!(Scope::AllConnections.visible(keys()), keys());
        let seen = Scope::Connection(MINE.to_owned()).visible(keys());
        assert_eq!(seen.len(), 5);
        assert!(seen.iter().all(|key| key.contains(MINE)), "{seen:?}");
    }
}
