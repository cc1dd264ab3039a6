//! Runs `gcf demo` as on a colour terminal.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::component::{Error, say};

/// The width of the terminal: as wide as a README shows text that is still easy to read.
pub(super) const COLUMNS: usize = 115;

/// The height of the terminal, beyond which it scrolls.
pub(super) const ROWS: usize = 40;

/// Says whether `script` of util-linux is here, which makes a terminal. That of BSD takes other options.
pub(super) fn has_script() -> bool {
    let version = Command::new("script").arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|printed| String::from_utf8_lossy(&printed.stdout).contains("util-linux"))
}

/// Returns what the demo prints, with its colours and the line ends of a terminal.
pub(super) fn demo(gcf: &Path, root: &Path) -> Result<String, Error> {
    say("running gcf demo");
    let home = Home::new()?;
    let program = gcf.to_str().ok_or_else(|| Error::own("the path of gcf is not UTF-8"))?;
    let line = format!("stty cols {COLUMNS} rows {ROWS} && exec {} demo", quoted(program));
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .env("HOME", &home.0)
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .current_dir(&home.0)
        .stdin(Stdio::null());
    let printed = script.output().map_err(|error| Error::own(format!("cannot start script: {error}")))?;
    let text =
        String::from_utf8(printed.stdout).map_err(|_| Error::own("gcf demo printed what is not UTF-8"))?;
    if !printed.status.success() {
        return Err(Error::own(format!("gcf demo failed:\n{}", text.trim_end())));
    }
    // The output is committed, and read by everybody.
    let private = [home.0.as_path(), root].into_iter().find(|path| text.contains(&*path.to_string_lossy()));
    match private {
        Some(path) => Err(Error::own(format!("gcf demo printed a path of this machine: {}", path.display()))),
        None => Ok(text),
    }
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// An empty home folder, removed when it is dropped.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self, Error> {
        let path = env::temp_dir().join(format!("gcf-pictures-{}", std::process::id()));
        fs::create_dir(&path)
            .map_err(|error| Error::own(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            say(&format!("cannot remove {}: {error}", self.0.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_home_folder_is_empty_and_goes_away() {
        let home = Home::new().unwrap_or_else(|_| panic!("there is no folder for temporary files"));
        let path = home.0.clone();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        drop(home);
        assert!(!path.exists());
    }
}
