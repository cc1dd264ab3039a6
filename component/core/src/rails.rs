//! Guard rails: the limits of a connection, within what Google allows.
//!
//! Everything here is asked after parsing, and before anything is sent. A rail that says nothing forbids nothing;
//! where it cannot be told whether a rail is kept, it is not.

mod audience;
mod path;

pub(crate) use self::audience::{AddressOf, Listed};

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        http::Method,
        json::{Object, Read, Unreadable},
    },
    google::{
        names::{FunctionName, Region},
        request::{
            function_url::{Audience, FunctionUrl},
            headers::CallerHeaders,
        },
        which::Lookup,
    },
};

/// The most entries of one list.
const MAX_ENTRIES: usize = 100;

/// The limits of a connection; see `wit/types.wit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct GuardRails {
    pub read_only: bool,
    pub regions: Vec<String>,
    pub functions: Vec<String>,
    pub methods: Vec<String>,
    pub max_body: Option<u64>,
    pub own_project: bool,
    pub audiences: Vec<String>,
}

impl GuardRails {
    /// Parses what somebody who manages connections gives. Rails that forbid nothing are none.
    ///
    /// # Errors
    /// `invalid-input` of field `guard-rails`.
    pub fn parse(given: Option<Self>) -> Result<Option<Self>> {
        let Some(rails) = given.filter(|rails| *rails != Self::default()) else { return Ok(None) };
        for list in [&rails.regions, &rails.functions, &rails.methods, &rails.audiences] {
            if list.len() > MAX_ENTRIES {
                return Err(wrong("regions, functions, methods and audiences are at most 100 each")
                    .fix("use fewer; a function's name may end in `*`"));
            }
        }
        for region in &rails.regions {
            Region::parse(region).map_err(|_| {
                wrong("an allowed region is not a region").fix("use regions' ids, such as us-central1")
            })?;
        }
        for pattern in &rails.functions {
            parse_pattern(pattern)?;
        }
        for method in &rails.methods {
            if Method::parse(method).is_none() {
                return Err(wrong("an allowed method is not one that is ever sent")
                    .fix("use GET, POST, PUT, PATCH, DELETE, HEAD and OPTIONS, in upper case"));
            }
        }
        for audience in &rails.audiences {
            Audience::parse(audience).map_err(|_| {
                wrong("an allowed audience is empty, too long, or holds characters outside printable ASCII")
                    .fix("write it as the service lists it, such as https://api.example.com")
            })?;
        }
        let safe = |method: &String| Method::parse(method).is_some_and(is_safe);
        if rails.read_only && !rails.methods.is_empty() && !rails.methods.iter().any(safe) {
            return Err(wrong("read-only leaves none of the allowed methods")
                .fix("allow GET, HEAD or OPTIONS too, or leave read-only out"));
        }
        Ok(Some(rails))
    }

    /// The region of a connection for which none was named: the usual one, if functions there are not forbidden.
    pub(crate) fn default_region(&self) -> Result<Region> {
        let usual = Region::default_region();
        match self.regions.first() {
            Some(first) if self.allows_region(&usual).is_err() => Region::parse(first),
            _ => Ok(usual),
        }
    }

    /// Warns of what is odd about these rails on a connection with this region.
    pub(crate) fn warning(&self, region: &str) -> Option<String> {
        let odd = !self.regions.is_empty() && !self.regions.iter().any(|allowed| allowed == region);
        odd.then(|| format!("the connection's own region {region} is not among the allowed ones"))
    }

    /// The regions to list: those that were asked for, or all that are allowed.
    ///
    /// # Errors
    /// `restricted`, or `invalid-input` of field `region`.
    pub(crate) fn allows_list(&self, asked: Vec<String>) -> Result<Vec<String>> {
        if asked.is_empty() {
            return Ok(self.regions.clone());
        }
        for region in &asked {
            self.allows_region(&Region::parse(region)?)?;
        }
        Ok(asked)
    }

