//! What a connection may do, beyond what Google allows.

/// What a connection may do; see `wit/types.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct GuardRails {
    pub read_only: bool,
    pub regions: Vec<String>,
    pub functions: Vec<String>,
    pub methods: Vec<String>,
    pub max_body: Option<u64>,
    pub own_project: bool,
}
