//! Names that cannot hold a bad value. Each goes into a path of a request exactly as it was parsed.

use std::fmt;

use crate::base::error::{Cause, Error, Result};

/// The region that a connection has if nothing else is said.
pub const DEFAULT_REGION: &str = "us-central1";

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// The text, which is safe in a path.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A project id, a legacy domain-scoped id (`example.com:app`), or a project number.
    ///
    /// <https://cloud.google.com/resource-manager/docs/creating-managing-projects>
    ProjectId
}
name! {
    /// A region, such as `us-central1`.
    Region
}
name! {
    /// The last part of a function's resource name.
    FunctionName
}

impl ProjectId {
    /// Parses a project id or number, or takes it out of a pasted console URL (`?project=…`).
    ///
    /// # Errors
    /// `invalid-input` of field `project`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = from_console_url(text)?;
        let (domain, id) = match text.split_once(':') {
            Some((domain, id)) => (Some(domain), id),
            None => (None, text),
        };
        let domain_ok = domain.is_none_or(|d| {
            d.len() <= 100 && d.contains('.') && d.split('.').all(|label| is_label(label, 63))
        });
        let number =
            domain.is_none() && !id.is_empty() && id.len() <= 19 && id.bytes().all(|b| b.is_ascii_digit());
        // A single letter up to 30: the console asks for six characters today, but older ids are shorter.
        let id_ok = number || (id.starts_with(|c: char| c.is_ascii_lowercase()) && is_label(id, 30));
        if domain_ok && id_ok {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::input("project", format!("project {} is not a project id", quoted(text))).fix(
            "give the id (such as my-project-1), the number, or the console URL that ends in ?project=…",
        ))
    }

    /// The service account that comes with App Engine and 1st gen functions.
    ///
    /// # Errors
    /// `invalid-input` of field `invoker` if the project is known by its number only.
    pub fn default_service_account(&self) -> Result<String> {
        if self.0.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::input(
                "invoker",
                "the project is named by its number, from which its service account cannot be told",
            )
            .cause(Cause::ProjectNumber)
            .fix("name the service account, or connect with the project's id"));
        }
        // `example.com:app` has `app.example.com@…`.
        let name = match self.0.split_once(':') {
            Some((domain, id)) => format!("{id}.{domain}"),
            None => self.0.clone(),
        };
        Ok(format!("{name}@appspot.gserviceaccount.com"))
    }

    /// The text as one path segment: `:` starts a custom verb, so it is escaped.
    #[must_use]
    pub fn segment(&self) -> String {
        self.0.replace(':', "%3A")
    }
}

fn from_console_url(text: &str) -> Result<&str> {
    let Some(rest) = text.strip_prefix("https://console.cloud.google.com/") else {
        return Ok(text);
    };
    rest.split('#')
        .next()
        .and_then(|rest| rest.split_once('?'))
        .and_then(|(_, query)| query.split('&').find_map(|pair| pair.strip_prefix("project=")))
        .ok_or_else(|| {
            Error::input("project", "the console URL names no project")
                .fix("open the project in the console, and copy the URL that ends in ?project=…")
        })
}

impl Region {
    /// Parses a region's id.
    ///
    /// # Errors
    /// `invalid-input` of field `region`.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(text).ok_or_else(|| {
            Error::input("region", format!("region {} is not a region", quoted(text)))
                .fix("use a region's id, such as us-central1")
        })
    }

    /// The region of this id, if it is one: for texts of which most are none.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let shape = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.contains('-')
            && (1..=2).contains(&digits)
            && is_label(text, 40);
        shape.then(|| Self(text.to_owned()))
    }

    /// `us-central1`.
    #[must_use]
    pub fn default_region() -> Self {
        Self(DEFAULT_REGION.to_owned())
    }
}

impl FunctionName {
    /// Parses a function's name: 1 to 63 of `A-Z a-z 0-9 _ -`, a letter first, a letter or digit last.
    ///
    /// 1st gen allows upper case and `_`; later generations do not, and Google says so itself.
    ///
    /// # Errors
    /// `invalid-input` of field `function`.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        let ok = (1..=63).contains(&bytes.len())
            && bytes[0].is_ascii_alphabetic()
            && bytes[bytes.len() - 1].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if ok {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::input("function", format!("function {} is not a function's name", quoted(text)))
            .fix("use the name as `list` shows it: letters, digits, `-` and `_`, at most 63"))
    }
}

/// Project, region and name: what identifies a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionId {
    /// The project.
    pub project: ProjectId,
    /// The region.
    pub region: Region,
    /// The name.
    pub name: FunctionName,
}

