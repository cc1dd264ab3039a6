//! `gcf supply`: a token or a private key for connections that look for it in the store.

use std::path::PathBuf;

use clap::Args;
use gcf_host::secrets::Expected;
use serde_json::{Value, json};

use super::{Run, Running};
use crate::{
    context::Context,
    input::{files, token},
    output::{
        failure::Failure,
        shown::{Outcome, Shown},
        style::{Look, plain},
    },
    sign_in::credential::supplied,
};

/// Put a token or a private key into the store, for connections that use it from there
#[derive(Debug, Args)]
pub(crate) struct Supply {
    /// Its name, as --supplied-token and --subject-token take it; keys/NAME is a private key, as
    /// --stored-key takes it
    name: String,
    /// The file to read; without one, or with -, stdin. A key is PEM, or the JSON that Google hands
    /// out
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
}

impl Run for Supply {
    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { name, file } = *self;
            let mut field = None;
            let (key, value) = match name.strip_prefix("keys/") {
                Some(id) => {
                    // There lie the keys of connections that came with one, too.
                    if context.host.connections().await?.iter().any(|connection| connection.id == id) {
                        return Err(Failure::input(format!("{name} is the key of the connection {id}"))
                            .with_fix(format!(
                                "choose another name, or: gcf reconnect {id} --credentials FILE"
                            )));
                    }
                    (name.clone(), files::private_key(&file)?)
                }
                None => {
                    let found = token::read(&file)?;
                    field = found.field;
                    (supplied(&name), found.token)
                }
            };
            context
                .store
                .put(&key, &value, &Expected::Anything)
                .map_err(|error| Failure::store_refuses(&format!("keep {key}"), &error))?;
            Ok(Box::new(Supplied { key, field }) as Box<dyn Outcome>)
        })
    }
}

/// A secret that is in the store now.
pub(super) struct Supplied {
    pub(super) key: String,
    /// The field of JSON that it was taken from.
    pub(super) field: Option<String>,
}

impl Outcome for Supplied {
    fn show(&self, _look: Look) -> Shown {
        let what = match &self.field {
            Some(field) => format!("kept `{}` of the JSON", plain(field)),
            None => "kept".to_owned(),
        };
        Shown::result(format!("{what} as {}\n", plain(&self.key)))
    }

    fn changes_store(&self) -> bool {
        true
    }

    fn json(&self) -> Value {
        match &self.field {
            Some(field) => json!({ "supplied": self.key, "field": field }),
            None => json!({ "supplied": self.key }),
        }
    }
}
