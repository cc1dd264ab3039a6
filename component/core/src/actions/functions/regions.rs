//! The regions that there are: as Google says now, or as far as is known.

use crate::{
    base::{
        error::{Error, Result},
        http::Method,
        json::{self, Object, Read, Unreadable},
        near::nearest,
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        sorted,
    },
    call::Call,
    google::{
        hosts::Api,
        names::Region,
        refusal,
        request::{self, grammar::PathAndQuery},
    },
    session::Session,
};

/// A region, with the name of its place if Google said one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) region: Region,
    pub(super) name: String,
}

/// More pages than Google has regions: an end, if a server never ends.
const MAX_PAGES: u32 = 10;

/// The regions in which the project may have functions, by their ids: those of Cloud Run, for Cloud Functions does not
/// name them all; or to somebody whom Cloud Run does not tell, those of Cloud Functions.
///
/// # Errors
/// As signing in fails, and as Google refuses; `page-loop`.
pub(super) async fn live<P: Ports>(call: &Call<'_, P>, session: &Session) -> Result<Vec<Place>> {
    match of(call, session, &RUN).await {
        Ok(places) if !places.is_empty() => Ok(places),
        Err(error) if !error.kind().is_partial() => Err(error),
        Ok(_) | Err(_) => of(call, session, &FUNCTIONS).await,
    }
}

/// An API that says where it is.
struct Source {
    api: Api,
    version: &'static str,
    permission: &'static str,
}

/// <https://cloud.google.com/run/docs/reference/rest/v1/projects.locations/list>; v2 has no such list.
const RUN: Source = Source { api: Api::Run, version: "v1", permission: "run.locations.list" };

/// <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations/list>
const FUNCTIONS: Source =
    Source { api: Api::Functions, version: "v2", permission: "cloudfunctions.locations.list" };

async fn of<P: Ports>(call: &Call<'_, P>, session: &Session, source: &Source) -> Result<Vec<Place>> {
    let path = format!("/{}/projects/{}/locations", source.version, session.project.segment());
    let action = format!("list the regions of {}", session.project);
    let (mut places, mut seen, mut token) = (Vec::new(), Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let mut query = vec![("fields", "locations(locationId,displayName),nextPageToken")];
        query.extend(token.as_deref().map(|token| ("pageToken", token)));
        let target = PathAndQuery::ours(&path, &query);
        let response = session
            .send(call, Class::Idempotent, &|token| {
                request::to_api(Purpose::Regions, source.api, Method::Get, &target, token)
            })
            .await?;
        if response.status != 200 {
            let attempted = session.attempted(&action, source.permission);
            return Err(refusal::api::error(&response, &attempted));
        }
        token = json::read(&response.body)
            .and_then(|page| read(&page, &mut places))
            .map_err(|why| refusal::api::unreadable(&response, &action, &why))?;
        match &token {
            None => return Ok(places),
            Some(next) if sorted::insert(&mut seen, next.clone()) => {}
            Some(_) => return Err(no_end(&action, "a page token came twice")),
        }
    }
    Err(no_end(&action, "there are more pages than Google has regions"))
}

fn no_end(action: &str, why: &str) -> Error {
    refusal::api::no_end(&format!("the attempt to {action}"), why)
        .fix("try again; if it stays so, name the region")
}

fn read(page: &Object<'_>, places: &mut Vec<Place>) -> Read<Option<String>> {
    for location in page.list("locations")? {
        let location = location.object().ok_or(Unreadable::Field("locations"))?;
        // What is no region, such as `global`, has no functions.
        if let Some(Ok(region)) = location.text("locationId")?.map(Region::parse) {
            let name = location.text("displayName")?.map(crate::base::error::foreign).unwrap_or_default();
            sorted::insert(places, Place { region, name });
        }
    }
    Ok(page.string("nextPageToken")?.filter(|token| !token.is_empty()))
}

/// The regions that are known without asking, by their ids.
pub(super) fn known() -> Vec<Place> {
    let place = |line: &str| {
        let (region, name) = line.split_once(' ')?;
        Some(Place { region: Region::of(region)?, name: name.to_owned() })
    };
    KNOWN.iter().filter_map(|line| place(line)).collect()
}