impl FunctionId {
    /// Parses `projects/P/locations/R/functions/F`.
    ///
    /// # Errors
    /// `invalid-input` of field `function`.
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        if let ["projects", project, "locations", region, "functions", name] = parts[..] {
            return Ok(Self {
                project: ProjectId::parse(project)?,
                region: Region::parse(region)?,
                name: FunctionName::parse(name)?,
            });
        }
        Err(Error::input("function", format!("{} is not a function's resource name", quoted(text)))
            .fix("write projects/PROJECT/locations/REGION/functions/NAME"))
    }

    /// The path under an API version.
    #[must_use]
    pub fn path(&self) -> String {
        format!("projects/{}/locations/{}/functions/{}", self.project.segment(), self.region, self.name)
    }

    /// The name that Google gives the Cloud Run service behind a function, as a rule.
    #[must_use]
    pub fn service_name(&self) -> String {
        self.name.as_str().to_ascii_lowercase().replace('_', "-")
    }
}

impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/locations/{}/functions/{}", self.project, self.region, self.name)
    }
}

/// A service account's address, as it goes into a claim or a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEmail(String);

impl AccountEmail {
    /// Parses an address of plain characters.
    ///
    /// # Errors
    /// `invalid-credential` of field `client_email`.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
        };
        match text.split_once('@') {
            Some((local, domain))
                if text.len() <= 254 && plain(local) && plain(domain) && domain.contains('.') =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Error::credential("client_email", "is not an e-mail address")),
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case letters, digits and hyphens, no hyphen at either end.
fn is_label(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The caller's own text in a message: short, and visibly quoted.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("`{}`", short.escape_default())
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;
    use crate::base::error::Kind;

    #[test_case("my-project-1")]
    #[test_case("123456789012"; "a number")]
    #[test_case("example.com:legacy-app"; "a domain-scoped id")]
    #[test_case("p-1234")]
    fn a_project_is_accepted(text: &str) {
        assert_eq!(ProjectId::parse(text).unwrap().as_str(), text);
    }

    #[test_case("../other"; "traversal")]
    #[test_case("p/locations/x"; "segment")]
    #[test_case("p%2Flocations"; "pre-encoded")]
    #[test_case("p?alt=media"; "query")]
    #[test_case("p#x"; "fragment")]
    #[test_case("p:setIamPolicy"; "verb")]
    #[test_case("example.com:setIamPolicy"; "verb behind a domain")]
    #[test_case("P-UPPER"; "upper case")]
    #[test_case("p\u{200b}1234"; "zero-width space")]
    #[test_case(""; "empty")]
    #[test_case("-"; "wildcard")]
    #[test_case("https://console.cloud.google.com/functions/list"; "console without project")]
    #[test_case("https://evil.example/?project=my-project-1"; "another site")]
    fn a_project_is_refused(text: &str) {
        let error = ProjectId::parse(text).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert_eq!(error.fields().details[0].1, "project");
        assert!(error.fields().fix.is_some());
    }

    #[test]
    fn a_very_long_project_is_refused_without_repeating_it() {
        let error = ProjectId::parse(&"p".repeat(100_000)).unwrap_err();
        assert!(error.fields().message.len() < 200);
    }

    #[test_case("https://console.cloud.google.com/functions/list?project=my-project-1")]
    #[test_case("https://console.cloud.google.com/run?hl=de&project=my-project-1#x")]
    fn a_console_url_gives_its_project(url: &str) {
        assert_eq!(ProjectId::parse(url).unwrap().as_str(), "my-project-1");
    }

    #[test]
    fn a_domain_scoped_project_is_one_segment() {
        assert_eq!(ProjectId::parse("example.com:app").unwrap().segment(), "example.com%3Aapp");
    }

    #[test_case("us-central1", true)]
    #[test_case("europe-west12", true)]
    #[test_case("northamerica-northeast1", true)]
    #[test_case("-", false)]
    #[test_case("us-central1/functions/x", false)]
    #[test_case("US-CENTRAL1", false)]
    #[test_case("us-central1 ", false)]
    #[test_case("..", false)]
    #[test_case("", false)]
    fn a_region(text: &str, ok: bool) {
        assert_eq!(Region::parse(text).is_ok(), ok);
    }

    #[test_case("hello", true)]
    #[test_case("my_fn2", true)]
    #[test_case("loginWithPin", true)]
    #[test_case("my-fn:generateUploadUrl", false)]
    #[test_case("*", false)]
    #[test_case(".", false)]
    #[test_case("..", false)]
    #[test_case("abc-", false)]
    #[test_case("1abc", false)]
    #[test_case("", false)]
    fn a_function_name(text: &str, ok: bool) {
        assert_eq!(FunctionName::parse(text).is_ok(), ok);
    }

    #[test_case("projects/p-1234/locations/us-central1/functions/f", true)]
    #[test_case("projects/p-1234/locations/us-central1/functions/f/extra", false)]
    #[test_case("//cloudfunctions.googleapis.com/projects/p/locations/l/functions/f", false)]
    #[test_case("projects/p-1234/locations/us-central1/services/f", false)]
    #[test_case("projects//locations/us-central1/functions/f", false)]
    fn a_resource_name(text: &str, ok: bool) {
        assert_eq!(FunctionId::parse(text).is_ok(), ok);
    }
}
