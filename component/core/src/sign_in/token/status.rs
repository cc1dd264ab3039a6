//! The status of a connection: the time of its last use, and the fault that keeps the next one from working.
//!
//! Fresh instances share no memory. Without this note, a thousand callers of a dead connection would
//! each ask Google, and so would all who waited for one refresh that failed.

#[cfg(test)]
mod tests;

use crate::{
    base::{
        error::{Belief, CAUSE, Cause, Error, Kind, Origin, Result},
        json::{Object, Read, Unreadable},
        ports::Ports,
    },
    store::{self, Kept, names::ConnectionId},
};

/// The seconds for which others believe a fault that passes by itself, unless Google asks for longer.
const PASSING: u64 = 5;

/// The seconds for which others believe that a credential was refused: long enough for all who wait for one refresh, and
/// no longer. Somebody at Google's side can undo it, and then the next call is to succeed: an account or a key is enabled, a
/// client or a pool restored.
const REFUSED: u64 = 5;

/// The longest that Google is left alone, in seconds, however long it asks for.
const LONGEST: u64 = 300;

/// The detail of an error that has been noted: in the seconds of `connection.created`.
const KNOWN_SINCE: &str = "known-since";

/// The entry under `status/{id}`.
#[derive(Default)]
pub(crate) struct Status {
    pub(crate) last_used: u64,
    pub(crate) fault: Option<StoredFault>,
}

/// A fault as it is kept.
#[derive(Clone)]
pub(crate) struct StoredFault {
    /// The cached token that could not be renewed; none if it is about the whole connection.
    about: Option<String>,
    /// The end of believing it; none until somebody signs in anew.
    until: Option<u64>,
    kind: String,
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
    pub(crate) reason: Option<String>,
    cause: Option<String>,
    pub(crate) since: u64,
}

impl Kept for Status {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            last_used: fields.number("last_used")?.unwrap_or_default(),
            fault: fields.object("fault")?.map(StoredFault::read).transpose()?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with_some("last_used", (self.last_used != 0).then_some(self.last_used))
            .with_some("fault", self.fault.as_ref().map(StoredFault::fields))
    }
}

impl Kept for StoredFault {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            about: fields.string("about")?,
            until: fields.number("until")?,
            kind: fields.required("kind")?,
            message: fields.required("message")?,
            fix: fields.string("fix")?,
            reason: fields.string("reason")?,
            cause: fields.string("cause")?,
            since: fields.number("since")?.ok_or(Unreadable::Field("since"))?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with_some("about", self.about.as_deref())
            .with_some("until", self.until)
            .with("kind", self.kind.as_str())
            .with("message", self.message.as_str())
            .with_some("fix", self.fix.as_deref())
            .with_some("reason", self.reason.as_deref())
            .with_some("cause", self.cause.as_deref())
            .with("since", self.since)
    }
}

impl StoredFault {
    fn of(error: &Error, key: &str, now: u64) -> Option<Self> {
        let fields = error.fields();
        let (kind, belief) = fields.kind.noted()?;
        let cause = fields.details.iter().find(|(name, _)| name == CAUSE).map(|(_, cause)| cause.clone());
        // An account that was deleted can be restored, and then the same sign-in works again:
        // https://support.google.com/a/answer/1397578
        let gone = cause.as_deref() == Some(Cause::AccountGone.as_str());
        let belief = if gone { Belief::Refused } else { belief };
        let (about, until) = match belief {
            Belief::Reconnect => (None, None),
            Belief::Refused => (Some(key.to_owned()), Some(now + REFUSED)),
            Belief::Passing => {
                // What Google asks to be left alone for counts for everybody.
                let floor = fields.retry_after_ms.unwrap_or_default() / 1000;
                (Some(key.to_owned()), Some(now + floor.clamp(PASSING, LONGEST)))
            }
        };
        Some(Self {
            about,
            until,
            kind: kind.to_owned(),
            message: fields.message.clone(),
            fix: fields.fix.clone(),
            reason: fields.reason.clone(),
            cause,
            since: now,
        })
    }

    /// Tells if it is worth showing: what passes by itself is not, once it is not believed any more.
    pub(crate) fn stands(&self, now: u64) -> bool {
        let passes = Kind::of_note(&self.kind).is_some_and(|(_, belief)| belief == Belief::Passing);
        !passes || self.until.is_some_and(|until| now < until && self.since <= now)
    }

    fn holds(&self, key: &str, now: u64) -> bool {
        self.about.as_ref().is_none_or(|about| about == key)
            // A note from the future dates from before the clock was set back.
            && self.until.is_none_or(|until| now < until && self.since <= now)
    }

    fn error(self, now: u64) -> Error {
        let kind = Kind::of_note(&self.kind).map_or(Kind::Unavailable, |(kind, _)| kind);
        let origin = if kind == Kind::Network { Origin::Network } else { Origin::TokenEndpoint };
        let error = Error::new(kind, origin, self.message)
            .reason(self.reason)
            .detail(KNOWN_SINCE, self.since.to_string())
            .retry_after_ms(self.until.map(|until| until.saturating_sub(now) * 1000));
        let error = match self.cause {
            Some(cause) => error.detail(CAUSE, cause),
            None => error,
        };
        match self.fix {
            Some(fix) => error.fix(fix),
            None => error,
        }
    }
}

/// The status of a connection; an empty one, if it cannot be read.
pub(crate) fn read(ports: &impl Ports, id: &ConnectionId) -> Status {
    store::read(ports, &id.status_key()).ok().flatten().unwrap_or_default()
}

/// The error that asking for the token under `key` is known to end in.
pub(super) fn known_fault(
    ports: &impl Ports,
    id: &ConnectionId,
    key: &str,
    now: u64,
) -> Result<Option<Error>> {
    let status: Option<Status> = store::read(ports, &id.status_key()).unwrap_or_default();
    Ok(status.and_then(|s| s.fault).filter(|fault| fault.holds(key, now)).map(|fault| fault.error(now)))
}

/// Notes that a token was obtained.
pub(super) fn used(ports: &impl Ports, id: &ConnectionId, now: u64) {
    update(ports, id, &|status| {
        status.last_used = now;
        status.fault = None;
    });
}

/// Notes that a token could not be obtained, if that is worth knowing and not known already.
pub(super) fn failed(ports: &impl Ports, id: &ConnectionId, key: &str, error: Error, now: u64) -> Error {
    let known = error.fields().details.iter().any(|(name, _)| name == KNOWN_SINCE);
    match StoredFault::of(&error, key, now).filter(|_| !known) {
        Some(fault) => {
            update(ports, id, &|status| {
                // Somebody who signed in anew meanwhile has a token, and no fault.
                if status.last_used <= now {
                    status.fault = Some(fault.clone());
                }
            });
            error.detail(KNOWN_SINCE, now.to_string())
        }
        None => error,
    }
}

/// Forgets a fault: a new credential is there, or somebody wants to know how things are now.
pub(crate) fn forget_fault(ports: &impl Ports, id: &ConnectionId) {
    if read(ports, id).fault.is_some() {
        update(ports, id, &|status| status.fault = None);
    }
}

/// A note that is lost, to others who are quicker each time or to a store that cannot be written, costs a request and
/// nothing else.
fn update(ports: &impl Ports, id: &ConnectionId, change: &dyn Fn(&mut Status)) {
    let _ = store::swap(ports, &id.status_key(), &|kept: Result<Option<Status>>| {
        let mut status = kept.ok().flatten().unwrap_or_default();
        change(&mut status);
        Ok(Some(status))
    });
}
