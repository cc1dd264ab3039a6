//! Options that say what a connection may do.

use clap::Args;
use gcf_host::wit::types;

use super::values;

/// Limits of a connection, beyond those of Google.
#[derive(Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "What it may do, whatever Google allows")]
pub(crate) struct GuardRails {
    /// Only read: GET, HEAD and OPTIONS, and no events
    #[arg(long)]
    read_only: bool,
    /// Only functions of this region (repeatable)
    #[arg(long = "allow-region", value_name = "REGION")]
    regions: Vec<String>,
    /// Only invoke this function, or those that begin so: hello, or 'hello-*' (repeatable)
    #[arg(long = "allow-function", value_name = "NAME")]
    functions: Vec<String>,
    /// Only send this method (repeatable)
    #[arg(long = "allow-method", value_name = "METHOD", value_parser = values::method)]
    methods: Vec<String>,
    /// Send no larger body
    #[arg(long, value_name = "BYTES")]
    max_body: Option<u64>,
    /// With custom-api, name no other project
    #[arg(long)]
    own_project: bool,
    /// Let functions receive ID tokens for this audience, besides their own, wherever they are (repeatable)
    #[arg(long = "allow-audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
}

impl GuardRails {
    /// As the contract has them. What forbids nothing is none, to the component.
    pub(crate) fn into_contract(self) -> types::GuardRails {
        let Self { read_only, regions, functions, methods, max_body, own_project, audiences } = self;
        types::GuardRails { read_only, regions, functions, methods, max_body, own_project, audiences }
    }

    /// These rails over earlier ones: each that is named takes the place of the one that was there.
    pub(crate) fn over(self, before: types::GuardRails) -> types::GuardRails {
        let Self { read_only, regions, functions, methods, max_body, own_project, audiences } = self;
        let named = |new: Vec<String>, old: Vec<String>| if new.is_empty() { old } else { new };
        types::GuardRails {
            read_only: read_only || before.read_only,
            regions: named(regions, before.regions),
            functions: named(functions, before.functions),
            methods: named(methods, before.methods),
            max_body: max_body.or(before.max_body),
            own_project: own_project || before.own_project,
            audiences: named(audiences, before.audiences),
        }
    }

    /// Tells whether none is named.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
