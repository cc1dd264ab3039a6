//! `gcf store`: where connections are kept, and who can read them.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Run, Running};
use crate::{
    context::Context,
    output::{
        failure::Failure,
        shown::{Outcome, Shown},
        style::{Look, plain},
        table::facts,
    },
};

/// Show where connections are kept, and the key that encrypts them, with its public half
#[derive(Debug, Args)]
pub(crate) struct Store;

impl Run for Store {
    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let directory = context.directory()?;
            Ok(Box::new(Stored {
                folder: directory.path().to_owned(),
                key: context.key_place.clone(),
                recipient: directory.recipient(),
                hidden: directory.hidden().map_err(|error| Failure::store(&error))?,
            }) as Box<dyn Outcome>)
        })
    }
}

/// A store in a folder.
pub(super) struct Stored {
    pub(super) folder: PathBuf,
    /// The place of the key.
    pub(super) key: String,
    pub(super) recipient: String,
    pub(super) hidden: usize,
}

impl Outcome for Stored {
    fn show(&self, look: Look) -> Shown {
        let Self { folder, key, recipient, hidden } = self;
        let folder = folder.display().to_string();
        let hidden = match hidden {
            0 => String::new(),
            1 => "1 entry is encrypted to others only\n".to_owned(),
            count => format!("{count} entries are encrypted to others only\n"),
        };
        let share = "others share a connection with you by: gcf connections share ID --to";
        Shown {
            after: format!("{hidden}{share} {}\n", plain(recipient)),
            ..Shown::result(facts(
                &[("folder", Some(&folder)), ("key", Some(key)), ("recipient", Some(recipient))],
                look.out,
            ))
        }
    }

    fn json(&self) -> Value {
        let Self { folder, key, recipient, hidden } = self;
        json!({ "folder": folder, "key": key, "recipient": recipient, "hidden": hidden })
    }
}
