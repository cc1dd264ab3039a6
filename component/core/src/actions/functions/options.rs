//! The choices that a drop-down offers, while the user types.

use super::{
    function::{Function, Trigger},
    list,
    regions::{self, Place},
};
use crate::{
    base::{
        error::{Error, Result},
        http::Exchange,
        ports::Ports,
    },
    call::{Call, deadlines},
    google::names::{DEFAULT_REGION, Region},
    session::Session,
};

/// The number of choices that a drop-down shows, if nobody says.
const LIMIT: u32 = 100;

/// The field that a drop-down is for; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum OptionField {
    Regions,
    Functions(Option<String>),
}

/// The request for choices; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionsRequest {
    pub field: OptionField,
    pub prefix: Option<String>,
    pub limit: Option<u32>,
}

/// One line of a drop-down; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionItem {
    pub value: String,
    pub label: String,
    pub hint: Option<String>,
    pub default: bool,
}

/// The choices of a drop-down; see `wit/functions.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct OptionList {
    pub options: Vec<OptionItem>,
    pub more: bool,
    pub notes: Vec<String>,
    pub trace: Vec<Exchange>,
}

/// Lists the choices of a drop-down.
///
/// # Errors
/// As `wit/functions.wit` says.
pub async fn options<P: Ports>(
    ports: &P,
    connection: &str,
    request: OptionsRequest,
    deadline_ms: Option<u32>,
) -> Result<OptionList> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, connection)?;
    let wanted = Wanted {
        prefix: request.prefix.unwrap_or_default(),
        limit: match request.limit.unwrap_or(LIMIT) {
            0 => return Err(Error::input("limit", "the limit is zero").fix("leave it out for 100")),
            limit => limit as usize,
        },
    };
    let mut list = match request.field {
        OptionField::Regions => call.traced(of_regions(&call, &session, &wanted).await)?,
        OptionField::Functions(region) => {
            let region = region.map_or(Ok(session.region.clone()), |region| Region::parse(&region))?;
            call.traced(of_functions(&call, &session, &region, &wanted).await)?
        }
    };
    list.trace = call.take_trace();
    Ok(list)
}

struct Wanted {
    prefix: String,
    limit: usize,
}

impl Wanted {
    /// Those that fit, cut at the limit.
    fn of(&self, mut items: Vec<OptionItem>, notes: Vec<String>) -> OptionList {
        let fits = |text: &str| {
            let beginning = text.as_bytes().get(..self.prefix.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(self.prefix.as_bytes()))
        };
        items.retain(|item| fits(&item.value) || fits(&item.label));
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        OptionList { options: items, more, notes, trace: Vec::new() }
    }
}

async fn of_regions<P: Ports>(call: &Call<'_, P>, session: &Session, wanted: &Wanted) -> Result<OptionList> {
    let mut notes = Vec::new();
    let mut places = match regions::live(call, session).await {
        Ok(places) => places,
        Err(error) if error.kind().is_partial() => {
            notes.push(format!(
                "these are the regions that are known, not those that Google offers now: {}",
                error.fields().message
            ));
            regions::known()
        }
        Err(error) => return Err(error),
    };
    places.retain(|place| session.guard_rails.allows_region(&place.region).is_ok());
    // The connection's own region comes first; if Google has none of that name, the one that is the default of all.
    let at = |region: &str| places.iter().position(|place: &Place| place.region.as_str() == region);
    let default = at(session.region.as_str()).or_else(|| at(DEFAULT_REGION));
    if let Some(at) = default {
        places[..=at].rotate_right(1);
    }
    let mut items = Vec::with_capacity(places.len());
    for place in places {
        let id = place.region.as_str().to_owned();
        // A person looks for a place, and types its name.
        let label = if place.name.is_empty() { id.clone() } else { format!("{} ({id})", place.name) };
        items.push(OptionItem {
            value: id,
            label,
            hint: None,
            default: items.is_empty() && default.is_some(),
        });
    }
    Ok(wanted.of(items, notes))
}

async fn of_functions<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    region: &Region,
    wanted: &Wanted,
) -> Result<OptionList> {
    let list = list::every(call, session, vec![region.as_str().to_owned()]).await?;
    let mut notes: Vec<String> =
        list.missing.iter().map(|part| format!("incomplete: {}", part.message)).collect();
    notes.extend(list.unreachable.iter().map(|region| format!("incomplete: {region} did not answer")));
    let cut = list.next_page_token.is_some();
    if cut {
        notes.push(format!(
            "incomplete: only the first {} functions were looked through",
            list.functions.len()
        ));
    }
    let mut items: Vec<OptionItem> = Vec::with_capacity(list.functions.len());
    // What is chosen is invoked next.
    let allowed =
        |function: &&Function| session.guard_rails.allows_name(Some(function.id.name.as_str())).is_ok();
    for function in list.functions.iter().filter(allowed) {
        let name = function.id.name.as_str();
        let item = OptionItem {
            value: name.to_owned(),
            label: name.to_owned(),
            hint: Some(hint(function)),
            default: false,
        };
        items.insert(items.partition_point(|there| there.value.as_str() <= name), item);
    }
    let mut offer = wanted.of(items, notes);
    offer.more |= cut;
    Ok(offer)
}

/// `gen2, http, ACTIVE`: what tells functions of similar names apart.
fn hint(function: &Function) -> String {
    let trigger = match &function.trigger {
        Trigger::Http => "http, ",
        Trigger::Event(event) => &format!("{event}, "),
        Trigger::Other => "",
    };
    format!("{}, {trigger}{}", function.generation.as_str(), function.state)
}
