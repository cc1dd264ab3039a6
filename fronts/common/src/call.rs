//! A call: by its name, with what goes with it.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    bindings::gcf::connector::{
        catalog,
        types::{Error, ErrorKind, Origin},
    },
    contract::{ACTIONS, CHECKS, Check, reading, writing},
    read::{At, Wrong, nearest},
};

/// The most characters of somebody else's text in a message.
const MAX_SHOWN: usize = 100;

/// An action of the contract.
#[derive(Clone, Copy)]
pub struct Action {
    /// Its name in the catalog, such as `functions.list`.
    pub name: &'static str,
    /// Interface and function with a slash between, such as `functions/list`.
    pub path: &'static str,
    /// The parameters of the contract, in order.
    pub parameters: &'static [&'static str],
    /// True if its input may hold the body of a request.
    pub holds_a_body: bool,
    pub(crate) call: fn(Given<'_>) -> Answer,
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The id of the connection; not read by actions that need none.
    pub connection: &'a str,
    /// A value that the action's `input` in the catalog describes.
    pub input: &'a Value,
    /// The time for the whole call, in milliseconds; the default of the action if there is none.
    pub deadline_ms: Option<u32>,
}

/// The outcome of a call: a value that the action's `output` in the catalog describes, or an error.
pub type Answer = Result<Value, Failure>;

/// The reason why there is no value: an error of the connector, or of an input that does not fit its action.
#[derive(Debug)]
pub struct Failure(Box<Error>);

impl Failure {
    /// An error of a front's own, in the form of the connector's.
    #[must_use]
    pub fn new(kind: ErrorKind, origin: Origin, message: &str, fix: &str) -> Self {
        Self(Box::new(Error {
            kind,
            origin,
            message: message.to_owned(),
            fix: Some(fix.to_owned()),
            http_status: None,
            retry_after_ms: None,
            reason: None,
            link: None,
            details: Vec::new(),
            trace: Vec::new(),
        }))
    }

    /// An input that cannot be used, in the connector's own words.
    #[must_use]
    pub fn invalid(field: &str, why: &str, fix: &str) -> Self {
        Self::new(ErrorKind::InvalidInput, Origin::Input, why, fix).with("field", field)
    }

    /// An input of more bytes than it may have.
    #[must_use]
    pub fn too_long(limit: u64) -> Self {
        let why = format!("the input is longer than {limit} bytes");
        let failure = Self::new(ErrorKind::TooLarge, Origin::Input, &why, "send less");
        failure.with("limit", &limit.to_string())
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.details.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An error of the connector from its JSON, as a front has it in its tests.
    ///
    /// # Errors
    /// It is none.
    pub fn from_json(json: &Value) -> Result<Self, Self> {
        Ok(reading::types_error(json, &At::TOP)?.into())
    }

    /// The error, from wherever it came.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0
    }

    /// The error as the catalog's `error` describes it.
    #[must_use]
    pub fn into_json(self) -> Value {
        writing::types_error(*self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        Self::invalid(&wrong.field, &wrong.why, "the action's `input` in the catalog says what it takes")
    }
}

/// The action of this name, if there is one.
fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().copied().find(|action| action.name == name)
}

/// The action of this name, with a dot or without: `functions.list`, `functions-list`.
///
/// # Errors
/// There is none; the error says which one may have been meant.
pub fn action(name: &str) -> Result<&'static Action, Failure> {
    let name = if name.contains('.') { Cow::Borrowed(name) } else { Cow::Owned(name.replacen('-', ".", 1)) };
    find(&name).ok_or_else(|| {
        let described = ACTIONS.iter().map(|action| action.name).filter(|name| *name != "catalog.describe");
        let near = nearest(&name, described);
        let meant = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        let why = format!("there is no action {}", shortened(&name));
        Failure::invalid("action", &why, &format!("{meant}use a name from the catalog"))
    })
}

/// The beginning of a text that somebody else wrote, for a message.
#[must_use]
pub fn shortened(text: &str) -> &str {
    text.char_indices().nth(MAX_SHOWN).map_or(text, |(end, _)| &text[..end])
}

/// Calls an action of the connector.
///
/// # Errors
/// The connector's; and an input that does not fit the action, before anything is called.
pub fn perform(action: &Action, given: Given<'_>) -> Answer {
    (action.call)(given)
}

/// The catalog of the connector, as text.
#[must_use]
pub fn describe() -> String {
    catalog::describe()
}

impl Action {
    /// An input as the connector receives it, written as JSON again: defaults are filled in, and what is none is
    /// left out.
    ///
    /// # Errors
    /// The input does not fit the action.
    pub fn read_input(&self, json: &Value) -> Result<Value, Failure> {
        Ok(self.checks().0(json)?)
    }

    /// An output, read and written again.
    ///
    /// # Errors
    /// It is none of this action.
    pub fn read_output(&self, json: &Value) -> Result<Value, Failure> {
        Ok(self.checks().1(json)?)
    }

    /// Not in the row: a front has no use for them, and would carry them along.
    fn checks(&self) -> (Check, Check) {
        let row = CHECKS.iter().find(|(name, _, _)| *name == self.name);
        row.map(|(_, input, output)| (*input, *output)).expect("every action has its checks")
    }
}
