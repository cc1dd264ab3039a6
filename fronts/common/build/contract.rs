//! The contract as the generated code names it.

use serde_json::Value;
use wit_parser::{
    Function, InterfaceId, PackageId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey,
};

/// The contract, and what the catalog adds to it.
pub(crate) struct Contract<'a> {
    pub(crate) resolve: &'a Resolve,
    package: PackageId,
    catalog: Value,
}

/// A function that the component exports.
pub(crate) struct Export<'a> {
    /// Interface and function, such as `functions.list`.
    pub(crate) name: String,
    /// The name of its interface.
    pub(crate) interface: &'a str,
    pub(crate) function: &'a Function,
}

impl<'a> Contract<'a> {
    pub(crate) fn new(resolve: &'a Resolve, package: PackageId, catalog: Value) -> Self {
        Self { resolve, package, catalog }
    }

    /// Every exported function, by the interfaces of the world.
    pub(crate) fn exports(&self) -> Vec<Export<'a>> {
        let world =
            self.resolve.select_world(&[self.package], None).unwrap_or_else(|error| panic!("{error:?}"));
        let mut exports = Vec::new();
        for (key, item) in &self.resolve.worlds[world].exports {
            let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
                panic!("the world exports something else than an interface")
            };
            let interface = self.interface(*id);
            let functions = &self.resolve.interfaces[*id].functions;
            exports.extend(functions.iter().map(|(name, function)| Export {
                name: format!("{interface}.{name}"),
                interface,
                function,
            }));
        }
        exports
    }

    /// The records, variants and enums of the package, each with the path of its Rust type.
    pub(crate) fn named_types(&self) -> Vec<TypeId> {
        let types = self.resolve.types.iter().filter(|(id, definition)| {
            let is_named = matches!(
                definition.kind,
                TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)
            );
            is_named && self.owner(*id).is_some_and(|owner| self.is_offered(owner))
        });
        types.map(|(id, _)| id).collect()
    }

    /// The name under which the conversions of a type are known, such as `types_header`.
    pub(crate) fn conversion(&self, id: TypeId) -> String {
        let owner = self.owner(id).expect("a named type stands in an interface");
        format!("{}_{}", snake(self.interface(owner)), snake(self.type_name(id)))
    }

    /// The Rust type that the bindings have for a named type.
    pub(crate) fn rust_type(&self, id: TypeId) -> String {
        let owner = self.owner(id).expect("a named type stands in an interface");
        format!("connector::{}::{}", snake(self.interface(owner)), camel(self.type_name(id)))
    }

    /// The name of a type in the contract.
    pub(crate) fn type_name(&self, id: TypeId) -> &'a str {
        self.resolve.types[id].name.as_deref().expect("records, variants and enums have names")
    }

    /// The kind of a type, behind the names that other interfaces `use` it by.
    pub(crate) fn kind(&self, id: TypeId) -> (TypeId, &'a TypeDefKind) {
        let kind = &self.resolve.types[id].kind;
        if let TypeDefKind::Type(Type::Id(of)) = kind { self.kind(*of) } else { (id, kind) }
    }

    /// The type inside of an `option`.
    pub(crate) fn optional(&self, ty: Type) -> Option<Type> {
        let Type::Id(id) = ty else { return None };
        if let (_, TypeDefKind::Option(of)) = self.kind(id) { Some(*of) } else { None }
    }

    /// The default of a field of a type, as JSON.
    pub(crate) fn default_of_field(&self, of: &str, field: &str) -> Option<&Value> {
        self.catalog["$defs"][of]["properties"][field].get("default")
    }

    /// The default of a parameter that is a field of an action's input, as JSON.
    pub(crate) fn default_of_parameter(&self, action: &str, parameter: &str) -> Option<&Value> {
        let mut actions = self.catalog["actions"].as_array().expect("the catalog has actions").iter();
        let action = actions.find(|it| it["name"] == action)?;
        action["input"]["properties"][parameter].get("default")
    }

    /// Tells whether a value of this type may hold the body of a request.
    pub(crate) fn holds_a_body(&self, ty: Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let (id, kind) = self.kind(id);
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of types are wit-parser's own")]
        match kind {
            TypeDefKind::Variant(_) if self.type_name(id) == "body" => true,
            TypeDefKind::Record(record) => record.fields.iter().any(|field| self.holds_a_body(field.ty)),
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().filter_map(|case| case.ty).any(|ty| self.holds_a_body(ty))
            }
            TypeDefKind::Option(of) | TypeDefKind::List(of) => self.holds_a_body(*of),
            TypeDefKind::Tuple(tuple) => tuple.types.iter().any(|ty| self.holds_a_body(*ty)),
            _ => false,
        }
    }

    fn interface(&self, id: InterfaceId) -> &'a str {
        self.resolve.interfaces[id].name.as_deref().expect("the interfaces of a package have names")
    }

    fn owner(&self, id: TypeId) -> Option<InterfaceId> {
        if let TypeOwner::Interface(id) = self.resolve.types[id].owner { Some(id) } else { None }
    }

    /// Tells whether an interface is the package's own, and one that callers see.
    fn is_offered(&self, id: InterfaceId) -> bool {
        self.resolve.interfaces[id].package == Some(self.package) && self.interface(id) != "secret-store"
    }
}

/// The words that Rust keeps for itself, of those that a contract may use as names.
const KEYWORDS: [&str; 8] = ["type", "use", "match", "ref", "move", "loop", "self", "enum"];

/// A name of the contract as Rust's functions and fields are spelled.
pub(crate) fn snake(name: &str) -> String {
    let name = name.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// A name of the contract as Rust's types and cases are spelled.
pub(crate) fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect()
}
