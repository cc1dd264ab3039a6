//! The order in which all places are asked: side by side where nothing depends on what comes first.

use std::cell::Cell;

use super::{
    FunctionList, Parsed,
    merge::Merge,
    place::{EVERYWHERE, Place, Source},
    reading::{Reader, Reading},
};
use crate::{
    actions::functions::regions,
    base::{
        error::{Error, Kind, Result},
        join::{AT_ONCE, Task, join},
        ports::Ports,
        retry::Class,
        sorted,
    },
    call::{Call, MAX_PAGES},
    google::names::Region,
    session::Session,
};

/// A list in the making.
struct Collector<'a, P> {
    request: &'a Parsed,
    reader: Reader<'a, P>,
    merge: Merge,
    /// The first answer of Cloud Run, if it was asked already.
    probe: Option<(Place, Reading)>,
}

/// Collects what a request asks for.
///
/// # Errors
/// As signing in fails; if nothing could be listed; and if a list does not end.
pub(super) async fn collect<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    request: &Parsed,
) -> Result<FunctionList> {
    // One for all that is sent side by side.
    session.token(call).await?;
    let mut collector = Collector {
        request,
        reader: Reader { call, session, request, left: Cell::new(MAX_PAGES) },
        merge: Merge::default(),
        probe: None,
    };
    collector.functions().await?;
    if !collector.merge.is_cut() {
        collector.services().await?;
    }
    collector.merge.finish(!request.regions.is_empty())
}

