//! One list from all that was read: in order, no function twice, and what is missing named.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{
    FunctionList, MissingPart,
    place::{EVERYWHERE, Place, Source},
    reading::Reading,
};
use crate::{
    actions::functions::function::{Function, Generation},
    base::{
        error::{Error, Kind, Result},
        sorted,
    },
    google::names::{FunctionName, Region},
};

/// A part that could not be read.
struct Failure {
    place: Place,
    error: Error,
}

/// Takes readings in the order of the list.
#[derive(Default)]
pub(super) struct Merge {
    list: FunctionList,
    /// Functions of Cloud Run, which are compared with the others at the end.
    services: Vec<Function>,
    failures: Vec<Failure>,
    /// Regions that the project may not use, or that an API is not in: nothing is missing there.
    closed: Vec<Failure>,
    /// The number of locations that each source was asked about.
    asked: [usize; 2],
    /// True once anything could be read.
    read: bool,
}

impl Merge {
    pub(super) fn functions(&self) -> &[Function] {
        &self.list.functions
    }

    /// The number of functions until now.
    pub(super) fn len(&self) -> usize {
        self.list.functions.len() + self.services.len()
    }

    /// The failure, if nothing could be read at all.
    pub(super) fn nothing_but(&self) -> Option<Kind> {
        self.failures.first().filter(|_| !self.read).map(|failure| failure.error.kind())
    }

    pub(super) fn note(&mut self, note: String) {
        self.list.notes.push(note);
    }

    /// The list goes on there.
    pub(super) fn cut(&mut self, place: &Place) {
        self.list.next_page_token = Some(place.to_token());
    }

    pub(super) fn is_cut(&self) -> bool {
        self.list.next_page_token.is_some()
    }

    /// A region did not answer.
    pub(super) fn unreachable(&mut self, region: String) {
        sorted::insert(&mut self.list.unreachable, region);
    }

    /// Adds what was read of a place. If it was not read to its end, the list is cut there.
    ///
    /// # Errors
    /// Those that are not the fault of one source or region.
    pub(super) fn take(&mut self, place: Place, reading: Reading) -> Result<()> {
        self.list.pages += reading.pages;
        self.read |= reading.pages > 0;
        self.asked[place.source as usize] += usize::from(!reading.is_closed);
        match place.source {
            Source::Functions => self.list.functions.extend(reading.functions),
            Source::Services => self.services.extend(reading.functions),
        }
        for region in reading.unreachable {
            self.unreachable(region);
        }
        if let Some(rest) = reading.rest {
            self.cut(&rest);
        }
        match reading.failure {
            Some(error) if reading.is_closed => self.closed.push(Failure { place, error }),
            Some(error) if !error.kind().is_partial() => return Err(error),
            Some(error) => self.failures.push(Failure { place, error }),
            None => {}
        }
        Ok(())
    }

    /// The whole list. `is_named` says whether the caller named the regions.
    ///
    /// # Errors
    /// If nothing at all could be read: what tells most about why.
    pub(super) fn finish(mut self, is_named: bool) -> Result<FunctionList> {
        if !self.read {
            let mut failures = std::mem::take(&mut self.failures);
            failures.append(&mut self.closed);
            if let Some(error) = most_telling(failures) {
                return Err(error);
            }
        }
        // Whoever named a region may have misspelt it.
        for Failure { place, .. } in self.closed.iter().filter(|_| is_named) {
            let (api, region) = (place.source.api().host(), &place.location);
            self.list.notes.push(format!(
                "{api} has nothing in {region}: there is no such region, or the project may not use it"
            ));
        }
        let services = std::mem::take(&mut self.services);
        let listed = if services.is_empty() { Vec::new() } else { behind(&self.list.functions) };
        let new: Vec<Function> = services
            .into_iter()
            .filter(|f| listed.binary_search(&(f.id.region.as_str().into(), f.service_name())).is_err())
            .collect();
        self.list.functions.extend(in_order(new));
        for source in [Source::Functions, Source::Services] {
            self.list.missing.extend(missing(source, &self.failures, self.asked[source as usize]));
        }
        Ok(self.list)
    }

    /// One source refuses, and will in every region.
    pub(super) fn closed(&mut self, source: Source, error: Error) {
        self.asked[source as usize] += 1;
        self.failures.push(Failure { place: Place::first(source, EVERYWHERE), error });
    }
}

/// By region and name: Cloud Run lists the newest first.
fn in_order(functions: Vec<Function>) -> Vec<Function> {
    // A heap, for a sort of its own would be the largest one in the component.
    let heap: BinaryHeap<InOrder> =
        functions.into_iter().map(|function| InOrder(Box::new(function))).collect();
    heap.into_sorted_vec().into_iter().map(|function| *function.0).collect()
}

/// A function that is compared by its place. What is moved about is a pointer.
struct InOrder(Box<Function>);

impl InOrder {
    fn place(&self) -> (&Region, &FunctionName) {
        (&self.0.id.region, &self.0.id.name)
    }
}

impl Ord for InOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for InOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InOrder {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for InOrder {}

/// Region and name of the services behind the functions that Cloud Functions lists. Were one of them not labelled
/// as such, it would stand in the list twice.
fn behind(functions: &[Function]) -> Vec<(String, String)> {
    let mut services = Vec::new();
    for function in functions.iter().filter(|function| function.generation != Generation::Gen1) {
        sorted::insert(&mut services, (function.id.region.as_str().to_owned(), function.service_name()));
    }
    services
}

/// The failures of one source. The same everywhere is said once.
fn missing(source: Source, failures: &[Failure], asked: usize) -> Vec<MissingPart> {
    let mut of_source = failures.iter().filter(|failure| failure.place.source == source);
    let Some(first) = of_source.next() else { return Vec::new() };
    let rest: Vec<&Failure> = of_source.collect();
    let same = |failure: &&Failure| failure.error.kind() == first.error.kind();
    let part = |failure: &Failure, region: Option<&str>| {
        let fields = failure.error.fields();
        MissingPart {
            source: source.api().host(),
            region: region.filter(|region| *region != EVERYWHERE).map(str::to_owned),
            kind: fields.kind,
            message: fields.message.clone(),
            fix: fields.fix.clone(),
        }
    };
    if asked > 1 && rest.len() + 1 == asked && rest.iter().all(same) {
        return vec![part(first, None)];
    }
    std::iter::once(first)
        .chain(rest)
        .map(|failure| part(failure, Some(failure.place.location.as_str())))
        .collect()
}

/// The first error, which is that of Cloud Functions if it was asked; unless that one says only that it did not
/// work this time, and another one what is wrong.
fn most_telling(failures: Vec<Failure>) -> Option<Error> {
    let lasting = failures.iter().position(|failure| !failure.error.kind().passes());
    failures.into_iter().nth(lasting.unwrap_or(0)).map(|failure| failure.error)
}
