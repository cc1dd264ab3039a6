//! The names of the tools. The build makes their descriptions from the catalog.

/// The tools that are actions of the connector. What takes a credential, or an answer of a sign-in, is none of them: a
/// model must not handle keys. Nor is what renames, restricts or ends a connection, which is for whoever owns it.
pub(crate) const TOOLS: [&str; 7] = [
    "connections-list",
    "connections-check",
    "functions-list",
    "functions-get",
    "functions-invoke",
    "api-custom-api",
    PLAN,
];

/// The tool that plans a call of another one.
pub(crate) const PLAN: &str = "planning-plan";

/// The tool that shows what an action takes and gives.
pub(crate) const DESCRIBE: &str = "catalog-describe";
