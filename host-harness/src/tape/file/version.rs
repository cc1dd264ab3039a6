//! The format and the version of a tape's file, and the reading of one that fits.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tape::{
    error::TapeError,
    file::{
        format::Tape,
        json::{self, read},
    },
};

pub(in crate::tape) const FORMAT: &str = "gcf-tape";
pub(in crate::tape) const VERSION: Version = Version { major: 1, minor: 0 };
const SUPPORTED: &str = "1.x";

impl Tape {
    /// Reads without redacting.
    pub(in crate::tape) fn parse(text: &str) -> Result<Self, TapeError> {
        let head = match read::<Head>(text) {
            Ok((head, _)) => head,
            // A number, a list: whatever it is, it has no such field.
            Err(TapeError::Malformed { at, .. }) if at == json::ROOT => {
                return Err(TapeError::NotATape { found: missing() });
            }
            // Where JSON ends, whoever reads the whole knows better what that is within.
            Err(error @ TapeError::NotJson { .. }) => {
                let precise = read::<Self>(text).err();
                return Err(precise
                    .filter(|precise| matches!(precise, TapeError::NotJson { .. }))
                    .unwrap_or(error));
            }
            Err(error) => return Err(error),
        };
        if head.format.as_str() != Some(FORMAT) {
            let found = if head.format.is_null() { missing() } else { head.format.to_string() };
            return Err(TapeError::NotATape { found });
        }
        if let Some(version) = head.version.filter(|version| version.major != VERSION.major) {
            return Err(TapeError::Version { found: version.into(), supported: SUPPORTED });
        }
        let (tape, unknown) = read::<Self>(text)?;
        for (index, interaction) in tape.interactions.iter().enumerate() {
            if let Some(problem) = interaction.contradiction() {
                let at = format!("interactions[{index}]");
                return Err(TapeError::Malformed { at, problem: problem.to_owned() });
            }
        }
        if unknown.is_empty() || tape.version.minor > VERSION.minor {
            Ok(tape)
        } else {
            Err(TapeError::UnknownFields { fields: unknown })
        }
    }
}

fn missing() -> String {
    "missing".to_owned()
}

/// The fields that are read before everything else, so that another format or version is named as such.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: Value,
    version: Option<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::tape) struct Version {
    major: u32,
    minor: u32,
}

impl TryFrom<String> for Version {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }))
            .ok_or("a version is MAJOR.MINOR, such as \"1.0\"")
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        format!("{}.{}", version.major, version.minor)
    }
}