impl<P: Ports> Collector<'_, P> {
    /// Tells if everything is asked for, from its beginning.
    fn whole(&self) -> bool {
        self.request.limit == usize::MAX && self.request.from.is_none()
    }

    /// Tells if one page is asked for.
    fn paged(&self) -> bool {
        self.request.from.is_some()
    }

    /// The number of functions that is enough for a reader who goes on from here.
    fn enough(&self) -> usize {
        if self.paged() { 0 } else { self.request.limit.saturating_sub(self.merge.len()) }
    }

    async fn functions(&mut self) -> Result<()> {
        let places = self.places(Source::Functions, &[EVERYWHERE.to_owned()]);
        let mut readings = if self.whole() { self.begin(&places).await } else { Vec::new() }.into_iter();
        for (index, place) in places.iter().enumerate() {
            let reading = match readings.next() {
                Some(reading) => reading,
                None => self.reader.read(place, self.enough(), Class::Idempotent).await,
            };
            match reading.failure {
                // The place is still there to go on from.
                Some(error) if self.paged() => return Err(error),
                _ => self.merge.take(place.clone(), reading)?,
            }
            if !self.merge.is_cut() && (self.paged() || self.merge.len() >= self.request.limit) {
                match places.get(index + 1) {
                    Some(next) => self.merge.cut(next),
                    None if self.request.filter.is_none() => {
                        let first = self.request.regions.first().map_or(EVERYWHERE, String::as_str);
                        self.merge.cut(&Place::first(Source::Services, first));
                    }
                    None => return Ok(()),
                }
            }
            if self.merge.is_cut() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// All that can be asked without knowing anything: the readings of these places come back, the rest is kept.
    async fn begin(&mut self, places: &[Place]) -> Vec<Reading> {
        let (reader, request) = (&self.reader, self.request);
        let mut readings: Vec<Reading> = places.iter().map(|_| Reading::default()).collect();
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (place, reading) in places.iter().zip(&mut readings) {
            tasks.push(Box::pin(async move {
                *reading = reader.read(place, usize::MAX, Class::Idempotent).await;
            }));
        }
        let probe = &mut self.probe;
        if request.filter.is_none() {
            tasks.push(Box::pin(async move {
                let location = request.regions.first().map_or(EVERYWHERE, String::as_str);
                let place = Place::first(Source::Services, location);
                let reading = reader.read(&place, usize::MAX, Class::Idempotent).await;
                *probe = Some((place, reading));
            }));
        }
        join(tasks).await;
        readings
    }

    async fn services(&mut self) -> Result<()> {
        if self.request.filter.is_some() {
            self.merge.note("functions of Cloud Run are left out: it knows no filter".to_owned());
            return Ok(());
        }
        if self.request.regions.is_empty() && !self.goes_on_in_a_region() && self.everywhere().await? {
            return Ok(());
        }
        self.in_regions().await
    }

    /// Tells if Cloud Run is read region by region, and in which it goes on.
    fn goes_on_in_a_region(&self) -> bool {
        let from = self.request.from.as_ref();
        from.is_some_and(|from| from.source == Source::Services && from.location != EVERYWHERE)
    }

    /// Takes Cloud Run's list of every region. Tells if there is one for this caller.
    async fn everywhere(&mut self) -> Result<bool> {
        let places = self.places(Source::Services, &[EVERYWHERE.to_owned()]);
        for place in places {
            let mut reading = match self.probe.take() {
                Some((_, reading)) => reading,
                None => self.reader.read(&place, self.enough(), Class::Idempotent).await,
            };
            match &reading.failure {
                Some(error) if reading.pages == 0 && is_for_a_place(error) => {
                    let own = Place::first(Source::Services, self.reader.session.region.as_str());
                    self.probe(&own).await;
                    return Ok(self.is_closed());
                }
                Some(error) if self.closes(error) => {
                    self.merge.closed(Source::Services, error.clone());
                    return Ok(true);
                }
                // The place is still there to go on from.
                Some(error) if self.paged() => return Err(error.clone()),
                Some(_) => self.take_service(&place, reading)?,
                None => {
                    let silent = std::mem::take(&mut reading.unreachable);
                    let is_last = reading.rest.is_none();
                    self.take_service(&place, reading)?;
                    self.ask_again(silent, is_last).await?;
                }
            }
        }
        Ok(true)
    }

    /// Asks each of the regions that did not answer among all of them, by itself, and once: Google counts those as
    /// silent which the project may not use, and they hold nothing.
    async fn ask_again(&mut self, silent: Vec<String>, is_last: bool) -> Result<()> {
        let mut places = Vec::with_capacity(silent.len());
        for region in silent {
            match Region::parse(&region) {
                Ok(region) => places.push(Place::first(Source::Services, region.as_str())),
                // Whatever that is, it is no part of a path.
                Err(_) => self.merge.unreachable(region),
            }
        }
        let mut readings: Vec<Reading> = places.iter().map(|_| Reading::default()).collect();
        let mut tasks: Vec<Task<'_>> = Vec::new();
        // If as many as that are silent, it is no matter of regions.
        for (place, reading) in places.iter().zip(&mut readings).take(AT_ONCE) {
            let reader = &self.reader;
            tasks.push(Box::pin(async move {
                *reading = reader.read(place, usize::MAX, Class::Unsent).await;
            }));
        }
        join(tasks).await;
        let page = if self.paged() { self.request.page_size as usize } else { usize::MAX };
        for (place, reading) in places.into_iter().zip(readings) {
            let fits = is_last && self.merge.len() + reading.functions.len() <= page;
            let is_read = reading.pages > 0 && reading.rest.is_none() && reading.failure.is_none();
            if reading.is_closed || (is_read && fits) {
                self.merge.take(place, reading)?;
            } else {
                self.merge.unreachable(place.location);
            }
        }
        Ok(())
    }

    async fn in_regions(&mut self) -> Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        let places = self.service_places().await?;
        if let (None, Some(first)) = (&self.probe, places.first()) {
            self.probe(first).await;
            if self.is_closed() {
                return Ok(());
            }
        }
        let mut readings: Vec<Option<Reading>> = places.iter().map(|_| None).collect();
        // A region that is not among them is one that Google does not know.
        if let Some((probed, reading)) = self.probe.take()
            && let Some(at) = places.iter().position(|place| *place == probed)
        {
            readings[at] = Some(reading);
        }
        let wave = if self.whole() { places.len().max(1) } else { AT_ONCE };
        for (places, readings) in places.chunks(wave).zip(readings.chunks_mut(wave)) {
            self.side_by_side(places, readings).await;
            for (place, reading) in places.iter().zip(readings) {
                if self.merge.is_cut() {
                    return Ok(());
                }
                self.take_service(place, reading.take().unwrap_or_default())?;
            }
        }
        Ok(())
    }

    async fn probe(&mut self, place: &Place) {
        let reading = self.reader.read(place, self.enough(), Class::Idempotent).await;
        self.probe = Some((place.clone(), reading));
    }

    /// Tells if Cloud Run was asked, and has said what it would say in every region.
    fn is_closed(&mut self) -> bool {
        let failure = self.probe.as_ref().and_then(|(_, reading)| reading.failure.as_ref());
        let closed = failure.filter(|error| self.closes(error)).cloned();
        closed.map(|error| self.merge.closed(Source::Services, error)).is_some()
    }

    /// Tells if Cloud Run would say the same in every region: that its API is off; or, to somebody whom Cloud Functions
    /// told nothing either, that a role is missing, or the same as that said.
    fn closes(&self, error: &Error) -> bool {
        let kind = error.kind();
        let other = self.merge.nothing_but();
        kind == Kind::ApiDisabled || other.is_some_and(|other| kind == Kind::MissingRole || kind == other)
    }

    /// Reads those places that were not read yet.
    async fn side_by_side(&self, places: &[Place], readings: &mut [Option<Reading>]) {
        let enough = self.enough();
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (place, reading) in places.iter().zip(readings).filter(|(_, reading)| reading.is_none()) {
            tasks.push(Box::pin(async move {
                *reading = Some(self.reader.read(place, enough, Class::Idempotent).await);
            }));
        }
        join(tasks).await;
    }

    fn take_service(&mut self, place: &Place, reading: Reading) -> Result<()> {
        let page = self.request.page_size as usize;
        let full = if self.paged() { page } else { self.request.limit };
        let fits = !self.paged() || self.merge.len() + reading.functions.len() <= page;
        if self.merge.len() >= full || !fits {
            // What was read of it is read again: the page is full.
            self.merge.cut(place);
            return Ok(());
        }
        self.merge.take(place.clone(), reading)
    }

    /// The places of a source, from where the request goes on.
    fn places(&self, source: Source, everywhere: &[String]) -> Vec<Place> {
        let asked = &self.request.regions;
        let locations = if asked.is_empty() { everywhere } else { asked };
        let first = |location: &String| Place::first(source, location);
        match &self.request.from {
            Some(from)
                if from.source == source && (from.location != EVERYWHERE || locations == [EVERYWHERE]) =>
            {
                let later = locations.iter().filter(|location| **location > from.location);
                std::iter::once(from.clone()).chain(later.map(first)).collect()
            }
            // Cloud Functions comes first: what goes on at Cloud Run has it behind itself.
            Some(_) if source == Source::Functions => Vec::new(),
            Some(_) | None => locations.iter().map(first).collect(),
        }
    }

    /// The regions in which Cloud Run is asked: all that are known, if Google does not say which there are.
    async fn service_places(&mut self) -> Result<Vec<Place>> {
        if !self.request.regions.is_empty() {
            return Ok(self.places(Source::Services, &[]));
        }
        let mut regions = Vec::new();
        let why = match regions::live(self.reader.call, self.reader.session).await {
            Ok(places) => {
                for place in places {
                    sorted::insert(&mut regions, place.region.as_str().to_owned());
                }
                regions.is_empty().then(|| "Google named none".to_owned())
            }
            Err(error) if error.kind().is_partial() => Some(error.fields().message.clone()),
            Err(error) => return Err(error),
        };
        if let Some(why) = why {
            let found = self.merge.functions().iter().map(|function| function.id.region.clone());
            let known = regions::known().into_iter().map(|place| place.region);
            for region in known.chain(found).chain([self.reader.session.region.clone()]) {
                sorted::insert(&mut regions, region.as_str().to_owned());
            }
            self.merge.note(format!(
                "the regions could not be listed: Cloud Run was asked in the {} that are known ({why})",
                regions.len()
            ));
        }
        Ok(self.places(Source::Services, &regions))
    }
}

/// Tells if who was refused like this about every region may be answered about one of them: roles may be granted for
/// some places only. All other reasons of Google's are about the caller, the project or the API.
fn is_for_a_place(error: &Error) -> bool {
    let fields = error.fields();
    let refused =
        matches!(fields.kind, Kind::MissingRole | Kind::Forbidden | Kind::NotFound | Kind::InvalidInput);
    refused
        && match fields.reason.as_deref() {
            None | Some("IAM_PERMISSION_DENIED" | "LOCATION_POLICY_VIOLATED") => true,
            // The canonical code, where there is no reason beside it.
            Some("PERMISSION_DENIED" | "NOT_FOUND" | "INVALID_ARGUMENT") => true,
            Some(_) => false,
        }
}
