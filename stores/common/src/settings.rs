//! The settings in the environment of a store. It is the store's own: the connector beside it does not see it.

use std::collections::BTreeMap;

use crate::contract::{Result, StoreError};

/// The variables of the environment. They hold secrets, and cannot be printed.
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The variables of this process that can be read as text.
    #[must_use]
    pub fn of_environment() -> Self {
        let variables = std::env::vars_os();
        Self(
            variables
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// These variables.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a variable, if it is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable that must be there.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is not.
    pub fn need(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| StoreError::other(format!("the store's environment lacks {name}")))
    }

    /// Tells whether a switch is on: `yes`.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is anything else that is not empty.
    pub fn is_set(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None => Ok(false),
            Some("yes") => Ok(true),
            Some(_) => Err(StoreError::other(format!("{name} is neither `yes` nor absent"))),
        }
    }

    /// The value of a variable that goes into a path: segments of `A-Z a-z 0-9 _ -` with slashes between.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is something else.
    pub fn path(&self, name: &str, default: &str) -> Result<String> {
        let path = self.get(name).unwrap_or(default);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if path.split('/').all(|segment| !segment.is_empty() && segment.bytes().all(plain)) {
            Ok(path.to_owned())
        } else {
            Err(StoreError::other(format!("{name} is not a path of `A-Z a-z 0-9 _ -` with `/` between")))
        }
    }

    /// The value of a variable that goes into a header: visible ASCII.
    ///
    /// # Errors
    /// [`StoreError::Other`], without the value.
    pub fn header(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            Some(value) if !value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(StoreError::other(format!("{name} holds something other than visible ASCII")))
            }
            value => Ok(value.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_folder_and_a_header_cannot_end() {
        let settings = Settings::of(&[
            ("UP", "a/../b"),
            ("QUERY", "a?b"),
            ("GOOD", "team-1/gcf"),
            ("LINE", "hunter2\r\nx: y"),
        ]);
        assert_eq!(settings.path("GOOD", "d").unwrap(), "team-1/gcf");
        assert_eq!(settings.path("ABSENT", "d").unwrap(), "d");
        assert!(settings.path("UP", "d").is_err());
        assert!(settings.path("QUERY", "d").is_err());
        let Err(StoreError::Other(why)) = settings.header("LINE") else { panic!() };
        assert!(!why.contains("hunter2"));
        assert_eq!(settings.header("GOOD").unwrap().as_deref(), Some("team-1/gcf"));
    }

    #[test]
    fn a_switch_is_yes_or_absent() {
        let settings = Settings::of(&[("YES", "yes"), ("EMPTY", ""), ("TRUE", "true")]);
        assert_eq!(settings.is_set("YES"), Ok(true));
        assert_eq!(settings.is_set("EMPTY"), Ok(false));
        assert_eq!(settings.is_set("ABSENT"), Ok(false));
        assert!(settings.is_set("TRUE").is_err());
    }
}
