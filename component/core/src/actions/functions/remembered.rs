//! Functions that were found by their names, kept for a while: a call by name is then one request.
//!
//! An entry holds as much as a call needs. Google is asked again after ten minutes, or once an answer says that
//! something of it is no longer true.

use std::time::Duration;

use super::{Function, Generation, Trigger};
use crate::{
    base::{
        digest,
        json::{Object, Read, Unreadable},
        ports::{Expected, Ports},
    },
    google::{names::FunctionId, which::Lookup},
    session::Session,
    store::{self, Kept},
};

/// The longest that Google is not asked again.
const LIFE: Duration = Duration::from_secs(600);

/// A function, and the second since 1970-01-01T00:00:00Z until which it is taken to be as it was.
struct Remembered {
    until: u64,
    function: Function,
}

/// The function that this lookup led to a moment ago, if the connection may still call it.
pub(super) fn recall(ports: &impl Ports, session: &Session, lookup: &Lookup) -> Option<Function> {
    // One that cannot be read is one more to look up, not a failure.
    let Remembered { until, function } = store::read(ports, &key(session, lookup)).ok()??;
    let now = ports.now().as_secs();
    // A note from the future dates from before the clock was set back.
    let is_fresh = (now + 1..=now + LIFE.as_secs()).contains(&until);
    let is_allowed = session.guard_rails.allows_region(&function.id.region).is_ok();
    (is_fresh && is_allowed && function.callable_url().is_some()).then_some(function)
}

/// Keeps what a lookup led to. A store that does not take it costs one more lookup, and nothing else.
pub(super) fn remember(ports: &impl Ports, session: &Session, lookup: &Lookup, function: &Function) {
    let until = ports.now().as_secs() + LIFE.as_secs();
    let remembered = Remembered { until, function: function.clone() };
    let _ = store::write(ports, &key(session, lookup), &remembered, Expected::Anything);
}

/// Forgets what a lookup led to.
pub(super) fn forget(ports: &impl Ports, session: &Session, lookup: &Lookup) {
    // If the store cannot, it is over soon.
    let _ = store::delete(ports, &key(session, lookup));
}

/// The name of what is kept: all that a lookup depends on is in it.
fn key(session: &Session, lookup: &Lookup) -> String {
    let of = |id: &FunctionId| (id.project.to_string(), id.region.to_string(), id.name.to_string());
    let (project, region, name) = match lookup {
        Lookup::Exact(id) => of(id),
        Lookup::Bare(name) => (session.project.to_string(), "-".to_owned(), name.to_string()),
    };
    // A bare name is that of the only function in the regions that are allowed.
    let regions = session.guard_rails.regions.join(",");
    let all = format!("{project}\n{region}\n{name}\n{regions}");
    session.id.function_prefix() + &digest::name_of(&all)
}

impl Kept for Remembered {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let generation = fields.text("generation")?.and_then(Generation::named);
        let function = Function {
            id: FunctionId::parse(&fields.required("name")?).map_err(|_| Unreadable::Field("name"))?,
            other_name: None,
            generation: generation.ok_or(Unreadable::Field("generation"))?,
            trigger: match fields.string("event")? {
                Some(event) => Trigger::Event(event),
                None => Trigger::Other,
            },
            state: fields.required("state")?,
            url: fields.string("url")?,
            service: fields.string("service")?,
            runtime: None,
            service_account: None,
            ingress: fields.string("ingress")?,
            timeout_seconds: fields.number("timeout")?.and_then(|seconds| u32::try_from(seconds).ok()),
            memory: None,
            labels: Vec::new(),
            updated: None,
            without_default_url: false,
            open_to_all: false,
        };
        Ok(Self { until: fields.number("until")?.ok_or(Unreadable::Field("until"))?, function })
    }

    fn fields(&self) -> Object<'_> {
        let Function { id, generation, trigger, state, url, service, ingress, timeout_seconds, .. } =
            &self.function;
        let event = if let Trigger::Event(event) = trigger { Some(event.as_str()) } else { None };
        Object::default()
            .with("until", self.until)
            .with("name", crate::base::json::Value::Text(id.to_string().into()))
            .with("generation", generation.as_str())
            .with_some("event", event)
            .with("state", state.as_str())
            .with_some("url", url.as_deref())
            .with_some("service", service.as_deref())
            .with_some("ingress", ingress.as_deref())
            .with_some("timeout", timeout_seconds.map(u64::from))
    }
}
