//! `gcf describe`: what the connector can do, read off its catalog.

use clap::Args;
use gcf_host::text::nearest;
use serde_json::Value;

use super::{Run, Running};
use crate::{
    context::Context,
    output::{
        failure::Failure,
        shown::{Outcome, Shown},
        style::{Look, Paint, block, plain},
        table::table,
    },
};

/// List the actions, or show what one takes and gives; --json prints schemas, egress, scopes and limits
#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// An action, such as functions.list
    action: Option<String>,
}

impl Run for Describe {
    fn needs_store(&self) -> bool {
        false
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let described = Described::of(context.host.describe(), self.action.as_deref())?;
            Ok(Box::new(described) as Box<dyn Outcome>)
        })
    }
}

/// All of the catalog, or one action.
struct Described {
    catalog: Value,
    /// The place of the action among all.
    action: Option<usize>,
}

impl Outcome for Described {
    fn show(&self, look: Look) -> Shown {
        Shown::result(match self.action {
            None => self.overview(look.out),
            Some(at) => self.detail(&actions(&self.catalog)[at], look.out),
        })
    }

    /// All of it, or the action with the definitions that its schemas refer to.
    fn json(&self) -> Value {
        let Some(at) = self.action else { return self.catalog.clone() };
        let mut action = actions(&self.catalog)[at].clone();
        action["$defs"] = self.catalog["$defs"].clone();
        action
    }
}

impl Described {
    /// Of the whole catalog, or of the action of this name; the part before the dot may be left out.
    fn of(catalog: &str, action: Option<&str>) -> Result<Self, Failure> {
        let catalog: Value = serde_json::from_str(catalog)
            .map_err(|error| Failure::fault(format!("the component's catalog is not JSON: {error}")))?;
        let Some(name) = action else { return Ok(Self { catalog, action: None }) };
        let names: Vec<&str> = actions(&catalog).iter().map(|action| text(action, "name")).collect();
        let ends = |full: &&str| full.rsplit('.').next() == Some(name);
        let at = names.iter().position(|full| *full == name).or_else(|| names.iter().position(ends));
        match at {
            Some(at) => Ok(Self { action: Some(at), catalog }),
            None => {
                let near = nearest(
                    name,
                    names.iter().flat_map(|full| [Some(*full), full.rsplit('.').next()]).flatten(),
                );
                let meant = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                Err(Failure::input(format!("there is no action {name:?}"))
                    .with_fix(format!("{meant}one of these: {}", names.join(", "))))
            }
        }
    }

    fn overview(&self, paint: Paint) -> String {
        let rows = actions(&self.catalog).iter().map(|action| {
            [text(action, "name").into(), effects(action).into(), text(action, "title").into()]
        });
        let mut shown = table(["ACTION", "EFFECTS", "WHAT IT DOES"], rows, paint);
        let hosts: Vec<&str> = list(&self.catalog["egress"])
            .iter()
            .map(|rule| rule["host"].as_str().or(rule["host-suffix"].as_str()).unwrap_or_default())
            .collect();
        let apis: Vec<&str> = list(&self.catalog["apis"]).iter().map(|api| text(api, "name")).collect();
        let scopes: Vec<&str> = list(&self.catalog["scopes"]).iter().filter_map(Value::as_str).collect();
        for (name, values) in [("hosts", hosts), ("apis", apis), ("scopes", scopes)] {
            shown += &format!("{} {}\n", paint.dim(format!("{name:<7}")), plain(&values.join(", ")));
        }
        shown
    }

    fn detail(&self, action: &Value, paint: Paint) -> String {
        let mut shown = format!("{}  {}\n", paint.bold(plain(text(action, "name"))), effects(action));
        shown += &format!("{}\n", block(text(action, "description")));
        for (what, schema) in [("takes", &action["input"]), ("gives", &action["output"])] {
            let fields = self.fields(schema);
            if fields.is_empty() {
                continue;
            }
            shown += &format!("\n{}\n", paint.bold(what));
            let rows = fields.into_iter().map(|row| row.map(Into::into));
            shown += &table(["FIELD", "TYPE", "NEEDED", "DEFAULT", "WHAT IT IS"], rows, paint);
        }
        for (name, key) in [("roles", "roles"), ("hosts", "egress")] {
            let values: Vec<&str> = list(&action[key]).iter().filter_map(Value::as_str).collect();
            if !values.is_empty() {
                shown += &format!("{} {}\n", paint.dim(format!("{name:<7}")), plain(&values.join(", ")));
            }
        }
        shown
    }

    /// A row for each field of an object.
    fn fields(&self, schema: &Value) -> Vec<[String; 5]> {
        let schema = self.resolved(schema);
        let required: Vec<&str> = list(&schema["required"]).iter().filter_map(Value::as_str).collect();
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties
            .map(|(name, field)| {
                let default = field.get("default").map(|default| match default.as_str() {
                    Some(text) if !text.is_empty() => text.to_owned(),
                    Some(_) | None => default.to_string(),
                });
                let needed = if required.contains(&name.as_str()) { "yes" } else { "" };
                let help = field["description"].as_str().or(field["title"].as_str()).unwrap_or_default();
                [
                    name.clone(),
                    self.type_of(field),
                    needed.to_owned(),
                    default.unwrap_or_default(),
                    first_sentence(help).to_owned(),
                ]
            })
            .collect()
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.catalog.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }

    /// In a word, or the words that can stand there.
    fn type_of(&self, schema: &Value) -> String {
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.resolved(schema);
            return match target["enum"].as_array() {
                Some(values) if values.len() <= 4 => self.type_of(target),
                Some(_) | None => reference.rsplit('/').next().unwrap_or_default().to_owned(),
            };
        }
        match schema["type"].as_str() {
            Some("array") => format!("{}…", self.type_of(&schema["items"])),
            Some("string") if schema["contentEncoding"].is_string() => "base64".to_owned(),
            Some(name) => name.to_owned(),
            None => "any".to_owned(),
        }
    }
}

/// The effects on the world, in the fewest words.
fn effects(action: &Value) -> String {
    let is = |name: &str| action["effects"][name] == true;
    let mut words = vec![match (is("read-only"), is("destructive")) {
        (true, _) => "reads",
        (false, false) => "writes",
        (false, true) => "changes",
    }];
    words.extend((is("idempotent") && !is("read-only")).then_some("repeatable"));
    words.extend(is("open-world").then_some("anywhere"));
    words.join(", ")
}

fn actions(catalog: &Value) -> &[Value] {
    list(&catalog["actions"])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.find(". ").map_or(line, |at| &line[..at]).trim_end_matches('.')
}
