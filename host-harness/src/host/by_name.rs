//! Calls by name, with JSON in and out: for hosts that take actions and forms from the catalog and know none
//! of them beforehand.

mod at;
mod encoding;

use std::{borrow::Cow, time::Duration};

use serde_json::{Value, json};
use wasmtime::{
    AsContextMut as _, Store,
    component::{Func, Val, types::Type},
};

use self::{
    at::At,
    encoding::{Reader, to_json},
};
use crate::{
    error::HostError,
    host::{
        Host,
        actions::{ROWS, about_its_own, millis, row},
        table::{Row, Sees},
    },
    sandbox::state::State,
    secrets::visible::Scope,
    text::{nearest, shortened},
};

/// The contract that this library speaks: the package in `wit/`, and its version.
pub const CONTRACT: &str = "gcf:connector@0.1.0";

/// The outcome of a call by name: a value that the action's `output` in the catalog describes, or an error as
/// the catalog's `error` does.
pub type Answer = Result<Value, Value>;

impl Host {
    /// Calls an action by its name in the catalog, such as `functions.list` or `functions-list`, with the JSON
    /// that its `input` describes.
    ///
    /// A field that is left out of the input is left out of the request, or is its default. Blank text, which
    /// forms send of fields that nobody has filled in, is the same as nothing in a field that is not required.
    ///
    /// `connection` is not read by actions that need none.
    ///
    /// # Errors
    /// Errors of the host only. An error of the connector is an [`Answer`], and so is an input that does not
    /// fit the action.
    pub async fn call_by_name(
        &self,
        action: &str,
        connection: &str,
        input: &Value,
        deadline: Option<Duration>,
    ) -> Result<Answer, HostError> {
        let action = &*dotted(action);
        let scope = self.scope_of(action, connection, input, deadline).await?;
        self.call_instance(scope, deadline, async |store, instance| {
            let Some(function) = self.0.sandbox.exports.function(store, instance, action) else {
                let why = format!("there is no action {}", shortened(action));
                let near = nearest(action, ROWS.iter().map(|row| row.name));
                let meant = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                return Ok(Err(invalid("action", &why, &format!("{meant}use a name from the catalog"))));
            };
            let params =
                match params((action, &self.0.catalog.parsed), &function, store, connection, input, deadline)
                {
                    Ok(params) => params,
                    Err((field, why)) => {
                        return Ok(Err(invalid(
                            &field,
                            &why,
                            "the action's `input` in the catalog says what it takes",
                        )));
                    }
                };
            let types: Vec<Type> = function.ty(&*store).results().collect();
            let mut results = vec![Val::Bool(false); types.len()];
            function.call_async(store.as_context_mut(), &params, &mut results).await?;
            let answer = answer(&types, results);
            let about = row(action).map_or(&[][..], |row| row.about);
            if let Ok(answer) = &answer
                && !about.is_empty()
            {
                let id = about.iter().fold(answer, |answer, field| &answer[*field]);
                about_its_own(store, id.as_str().unwrap_or_default())?;
            }
            Ok(answer)
        })
        .await
    }

    /// The part of the store that an action may touch, as the typed methods have it.
    async fn scope_of(
        &self,
        action: &str,
        connection: &str,
        input: &Value,
        deadline: Option<Duration>,
    ) -> Result<Scope, HostError> {
        if action == "planning.plan" {
            return Ok(planned(&input["action"]).map_or_else(Scope::nothing, |row| row.planned(connection)));
        }
        let Some(row) = row(action) else { return Ok(Scope::nothing()) };
        let subject = match row.sees {
            Sees::NewSignIn => input["connection"].as_str(),
            Sees::SignIn => input["authorization"].as_str(),
            Sees::Own
            | Sees::OwnOffline
            | Sees::OwnAndNickname
            | Sees::OwnAndNames
            | Sees::Names
            | Sees::NewConnection => Some(connection),
        };
        self.scope(*row, subject, deadline).await
    }
}

/// The action that is to be planned, from a case of the contract's variant: a name, or an object with it.
fn planned(action: &Value) -> Option<&'static Row> {
    let fields = action.as_object().filter(|fields| fields.len() == 1);
    let name = action.as_str().or_else(|| fields?.keys().next().map(String::as_str))?;
    ROWS.iter().find(|row| row.name.replace('.', "-") == name)
}

/// The name with a dot of an action that may be named without one.
fn dotted(action: &str) -> Cow<'_, str> {
    if action.contains('.') { Cow::Borrowed(action) } else { Cow::Owned(action.replacen('-', ".", 1)) }
}

/// Arranges the input as parameters: the host gives the connection and the deadline, a `request` is all of
/// the input, and any other parameter is a field of it.
fn params(
    (action, catalog): (&str, &Value),
    function: &Func,
    store: &Store<State>,
    connection: &str,
    input: &Value,
    deadline: Option<Duration>,
) -> Result<Vec<Val>, encoding::Wrong> {
    let fields = input.as_object().map(|fields| fields.keys().map(String::as_str).collect());
    let mut left: Vec<&str> =
        fields.ok_or_else(|| (String::new(), "the input is not an object".to_owned()))?;
    let reader = Reader::new(action, catalog);
    let function = function.ty(store);
    let mut params = Vec::new();
    for (name, ty) in function.params() {
        params.push(match (name, &ty) {
            ("connection" | "id", Type::String) => Val::String(connection.to_owned()),
            ("deadline-ms", _) => {
                let millis = millis(deadline).map(|millis| Box::new(Val::U32(millis)));
                Val::Option(millis)
            }
            ("request", _) => {
                left.clear();
                reader.value(&ty, input, &At::TOP)?
            }
            (name, ty) => {
                left.retain(|field| *field != name);
                reader.field(ty, input, name, &At::TOP)?
            }
        });
    }
    match left.first() {
        None => Ok(params),
        Some(field) => Err(encoding::unknown(field, &At::TOP, function.params().map(|(name, _)| name))),
    }
}

/// Reads the outcome of an action. Every action returns one value or one error, except for the catalog, which
/// is text.
fn answer(types: &[Type], results: Vec<Val>) -> Answer {
    let mut results = results.into_iter();
    match (types, results.next(), results.next()) {
        ([Type::Result(ty)], Some(Val::Result(result)), None) => {
            let shown = |ty: Option<Type>, value: Option<Box<Val>>| match (ty, value) {
                (Some(ty), Some(value)) => to_json(&ty, *value),
                (Some(_) | None, Some(_) | None) => Value::Null,
            };
            match result {
                Ok(value) => Ok(shown(ty.ok(), value)),
                Err(error) => Err(shown(ty.err(), error)),
            }
        }
        ([ty], Some(value), None) => Ok(to_json(ty, value)),
        _ => Ok(Value::Null),
    }
}

/// An error of the input, in the connector's own words.
fn invalid(field: &str, why: &str, fix: &str) -> Value {
    json!({
        "kind": "invalid-input", "origin": "input", "message": why, "fix": fix,
        "details": [["field", field]], "trace": [],
    })
}