/// The known region that may have been meant by one that is not known.
pub(crate) fn nearest_known(region: &Region) -> Option<Region> {
    let known = known();
    let near = nearest(region.as_str(), known.iter().map(|place| place.region.as_str()))?;
    (near != region.as_str()).then(|| Region::of(near)).flatten()
}

/// Tells if a region is one of those.
pub(crate) fn is_known(region: &Region) -> bool {
    known().iter().any(|place| place.region == *region)
}

/// The regions of Cloud Run, and their places. Those of Cloud Functions are among them.
///
/// From <https://cloud.google.com/run/docs/locations>, as a copy of it was read on 26 November 2026; `gcloud run regions
/// list` gave as many on 9 September (<https://github.com/JulienBreux/run-cli/issues/52>). Regions that
/// have been opened since then are missing: this list serves those only who may not ask for the one that is true.
const KNOWN: [&str; 43] = [
    "africa-south1 Johannesburg",
    "asia-east1 Taiwan",
    "asia-east2 Hong Kong",
    "asia-northeast1 Tokyo",
    "asia-northeast2 Osaka",
    "asia-northeast3 Seoul",
    "asia-south1 Mumbai",
    "asia-south2 Delhi",
    "asia-southeast1 Singapore",
    "asia-southeast2 Jakarta",
    "asia-southeast3 Bangkok",
    "australia-southeast1 Sydney",
    "australia-southeast2 Melbourne",
    "europe-central2 Warsaw",
    "europe-north1 Finland",
    "europe-north2 Stockholm",
    "europe-southwest1 Madrid",
    "europe-west1 Belgium",
    "europe-west10 Berlin",
    "europe-west12 Turin",
    "europe-west2 London",
    "europe-west3 Frankfurt",
    "europe-west4 Netherlands",
    "europe-west6 Zurich",
    "europe-west8 Milan",
    "europe-west9 Paris",
    "me-central1 Doha",
    "me-central2 Dammam",
    "me-west1 Tel Aviv",
    "northamerica-northeast1 Montreal",
    "northamerica-northeast2 Toronto",
    "northamerica-south1 Mexico",
    "southamerica-east1 Sao Paulo",
    "southamerica-west1 Santiago",
    "us-central1 Iowa",
    "us-east1 South Carolina",
    "us-east4 Northern Virginia",
    "us-east5 Columbus",
    "us-south1 Dallas",
    "us-west1 Oregon",
    "us-west2 Los Angeles",
    "us-west3 Salt Lake City",
    "us-west4 Las Vegas",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_in_order_and_all_of_it_is_regions() {
        let known = known();
        assert_eq!(known.len(), KNOWN.len());
        assert!(known.windows(2).all(|pair| pair[0] < pair[1] && !pair[0].name.is_empty()));
    }

    /// Every region of both tiers of <https://cloud.google.com/run/docs/locations>, in its order; and those of
    /// <https://cloud.google.com/functions/1stgendocs/locations>, which are some of them.
    #[test]
    fn every_region_of_both_apis_is_known() {
        let of_run = "asia-east1 asia-northeast1 asia-northeast2 asia-south1 asia-southeast3 europe-north1 europe-north2 \
            europe-southwest1 europe-west1 europe-west4 europe-west8 europe-west9 me-west1 northamerica-south1 us-central1 \
            us-east1 us-east4 us-east5 us-south1 us-west1 \
            africa-south1 asia-east2 asia-northeast3 asia-southeast1 asia-southeast2 asia-south2 australia-southeast1 \
            australia-southeast2 europe-central2 europe-west10 europe-west12 europe-west2 europe-west3 europe-west6 \
            me-central1 me-central2 northamerica-northeast1 northamerica-northeast2 southamerica-east1 \
            southamerica-west1 us-west2 us-west3 us-west4";
        let of_gen1 = "asia-east1 asia-east2 asia-northeast1 asia-northeast2 europe-west1 europe-west2 us-central1 us-east1 \
            us-east4 us-west1 asia-northeast3 asia-southeast1 asia-southeast2 asia-south1 australia-southeast1 \
            europe-central2 europe-west3 europe-west6 northamerica-northeast1 southamerica-east1 us-west2 us-west3 us-west4";
        for region in of_run.split_whitespace().chain(of_gen1.split_whitespace()) {
            assert!(is_known(&Region::parse(region).unwrap()), "{region}");
        }
        assert_eq!(of_run.split_whitespace().count(), KNOWN.len());
    }
}
