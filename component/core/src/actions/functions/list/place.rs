//! The place where a list goes on: a source, a location, and Google's own page token.

use crate::{
    base::error::{Error, Result},
    google::{hosts::Api, names::Region},
};

/// The API that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Cloud Functions, which knows both of its generations.
    Functions,
    /// Cloud Run, which knows the functions that were made through its own API.
    Services,
}

impl Source {
    pub(super) fn api(self) -> Api {
        match self {
            Self::Functions => Api::Functions,
            Self::Services => Api::Run,
        }
    }

    /// The collection of its resources; the word of a page token, too.
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Services => "services",
        }
    }
}

/// A place to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: Source,
    /// A region, or [`EVERYWHERE`].
    pub(super) location: String,
    /// Google's page token; `None` is the first page.
    pub(super) token: Option<String>,
}

/// Every region.
pub(super) const EVERYWHERE: &str = "-";

/// Longer than any page token of Google's that was seen.
const MAX_TOKEN: usize = 4096;

impl Place {
    /// The first page.
    pub(super) fn first(source: Source, location: &str) -> Self {
        Self { source, location: location.to_owned(), token: None }
    }

    /// The same place, further on.
    pub(super) fn at(&self, token: Option<String>) -> Self {
        Self { token, ..self.clone() }
    }

    /// Tells if a list of these regions can go on here; none is every region.
    pub(super) fn belongs_to(&self, regions: &[String]) -> bool {
        match (self.source, self.location.as_str(), regions) {
            (Source::Functions, location, []) => location == EVERYWHERE,
            (Source::Services, _, []) => true,
            (_, location, _) => regions.iter().any(|region| region == location),
        }
    }

    /// As a page token of ours.
    pub(super) fn to_token(&self) -> String {
        format!(
            "{}/{}/{}",
            self.source.collection(),
            self.location,
            self.token.as_deref().unwrap_or_default()
        )
    }

    /// Reads a page token of ours.
    ///
    /// # Errors
    /// `invalid-input` of field `page-token`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let place = || {
            let (word, rest) = text.split_once('/')?;
            let (location, token) = rest.split_once('/')?;
            let source = [Source::Functions, Source::Services]
                .into_iter()
                .find(|source| source.collection() == word)?;
            if location != EVERYWHERE {
                Region::of(location)?;
            }
            let fits = token.len() <= MAX_TOKEN && !token.contains(char::is_control);
            let token = (!token.is_empty()).then(|| token.to_owned());
            fits.then(|| Self { source, location: location.to_owned(), token })
        };
        place().ok_or_else(|| {
            Error::input("page-token", "the page token is not one that a list of this connector ended with")
                .fix("give the `next-page-token` of the last answer, as it is, or leave it out to begin anew")
        })
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case(Source::Functions, "-", Some("CAE=/+x"))]
    #[test_case(Source::Functions, "us-central1", None)]
    #[test_case(Source::Services, "-", None)]
    #[test_case(Source::Services, "europe-west1", Some("a/b"))]
    fn a_token_leads_back_to_its_place(source: Source, location: &str, token: Option<&str>) {
        let place = Place { source, location: location.to_owned(), token: token.map(str::to_owned) };
        assert_eq!(Place::parse(&place.to_token()).unwrap(), place);
    }

    #[test_case(""; "empty")]
    #[test_case("CAE="; "one of googles own")]
    #[test_case("jobs/-/x"; "another source")]
    #[test_case("services/../x"; "no region")]
    #[test_case("services/us-central1"; "cut")]
    #[test_case("functions/-/a\nb"; "two lines")]
    fn what_is_none_of_ours(text: &str) {
        let error = Place::parse(text).unwrap_err();
        assert_eq!(error.fields().details[0].1, "page-token");
    }

    #[test]
    fn a_token_of_any_length_is_not_taken() {
        assert!(Place::parse(&format!("functions/-/{}", "x".repeat(MAX_TOKEN + 1))).is_err());
    }
}
