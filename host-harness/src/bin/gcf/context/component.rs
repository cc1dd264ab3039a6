//! The component that is run: the one inside this program, or a file.

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
};

use gcf_host::{
    HostBuilder,
    reading::{self, Kind, MAX_COMPONENT},
};

use crate::output::failure::Failure;

/// The place of the component.
#[derive(Debug, Clone)]
pub(crate) enum Component {
    /// Inside this program.
    #[cfg(feature = "embedded")]
    Embedded,
    /// In a file.
    File(PathBuf),
}

impl Component {
    /// The one that was named, or else the one inside.
    #[cfg(feature = "embedded")]
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        match given(named) {
            Some(path) if path.is_file() => Ok(Self::File(path)),
            Some(path) => Err(Failure::no_component(&[path])),
            None => Ok(Self::Embedded),
        }
    }

    /// The one that was named, or else one that lies where a build or a package puts it.
    #[cfg(not(feature = "embedded"))]
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let candidates: Vec<PathBuf> = match given(named) {
            Some(path) => vec![path],
            None => {
                let program = std::env::current_exe().map_err(|error| {
                    Failure::machine(format!("cannot tell where this program lies: {error}"))
                })?;
                program.ancestors().skip(1).take(3).map(|folder| folder.join("gcf-connector.wasm")).collect()
            }
        };
        match candidates.iter().find(|path| path.is_file()) {
            Some(path) => Ok(Self::File(path.clone())),
            None => Err(Failure::no_component(&candidates)),
        }
    }

    /// Hands it to a host.
    pub(crate) fn load(&self, builder: HostBuilder) -> HostBuilder {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded => builder,
            Self::File(path) => builder.component_file(path),
        }
    }

    /// The file as it is.
    pub(crate) fn bytes(&self) -> Result<Cow<'static, [u8]>, Failure> {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded => Ok(Cow::Borrowed(gcf_host::embedded::CONNECTOR)),
            Self::File(path) => reading::read(path, Kind::File, MAX_COMPONENT)
                .map(Cow::Owned)
                .map_err(|error| Failure::input(format!("cannot read {self}: {error}"))),
        }
    }

    /// Its SHA-256, in hexadecimal.
    pub(crate) fn sha256(&self) -> Result<String, Failure> {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded => Ok(gcf_host::embedded::SHA256.to_owned()),
            Self::File(path) => super::tape::sha256(path),
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded => f.write_str("the component inside this program"),
            Self::File(path) => write!(f, "the component {}", path.display()),
        }
    }
}

/// An option or a variable that is set to nothing names nothing.
fn given(named: Option<&Path>) -> Option<PathBuf> {
    named.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_component_says_where_it_was_looked_for() {
        let failure = Component::find(Some(Path::new("/nowhere/x.wasm"))).unwrap_err();
        assert!(failure.message.contains("/nowhere/x.wasm"), "{}", failure.message);
    }

    #[test]
    fn a_named_component_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let found = Component::find(Some(file.path())).unwrap();
        assert!(matches!(found, Component::File(path) if path == file.path()));
    }

    #[test]
    #[cfg(feature = "embedded")]
    fn where_none_is_named_it_is_the_one_inside() {
        for named in [None, Some(Path::new(""))] {
            let found = Component::find(named).unwrap();
            assert!(matches!(found, Component::Embedded));
            assert_eq!(found.bytes().unwrap(), gcf_host::embedded::CONNECTOR);
        }
    }
}
