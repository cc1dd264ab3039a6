//! Paths on Google's APIs, read as far as guard rails ask.
//!
//! Paths and queries are read as Google reads them, with their escapes undone. An escaped slash may divide a path or stand in
//! a segment of it, and both readings have to be allowed. Bodies are not read.

use super::{GuardRails, restricted};
use crate::{
    base::error::Result,
    google::{
        hosts::Api,
        names::ProjectId,
        request::{function_url::FunctionUrl, grammar::PathAndQuery, headers::CallerHeaders},
    },
};

/// Parameters that name a project where a path could have named another one.
const PROJECT_PARAMETERS: [&str; 3] = ["projectId", "project_id", "project"];

impl GuardRails {
    /// Judges if `custom-api` may go to this path, whatever its method.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_path(&self, project: &ProjectId, api: Api, target: &PathAndQuery) -> Result<()> {
        let readings = target.readings();
        let parameters = target.parameters();
        let paths: Vec<Named<'_>> =
            readings.iter().map(|segments| Named(segments.iter().map(String::as_str).collect())).collect();
        let values: Vec<Named<'_>> =
            parameters.iter().map(|(_, value)| Named(value.split('/').collect())).collect();
        let all = || values.iter().chain(&paths);

        if self.own_project {
            let own = |name: &str| is_own(project, name);
            let names_own = paths.iter().all(|path| {
                path.0.get(1) == Some(&"projects") && path.0.get(2).is_some_and(|name| own(name))
            });
            let also = |(name, value): &(String, String)| {
                !PROJECT_PARAMETERS.contains(&name.as_str()) || value == project.as_str()
            };
            if !names_own
                || !all().flat_map(|named| named.after("projects")).all(own)
                || !parameters.iter().all(also)
            {
                return Err(restricted(
                    "own-project",
                    format!(
                        "the path must begin with /VERSION/projects/{project}, and name no other project"
                    ),
                ));
            }
        }
        if !self.regions.is_empty() {
            for place in all().flat_map(|named| named.after("locations")) {
                self.allows_place(place.split(':').next())?;
            }
            let has_one = |path: &Named<'_>| {
                let everywhere = matches!(path.0[..], [_, "projects", _, "locations"]);
                everywhere || path.after("locations").next().is_some()
            };
            if has_regions(api) && !paths.iter().all(has_one) {
                return Err(restricted(
                    "regions",
                    format!("the path names no region, and those allowed are {}", self.regions.join(", ")),
                ));
            }
        }
        // To Google, this is a request for its API like any other; it runs the function all the same.
        let called =
            paths.iter().flat_map(|path| &path.0).filter_map(|segment| segment.strip_suffix(":call"));
        called.into_iter().try_for_each(|name| self.allows_name(Some(name)))
    }

    /// Judges if a request of `custom-api` may count against the projects that its headers name: those of the connection
    /// are its manager's choice.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_quota_projects(
        &self,
        headers: &CallerHeaders,
        own: [Option<&ProjectId>; 2],
    ) -> Result<()> {
        let is_own = |named: &str| own.iter().flatten().any(|own| own.as_str() == named);
        if self.own_project && !headers.quota_projects().all(is_own) {
            return Err(restricted(
                "own-project",
                "the header `x-goog-user-project` names a project that the connection does not",
            )
            .detail("header", "x-goog-user-project"));
        }
        Ok(())
    }

    /// Judges if `custom-api` may call a function's URL.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_custom_url(&self, url: &FunctionUrl) -> Result<()> {
        if self.own_project {
            return Err(restricted("own-project", "a function's URL does not say the project"));
        }
        self.allows_url(url)
    }
}

/// The segments of a resource name, or of what may be one.
struct Named<'a>(Vec<&'a str>);

impl<'a> Named<'a> {
    /// The segments that follow a collection's name.
    fn after(&self, collection: &str) -> impl Iterator<Item = &'a str> {
        self.0.windows(2).filter(move |pair| pair[0] == collection).map(|pair| pair[1])
    }
}

/// `my-project`, and `my-project:getIamPolicy`.
fn is_own(project: &ProjectId, name: &str) -> bool {
    match name.strip_prefix(project.as_str()) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix(':')
            .is_some_and(|verb| !verb.is_empty() && verb.bytes().all(|b| b.is_ascii_alphabetic())),
        None => false,
    }
}

/// Tells if all that this API has, but for operations, is in regions.
fn has_regions(api: Api) -> bool {
    match api {
        Api::Functions | Api::Run => true,
        Api::IamCredentials | Api::ServiceUsage | Api::ResourceManager | Api::Logging | Api::Eventarc => {
            false
        }
    }
}
