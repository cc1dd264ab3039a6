//! `gcf restrict`: what a connection may do, whatever Google allows.

use clap::Args;

use super::{Run, Running};
use crate::{
    context::Context,
    input::guard_rails::GuardRails,
    output::{connection::Changed, failure::Failure, shown::Outcome},
};

/// Change what a connection may do, whatever Google allows; what is not named stays as it is
#[derive(Debug, Args)]
pub(crate) struct Restrict {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    id: String,
    /// Begin anew: take all guard rails away, and set only those named here
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    guard_rails: GuardRails,
}

impl Run for Restrict {
    fn names_connection(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { id, reset, guard_rails } = *self;
            if guard_rails.is_empty() && !reset {
                return Err(Failure::input("no guard rail is named")
                    .with_fix("name what is to change, such as --read-only; or take all away with --reset"));
            }
            let before = context.named(&id).await?;
            let rails = match before.guard_rails {
                Some(rails) if !reset => guard_rails.over(rails),
                Some(_) | None => guard_rails.into_contract(),
            };
            // The options say nothing of the rail that an earlier command has set.
            let writes = |method: &String| matches!(method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
            let clash =
                !reset && rails.read_only && !rails.methods.is_empty() && rails.methods.iter().all(writes);
            let restricted = context.host.restrict(&before.id, Some(rails)).await;
            let connected = restricted.map_err(|error| {
                let failure = Failure::from(error);
                if !clash {
                    return failure;
                }
                failure.with_fix("allow GET, HEAD or OPTIONS only; or begin anew with --reset")
            })?;
            Ok(Box::new(Changed { done: "restricted", connected }) as Box<dyn Outcome>)
        })
    }
}
