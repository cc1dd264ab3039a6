//! The exports of the component, found once for all calls.

use wasmtime::component::InstancePre;

use super::state::State;
use crate::contract::bindings::{
    ConnectorPre,
    exports::{api, catalog, connections, functions, planning},
};

/// The component, ready to be started, and the places of its exports. A call loads the functions of its own interface:
/// to load all of them takes longer than to start the component.
pub(crate) struct Exports {
    /// The component with its imports.
    pub(crate) instance: InstancePre<State>,
    pub(crate) catalog: catalog::GuestIndices,
    pub(crate) connections: connections::GuestIndices,
    pub(crate) functions: functions::GuestIndices,
    pub(crate) api: api::GuestIndices,
    pub(crate) planning: planning::GuestIndices,
}

impl Exports {
    /// Finds them.
    ///
    /// # Errors
    /// The component lacks one, or has one of another type.
    pub(crate) fn find(instance: InstancePre<State>) -> wasmtime::Result<Self> {
        // All types are checked here, once.
        let instance = ConnectorPre::new(instance)?.instance_pre().clone();
        Ok(Self {
            catalog: catalog::GuestIndices::new(&instance)?,
            connections: connections::GuestIndices::new(&instance)?,
            functions: functions::GuestIndices::new(&instance)?,
            api: api::GuestIndices::new(&instance)?,
            planning: planning::GuestIndices::new(&instance)?,
            instance,
        })
    }
}
