//! `gcf get`: one function.

use clap::Args;
use gcf_host::{Action, wit::functions::Function};
use serde_json::Value;

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    input::function::function_ref,
    output::{
        failure::Failure,
        format::Rows,
        function,
        shown::{Outcome, Shown},
        style::Look,
    },
};

/// Show one function
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// A name, or projects/P/locations/R/functions/F
    #[arg(value_name = "NAME")]
    function: String,
    /// The function's region; by default all are searched, and two functions of the name are an error
    #[arg(long)]
    region: Option<String>,
}

impl Run for Get {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn lists(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let function = function_ref(self.function, self.region)?;
            let connection = context.current().await?;
            let get = async |function| {
                let got = context.host.get_function(&connection.id, function, context.timeout).await;
                got.map(Got).map_err(|error| Failure::of_call(error, &connection))
            };
            context.call(&connection.id, function, Action::Get, get).await
        })
    }
}

/// The function that was asked for.
pub(super) struct Got(pub(super) Function);

impl Outcome for Got {
    fn show(&self, look: Look) -> Shown {
        Shown::result(function::text(&self.0, look.out))
    }

    fn json(&self) -> Value {
        function::json(&self.0)
    }

    fn rows(&self) -> Option<Rows> {
        Some(Rows { rows: vec![self.json()], names: vec![function::resource_name(&self.0)] })
    }
}