    /// Judges if functions of a region may be listed, read and invoked.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_region(&self, region: &Region) -> Result<()> {
        self.allows_place(Some(region.as_str()))
    }

    /// Judges if a function may be invoked by this name. That of one whose region is not known yet is looked up in
    /// the allowed regions only.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_lookup(&self, lookup: &Lookup) -> Result<()> {
        match lookup {
            Lookup::Exact(id) => {
                self.allows_region(&id.region)?;
                self.allows_name(Some(id.name.as_str()))
            }
            Lookup::Bare(name) => self.allows_name(Some(name.as_str())),
        }
    }

    /// Judges if a function may be invoked by its URL.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_url(&self, url: &FunctionUrl) -> Result<()> {
        self.allows_place(url.region().as_ref().map(Region::as_str))?;
        self.allows_name(url.name())
    }

    /// Judges if a request may be made with this method, these headers and so many bytes of body.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_request(&self, method: Method, headers: &CallerHeaders, body: usize) -> Result<()> {
        if self.read_only && !is_safe(method) {
            return Err(restricted("read-only", format!("{} does more than read", method.as_str())));
        }
        if (self.read_only || !self.methods.is_empty())
            && let Some(name) = headers.method_override()
        {
            let rail = if self.read_only { "read-only" } else { "methods" };
            return Err(restricted(rail, format!("the header `{name}` can make another method of it")));
        }
        if !self.methods.is_empty() && !self.methods.iter().any(|allowed| allowed == method.as_str()) {
            let allowed = self.methods.join(", ");
            return Err(restricted(
                "methods",
                format!("the method is {}, and those allowed are {allowed}", method.as_str()),
            ));
        }
        match self.max_body {
            Some(limit) if body as u64 > limit => Err(restricted(
                "max-body",
                format!("the request body of {body} bytes exceeds the {limit} bytes that are allowed"),
            )
            .detail("limit", limit.to_string())
            .detail("size", body.to_string())),
            _ => Ok(()),
        }
    }

    fn allows_place(&self, region: Option<&str>) -> Result<()> {
        if self.regions.is_empty() {
            return Ok(());
        }
        let allowed = self.regions.join(", ");
        match region {
            Some(region) if self.regions.iter().any(|allowed| allowed == region) => Ok(()),
            Some(region) => Err(restricted(
                "regions",
                format!(
                    "{} is outside of the allowed regions: {allowed}",
                    crate::base::error::foreign(region)
                ),
            )),
            None => Err(restricted(
                "regions",
                format!("the URL does not say the function's region, and those allowed are {allowed}"),
            )),
        }
    }

    /// Judges if a function of this name may be invoked; `None` is a name that cannot be told.
    ///
    /// # Errors
    /// `restricted`.
    pub(crate) fn allows_name(&self, name: Option<&str>) -> Result<()> {
        if self.functions.is_empty() {
            return Ok(());
        }
        let allowed = self.functions.join(", ");
        let fits = |name: &str| {
            self.functions.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == pattern,
            })
        };
        match name {
            Some(name) if fits(name) => Ok(()),
            Some(name) => Err(restricted(
                "functions",
                format!(
                    "the function {} is not one of those allowed: {allowed}",
                    crate::base::error::foreign(name)
                ),
            )),
            None => Err(restricted(
                "functions",
                format!("the URL does not say the function's name, and those allowed are {allowed}"),
            )),
        }
    }

    /// From what is kept. A rail that this version does not know must not be left out, so it is an error.
    pub(crate) fn read(fields: &Object<'_>) -> Read<Self> {
        let known = ["read_only", "regions", "functions", "methods", "max_body", "own_project", "audiences"];
        if fields.fields().any(|(name, _)| !known.contains(&name)) {
            return Err(Unreadable::Field("guard_rails"));
        }
        Ok(Self {
            read_only: fields.flag("read_only")?,
            regions: fields.texts("regions")?,
            functions: fields.texts("functions")?,
            methods: fields.texts("methods")?,
            max_body: fields.number("max_body")?,
            own_project: fields.flag("own_project")?,
            audiences: fields.texts("audiences")?,
        })
    }

    /// The fields that are kept of them.
    pub(crate) fn fields(&self) -> Object<'_> {
        Object::default()
            .with_some("read_only", self.read_only.then_some(true))
            .with_texts("regions", &self.regions)
            .with_texts("functions", &self.functions)
            .with_texts("methods", &self.methods)
            .with_some("max_body", self.max_body)
            .with_some("own_project", self.own_project.then_some(true))
            .with_texts("audiences", &self.audiences)
    }
}

/// A name, or how one begins and then `*`.
fn parse_pattern(pattern: &str) -> Result<()> {
    let prefix = pattern.strip_suffix('*');
    let ok = match prefix {
        // What a name may begin with, a name is itself but for a `-` or `_` at its end.
        Some(prefix) => prefix.is_empty() || FunctionName::parse(prefix.trim_end_matches(['-', '_'])).is_ok(),
        None => FunctionName::parse(pattern).is_ok(),
    };
    if ok && pattern.len() <= 64 {
        return Ok(());
    }
    Err(wrong("an allowed function is neither a name nor the beginning of one and `*`")
        .fix("write hello, or hello-*"))
}

/// RFC 9110, section 9.2.1.
fn is_safe(method: Method) -> bool {
    match method {
        Method::Get | Method::Head | Method::Options => true,
        Method::Post | Method::Put | Method::Patch | Method::Delete => false,
    }
}

fn restricted(rail: &str, why: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Restricted,
        Origin::Connection,
        format!("this connection's guard rails forbid it: {why}"),
    )
    .detail("rail", rail)
    .fix("ask whoever manages this connection to change its guard rails; nothing was sent")
}

fn wrong(message: &str) -> Error {
    Error::input("guard-rails", message)
}
