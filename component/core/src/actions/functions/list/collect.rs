//! The order in which all places are asked: side by side where nothing depends on what comes first.

use std::cell::Cell;

use super::{
    FunctionList, Parsed,
    merge::Merge,
    place::{EVERYWHERE, Place, Source},
    reading::{Reading, read},
};
use crate::{
    actions::functions::regions,
    base::{
        error::{Kind, Result},
        join::{AT_ONCE, Task, join},
        ports::Ports,
        sorted,
    },
    call::{Call, MAX_PAGES},
    session::Session,
};

/// The place at which Cloud Run begins, if nobody knows yet in which region that is.
const START: (Source, &str) = (Source::Services, EVERYWHERE);

/// A list in the making.
struct Collector<'a, P> {
    call: &'a Call<'a, P>,
    session: &'a Session,
    request: &'a Parsed,
    /// The number of pages that may still be read.
    left: Cell<u32>,
    merge: Merge,
    /// The regions, if they were asked for already.
    regions: Option<Result<Vec<regions::Place>>>,
    /// The answer of Cloud Run about one region, if it was asked already.
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
        call,
        session,
        request,
        left: Cell::new(MAX_PAGES),
        merge: Merge::default(),
        regions: None,
        probe: None,
    };
    collector.functions().await?;
    if !collector.merge.is_cut() {
        collector.services().await?;
    }
    collector.merge.finish()
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
                None => read(self.call, self.session, self.request, place, self.enough(), &self.left).await,
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
        let (call, session, request, left) = (self.call, self.session, self.request, &self.left);
        let mut readings: Vec<Reading> = places.iter().map(|_| Reading::default()).collect();
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (place, reading) in places.iter().zip(&mut readings) {
            tasks.push(Box::pin(async move {
                *reading = read(call, session, request, place, usize::MAX, left).await;
            }));
        }
        let (regions, probe) = (&mut self.regions, &mut self.probe);
        if request.filter.is_none() {
            if request.regions.is_empty() {
                tasks.push(Box::pin(async move { *regions = Some(regions::live(call, session).await) }));
            }
            tasks.push(Box::pin(async move {
                let region = request.regions.first().map_or(session.region.as_str(), String::as_str);
                let place = Place::first(Source::Services, region);
                let reading = read(call, session, request, &place, usize::MAX, left).await;
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
        if self.is_closed() {
            return Ok(());
        }
        let places = self.service_places().await?;
        if let (None, Some(first)) = (&self.probe, places.first()) {
            let enough = self.enough();
            let reading = read(self.call, self.session, self.request, first, enough, &self.left).await;
            self.probe = Some((first.clone(), reading));
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

    /// Tells if Cloud Run has said what it would say in every region: that its API is off; or, to somebody whom
    /// Cloud Functions told nothing either, that a role is missing, or the same as that said.
    fn is_closed(&mut self) -> bool {
        let failure = self.probe.as_ref().and_then(|(_, reading)| reading.failure.as_ref());
        let otherwise = self.merge.nothing_but();
        let closed = failure.filter(|error| {
            let kind = error.kind();
            kind == Kind::ApiDisabled
                || otherwise.is_some_and(|other| kind == Kind::MissingRole || kind == other)
        });
        let closed = closed.cloned();
        closed.map(|error| self.merge.closed(Source::Services, error)).is_some()
    }

    /// Reads those places that were not read yet.
    async fn side_by_side(&self, places: &[Place], readings: &mut [Option<Reading>]) {
        let enough = self.enough();
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (place, reading) in places.iter().zip(readings).filter(|(_, reading)| reading.is_none()) {
            tasks.push(Box::pin(async move {
                let read = read(self.call, self.session, self.request, place, enough, &self.left);
                *reading = Some(read.await);
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
            Some(from) if from.source == source && (source, from.location.as_str()) != START => {
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
        let live = match self.regions.take() {
            Some(regions) => regions,
            None => regions::live(self.call, self.session).await,
        };
        let mut regions = Vec::new();
        let why = match live {
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
            for region in known.chain(found).chain([self.session.region.clone()]) {
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
