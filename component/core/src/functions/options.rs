//! What a drop-down offers, while the user types.

use crate::{
    error::{Error, Kind, Origin, Result},
    http::Exchange,
    ports::Ports,
};

/// What a drop-down is to offer; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum OptionField {
    Regions,
    Functions(Option<String>),
}

/// What a caller asks for; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionsRequest {
    pub field: OptionField,
    pub prefix: Option<String>,
    pub limit: Option<u32>,
}

/// One line of a drop-down; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionItem {
    pub value: String,
    pub label: String,
    pub hint: Option<String>,
    pub default: bool,
}

/// What a drop-down offers; see `wit/functions.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionList {
    pub options: Vec<OptionItem>,
    pub more: bool,
    pub notes: Vec<String>,
    pub trace: Vec<Exchange>,
}

/// What a drop-down offers.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn options<P: Ports>(
    _ports: &P,
    _connection: &str,
    _request: OptionsRequest,
    _deadline_ms: Option<u32>,
) -> Result<OptionList> {
    Err(Error::new(Kind::Internal, Origin::Host, "options are not built yet"))
}
