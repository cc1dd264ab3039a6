//! The function that is meant: as a caller names it, and as Google can be asked about it.

use crate::{
    base::error::{Error, Result},
    google::names::{FunctionId, FunctionName, ProjectId, Region},
};

/// The function that is meant; see `wit/functions.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum FunctionRef {
    Named { name: String, region: Option<String> },
    Resource(String),
    Url(String),
}

/// A name that Google can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Project, region and name are known.
    Exact(FunctionId),
    /// Only the name is: it is looked up in every region.
    Bare(FunctionName),
}

impl Lookup {
    /// Parses what Google can be asked about; a name alone is one in this project.
    ///
    /// # Errors
    /// `invalid-input`.
    pub(crate) fn parse(project: &ProjectId, function: FunctionRef) -> Result<Self> {
        match function {
            FunctionRef::Named { name, region } => Self::named(project, &name, region.as_deref()),
            FunctionRef::Resource(name) => Ok(Self::Exact(FunctionId::parse(&name)?)),
            FunctionRef::Url(_) => {
                Err(Error::input("function", "Google cannot be asked for a function by its URL")
                    .fix("name the function, or invoke it by its URL"))
            }
        }
    }

    /// A function of this project, by its name.
    ///
    /// # Errors
    /// `invalid-input`.
    pub(crate) fn named(project: &ProjectId, name: &str, region: Option<&str>) -> Result<Self> {
        let name = FunctionName::parse(name)?;
        Ok(match region {
            None => Self::Bare(name),
            Some(region) => {
                Self::Exact(FunctionId { project: project.clone(), region: Region::parse(region)?, name })
            }
        })
    }
}
