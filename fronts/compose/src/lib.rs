//! Makes one component of several: a front, the connector, and a store.
//!
//! For hosts that offer what WASI says and nothing else: the connector's import `secret-store` is then answered by the
//! store, and its exports are called by the front. Each component stands in the result byte for byte as it came.

use std::fmt;

use wac_graph::{
    CompositionGraph, EncodeOptions, NodeId, PackageId,
    types::{Package, SubtypeChecker},
};

/// The name of the package that the contract is in.
const CONTRACT: &str = "gcf:connector/";

/// The interface that a store exports.
const STORE: &str = "gcf:connector/secret-store@";

/// The interface over which requests leave.
const OUTGOING: &str = "wasi:http/outgoing-handler@";

/// The parts of a composed component.
#[derive(Debug, Default, Clone)]
pub struct Parts {
    /// The connector, as released.
    pub connector: Vec<u8>,
    /// A component that exports `secret-store`.
    pub store: Option<Vec<u8>>,
    /// A component that imports what the connector exports. Without one, the result exports what the connector does.
    pub front: Option<Vec<u8>>,
    /// A component that the connector's requests go through; for tests only.
    pub reroute: Option<Vec<u8>>,
}

/// The reason why there is no composed component.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// A part is not a component.
    Unreadable {
        /// The name of the part.
        part: &'static str,
        /// The fault in it.
        why: String,
    },
    /// A part does not export what it is for.
    Unfit {
        /// The name of the part.
        part: &'static str,
        /// The import of the other part.
        wanted: &'static str,
    },
    /// The parts do not go together.
    Graph(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { part, why } => write!(f, "the {part} is not a component: {why}"),
            Self::Unfit { part, wanted } => {
                write!(f, "the {part} does not fit: it has no {wanted}… of the contract's types")
            }
            Self::Graph(why) => write!(f, "the components do not go together: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Composes.
///
/// # Errors
/// A part is not what it is for.
pub fn compose(parts: Parts) -> Result<Vec<u8>, Error> {
    let mut composition = Composition { graph: CompositionGraph::new() };
    let connector = composition.add("connector", parts.connector)?;
    let mut outer = connector;
    for (part, bytes, wanted) in [("store", parts.store, STORE), ("reroute", parts.reroute, OUTGOING)] {
        if let Some(bytes) = bytes {
            let plug = composition.add(part, bytes)?;
            composition.plug(&plug, &connector, part, wanted)?;
        }
    }
    if let Some(bytes) = parts.front {
        let front = composition.add("front", bytes)?;
        composition.plug(&connector, &front, "front", CONTRACT)?;
        outer = front;
    }
    composition.export(&outer)?;
    let graph = |error: &dyn fmt::Display| Error::Graph(error.to_string());
    composition.graph.encode(EncodeOptions::default()).map_err(|error| graph(&error))
}

struct Composition {
    graph: CompositionGraph,
}

/// A component in the graph, of which there is one instance.
#[derive(Clone, Copy)]
struct Part {
    package: PackageId,
    instance: NodeId,
}

impl Composition {
    fn add(&mut self, part: &'static str, bytes: Vec<u8>) -> Result<Part, Error> {
        let package = Package::from_bytes(part, None, bytes, self.graph.types_mut())
            .map_err(|error| Error::Unreadable { part, why: format!("{error:#}") })?;
        let package =
            self.graph.register_package(package).map_err(|error| Error::Graph(error.to_string()))?;
        Ok(Part { package, instance: self.graph.instantiate(package) })
    }

    /// Hands the exports of one part whose names begin so to the other as its imports, and fails if there are none.
    fn plug(
        &mut self,
        plug: &Part,
        socket: &Part,
        named: &'static str,
        wanted: &'static str,
    ) -> Result<(), Error> {
        let types = self.graph.types();
        let exports = &types[self.graph[plug.package].ty()].exports;
        let imports = &types[self.graph[socket.package].ty()].imports;
        let mut cache = Default::default();
        let mut checker = SubtypeChecker::new(&mut cache);
        let mut fitting = Vec::new();
        for (name, offered) in exports.iter().filter(|(name, _)| name.starts_with(wanted)) {
            let Some(asked) = imports.get(name) else { continue };
            if checker.is_subtype(*offered, types, *asked, types).is_err() {
                return Err(Error::Unfit { part: named, wanted });
            }
            fitting.push(name.clone());
        }
        if fitting.is_empty() {
            return Err(Error::Unfit { part: named, wanted });
        }
        for name in fitting {
            let export = self
                .graph
                .alias_instance_export(plug.instance, &name)
                .map_err(|error| Error::Graph(error.to_string()))?;
            self.graph
                .set_instantiation_argument(socket.instance, &name, export)
                .map_err(|error| Error::Graph(error.to_string()))?;
        }
        Ok(())
    }

    /// Exports all that a part does.
    fn export(&mut self, part: &Part) -> Result<(), Error> {
        let exports = &self.graph.types()[self.graph[part.package].ty()].exports;
        let names: Vec<_> = exports.keys().cloned().collect();
        for name in names {
            let export = self
                .graph
                .alias_instance_export(part.instance, &name)
                .map_err(|error| Error::Graph(error.to_string()))?;
            self.graph.export(export, &name).map_err(|error| Error::Graph(error.to_string()))?;
        }
        Ok(())
    }
}
