//! The exports of the component, found once for all calls.

use std::collections::HashMap;

use wasmtime::{
    Store,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Func, Instance, InstancePre, Lift, Lower,
        types::ComponentItem,
    },
};

use super::state::State;
use crate::contract::bindings::ConnectorPre;

/// The component, ready to be started, and the places of its functions. A call looks at the one function that it
/// calls: to load all of them, or those of an interface, checks the types of each anew.
pub(crate) struct Exports {
    /// The component with its imports.
    pub(crate) instance: InstancePre<State>,
    /// By interface and name, such as `functions.invoke`.
    functions: HashMap<String, ComponentExportIndex>,
}

impl Exports {
    /// Finds them.
    ///
    /// # Errors
    /// The component lacks one, or has one of another type.
    pub(crate) fn find(instance: InstancePre<State>) -> wasmtime::Result<Self> {
        // All types are checked here, once.
        let instance = ConnectorPre::new(instance)?.instance_pre().clone();
        let functions = functions(instance.component());
        Ok(Self { instance, functions })
    }

    /// The function of this name.
    pub(crate) fn function(&self, store: &mut Store<State>, instance: &Instance, name: &str) -> Option<Func> {
        instance.get_func(store, self.functions.get(name)?)
    }

    /// Calls the function of this name.
    pub(crate) async fn call<P, R>(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        name: &str,
        parameters: P,
    ) -> wasmtime::Result<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList,
    {
        let index = self.functions.get(name);
        let index = index.ok_or_else(|| wasmtime::Error::msg(format!("there is no function {name}")))?;
        let function = instance.get_typed_func::<P, (R,)>(&mut *store, index)?;
        let (answer,) = function.call_async(store, parameters).await?;
        Ok(answer)
    }
}

/// The package that the interfaces belong to: what stands before and behind their names.
const PACKAGE: (&str, &str) = ("gcf:connector/", "@0.1.0");

/// The functions of the contract's interfaces.
fn functions(component: &Component) -> HashMap<String, ComponentExportIndex> {
    let engine = component.engine();
    let mut functions = HashMap::new();
    for (exported, item) in component.component_type().exports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
        let name = exported.strip_prefix(PACKAGE.0).and_then(|name| name.strip_suffix(PACKAGE.1));
        let Some((name, (_, index))) = name.zip(component.get_export(None, exported)) else { continue };
        for (function, _) in interface.exports(engine) {
            if let Some((_, index)) = component.get_export(Some(&index), function) {
                functions.insert(format!("{name}.{function}"), index);
            }
        }
    }
    functions
}
