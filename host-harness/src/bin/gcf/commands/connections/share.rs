//! `gcf connections share` and `unshare`: one connection for somebody else.

use gcf_host::wit::connections::Connection;
use serde_json::{Value, json};

use crate::{
    context::Context,
    output::{
        connection::named,
        credential,
        failure::Failure,
        shown::{Outcome, Shown, warnings},
        style::{Look, plain},
    },
};

pub(super) async fn share(context: &Context, id: String, with: String) -> Result<Box<dyn Outcome>, Failure> {
    refuse_in_replay(context)?;
    let connection = context.named(&id).await?;
    context
        .directory()?
        .share(&connection.id, &with)
        .map_err(|error| Failure::store_refuses(&format!("share {id}"), &error))?;
    Ok(Box::new(Shared { connection, with }))
}

pub(super) async fn unshare(
    context: &Context,
    id: String,
    with: String,
) -> Result<Box<dyn Outcome>, Failure> {
    refuse_in_replay(context)?;
    let connection = context.named(&id).await?;
    context
        .directory()?
        .unshare(&connection.id, &with)
        .map_err(|error| Failure::store_refuses(&format!("unshare {id}"), &error))?;
    Ok(Box::new(Unshared { connection, with }))
}

/// A replay changes no file of the store.
fn refuse_in_replay(context: &Context) -> Result<(), Failure> {
    if context.is_replaying() {
        return Err(Failure::input(
            "a replay changes no file of the store, and to share a connection is to encrypt one anew",
        )
        .with_fix("leave --replay out"));
    }
    Ok(())
}

/// A connection that somebody else can use, too.
pub(in super::super) struct Shared {
    pub(in super::super) connection: Connection,
    pub(in super::super) with: String,
}

impl Outcome for Shared {
    fn show(&self, look: Look) -> Shown {
        Shown {
            after: "they use it from a copy of this store's folder, with their own key\n".to_owned()
                + &warnings(credential::not_shared(&self.connection).as_slice(), look),
            ..Shown::result(format!("shared {} with {}\n", named(&self.connection), plain(&self.with)))
        }
    }

    fn json(&self) -> Value {
        json!({ "shared": self.connection.id, "with": self.with })
    }
}

/// A connection that somebody else cannot use any more.
pub(in super::super) struct Unshared {
    pub(in super::super) connection: Connection,
    pub(in super::super) with: String,
}

impl Outcome for Unshared {
    fn show(&self, look: Look) -> Shown {
        let warning = "what they could read, they may have kept: give the connection a new credential, \
                       and end the old one at Google";
        Shown {
            after: warnings(&[warning.to_owned()], look),
            ..Shown::result(format!(
                "{} is no longer shared with {}\n",
                named(&self.connection),
                plain(&self.with)
            ))
        }
    }

    fn json(&self) -> Value {
        json!({ "unshared": self.connection.id, "with": self.with })
    }
}
