//! `gcf restrict`: what a connection may do, whatever Google allows.

use clap::Args;
use gcf_host::wit::{connections::Connection, types};

use super::{Run, Running};
use crate::{
    context::Context,
    input::guard_rails::GuardRails,
    output::{connection::Changed, failure::Failure, shown::Outcome, words},
};

/// Say all that a connection may do from now on, in place of what was said before
#[derive(Debug, Args)]
pub(crate) struct Restrict {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    id: String,
    /// Let it do whatever Google allows
    #[arg(long)]
    none: bool,
    #[command(flatten)]
    guard_rails: GuardRails,
}

impl Run for Restrict {
    fn names_connection(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { id, none, guard_rails } = *self;
            let rails = asked_for(none, guard_rails)?;
            let before = context.named(&id).await?;
            let mut connected = context.host.restrict(&before.id, Some(rails)).await?;
            let said = |connection: &Connection| {
                connection.guard_rails.as_ref().map(words::guard_rails).unwrap_or_default()
            };
            let now = said(&connected.connection);
            let gone: Vec<String> = said(&before).into_iter().filter(|rail| !now.contains(rail)).collect();
            // Each time, all that is to hold is said.
            if !none && !gone.is_empty() {
                connected
                    .warnings
                    .push(format!("no longer: {}; name it again if it is to stay", gone.join("; ")));
            }
            Ok(Box::new(Changed { done: "restricted", connected }) as Box<dyn Outcome>)
        })
    }
}

/// The rails that are to hold; none of them only if `--none` says so.
fn asked_for(none: bool, rails: GuardRails) -> Result<types::GuardRails, Failure> {
    let rails = rails.into_contract();
    match (none, rails == GuardRails::default().into_contract()) {
        (true, false) => Err(Failure::input("--none takes all guard rails away, and here is one to set")
            .with_fix("leave --none out, or the others")),
        (false, true) => Err(Failure::input("nothing is said about what it may do")
            .with_fix("name all that is to hold, such as --read-only --allow-region us-central1; or --none")),
        (true, true) | (false, false) => Ok(rails),
    }
}
