//! The names of cases, as the contract spells them; made from `wit/` by the build script.

/// An enum or a variant of the contract.
pub trait Case {
    /// The name of the case, as `wit/` and the catalog's schemas have it, such as `invalid-input`.
    fn name(&self) -> &'static str;
}

include!(concat!(env!("OUT_DIR"), "/words.rs"));

#[cfg(test)]
mod tests {
    use super::Case as _;
    use crate::contract::wit::{ErrorKind, Generation, Invoker, Trigger};

    /// Against `wit/types.wit` and `wit/functions.wit`.
    #[test]
    fn a_case_is_called_as_the_contract_has_it() {
        assert_eq!(ErrorKind::InvalidInput.name(), "invalid-input");
        assert_eq!(Generation::Gen1.name(), "gen1");
        assert_eq!(Generation::CloudRun.name(), "cloud-run");
        assert_eq!(Trigger::Event("google.cloud.storage.object.v1.finalized".to_owned()).name(), "event");
        assert_eq!(Invoker::Own.name(), "own");
    }
}
