//! `gcf options`: the choices of a form's drop-down.

use std::borrow::Cow;

use clap::{Args, ValueEnum};
use gcf_host::{
    Action,
    wit::functions::{self, OptionItem, OptionList, OptionsRequest},
};
use serde_json::{Value, json};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    output::{
        failure::Failure,
        format::Rows,
        json,
        shown::{Outcome, Shown, notes},
        style::{Look, Paint, plain},
        table::table,
    },
};

/// List the choices of a form's drop-down: the regions, or the functions of one
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The drop-down: `regions` or `functions`
    #[arg(value_enum, value_name = "FIELD", hide_possible_values = true)]
    field: OptionField,
    /// Only choices that begin with this
    prefix: Option<String>,
    /// The functions of this region; by default of the connection's own
    #[arg(long)]
    region: Option<String>,
    /// At most so many, 100 if left out
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OptionField {
    Regions,
    Functions,
}

impl Run for Options {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn lists(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { field, prefix, region, limit } = *self;
            let field = match field {
                OptionField::Regions if region.is_some() => {
                    return Err(Failure::input("--region goes with `gcf options functions` only")
                        .with_fix("give the beginning of a region without it: gcf options regions europe"));
                }
                OptionField::Regions => functions::OptionField::Regions,
                OptionField::Functions => functions::OptionField::Functions(region.clone()),
            };
            let connection = context.current().await?;
            let of_functions_in = matches!(field, functions::OptionField::Functions(_))
                .then(|| region.unwrap_or_else(|| connection.region.clone()));
            let mut request = OptionsRequest::new(field);
            request.prefix = prefix;
            request.limit = limit;
            let offer = async |request| {
                let offered = context.host.options(&connection.id, request, context.timeout).await;
                let list = offered.map_err(|error| Failure::of_call(error, &connection))?;
                let seen = list.options.iter().map(|item| item.value.clone());
                context.remember(|names| match &of_functions_in {
                    Some(region) => {
                        names.note_names(&connection.id, seen.map(|name| (region.clone(), name)), false)
                    }
                    None => {
                        let labels = list.options.iter().map(|item| item.label.clone());
                        names.note_regions(seen.zip(labels));
                    }
                });
                Ok(Offered { list, of_functions_in })
            };
            context.call(&connection.id, request, Action::Options, offer).await
        })
    }
}

/// The choices.
pub(super) struct Offered {
    pub(super) list: OptionList,
    /// The region, if it is functions that are offered.
    pub(super) of_functions_in: Option<String>,
}

impl Outcome for Offered {
    fn show(&self, look: Look) -> Shown {
        let region = self.of_functions_in.as_deref();
        Shown {
            after: summary(&self.list, region, look.err),
            ..Shown::result(options(&self.list.options, region.is_none(), look))
        }
    }

    fn json(&self) -> Value {
        json!({
            "options": self.list.options.iter().map(option).collect::<Vec<_>>(),
            "more": self.list.more,
            "notes": self.list.notes,
            "trace": json::trace(&self.list.trace),
        })
    }

    fn rows(&self) -> Option<Rows> {
        let options = &self.list.options;
        Some(Rows {
            rows: options.iter().map(option).collect(),
            names: options.iter().map(|item| item.value.clone()).collect(),
        })
    }
}

fn option(item: &OptionItem) -> Value {
    json!({
        "value": item.value,
        "label": item.label,
        "hint": item.hint,
        "default": item.default,
    })
}

/// One choice a line.
fn options(options: &[OptionItem], of_regions: bool, look: Look) -> String {
    if options.is_empty() {
        return String::new();
    }
    if !of_regions {
        let rows = options
            .iter()
            .map(|item| [item.value.as_str(), item.hint.as_deref().unwrap_or("-")].map(Cow::from));
        return table(["FUNCTION", "ABOUT"], rows, look.out);
    }
    let rows = options.iter().map(|item| {
        [item.value.as_str(), &item.label, if item.default { "default" } else { "" }].map(Cow::from)
    });
    table(["REGION", "LABEL", ""], rows, look.out)
}

/// The end of the table: if that is all that could be offered, and of which region.
fn summary(list: &OptionList, region: Option<&str>, paint: Paint) -> String {
    let mut summary = notes(&list.notes, paint);
    match (list.options.is_empty(), region) {
        (true, None) => summary += "nothing to offer\n",
        (false, None) => {}
        // Which region, nothing else says.
        (empty, Some(region)) => {
            let what = if empty { "nothing to offer in" } else { "functions of" };
            summary += &format!("{what} {}; --region NAME is for another one\n", plain(region));
        }
    }
    if list.more {
        summary +=
            &format!("{} there are more; give more of its beginning, or raise --limit\n", paint.hint("cut:"));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_offers_is_a_table_and_says_if_there_is_more() {
        let item = |value: &str, label: &str, hint: Option<&str>, default| OptionItem {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: hint.map(str::to_owned),
            default,
        };
        let look = Look { terminal: false, out: Paint::none(), err: Paint::none() };
        let regions = [
            item("us-central1", "Iowa (us-central1)", None, true),
            item("us-east1", "South Carolina (us-east1)", None, false),
        ];
        assert_eq!(
            options(&regions, true, look),
            "REGION       LABEL\n\
             us-central1  Iowa (us-central1)         default\n\
             us-east1     South Carolina (us-east1)\n"
        );
        let functions = [item("a", "a", Some("gen2, http, ACTIVE"), false)];
        assert_eq!(options(&functions, false, look), "FUNCTION  ABOUT\na         gen2, http, ACTIVE\n");
        let offer =
            OptionList { options: Vec::new(), more: true, notes: vec!["old".to_owned()], trace: Vec::new() };
        let text = summary(&offer, None, Paint::none());
        assert!(text.starts_with("note: old\nnothing to offer\ncut: "), "{text}");
        let text = summary(&offer, Some("us-east1"), Paint::none());
        assert!(text.starts_with("note: old\nnothing to offer in us-east1; --region NAME"), "{text}");
    }
}
