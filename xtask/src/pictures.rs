//! `cargo xtask pictures`: the pictures of the documentation, from a description and from a run of the demo.

mod cast;
mod diagram;
mod drawing;
mod milliseconds;
mod run;
mod screen;
mod terminal;
mod xml;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use crate::component::{Error, Workspace, say};

use self::{cast::Cast, drawing::Drawing, screen::Screen};

const DESCRIPTION: &str = "docs/pictures/sandbox.txt";
const DIAGRAM: &str = "docs/pictures/sandbox.svg";
const CAST: &str = "docs/pictures/demo.cast";
const TERMINAL: &str = "docs/pictures/demo.svg";

/// Makes every picture and writes those that changed, or with `--check` fails if there are any.
pub(crate) fn make(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Error> {
    let options = Options::parse(arguments)?;
    let mut pictures = vec![(DIAGRAM, diagram(&workspace.root)?)];
    if run::has_script() {
        let gcf = options.gcf(&workspace.target)?;
        pictures.extend(demo(&run::demo(&gcf, &workspace.root)?, &workspace.root)?);
    } else {
        say(&format!("left out {CAST} and {TERMINAL}: they need `script` of util-linux"));
    }
    pictures
        .retain(|(name, text)| !fs::read(workspace.root.join(name)).is_ok_and(|old| old == text.as_bytes()));
    if options.check { refuse(&pictures) } else { write(&pictures, &workspace.root) }
}

/// A file by its name beneath the root, and its content.
type Picture = (&'static str, String);

fn diagram(root: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(root.join(DESCRIPTION))
        .map_err(|error| Error::own(format!("cannot read {DESCRIPTION}: {error}")))?;
    let drawing = Drawing::parse(&text).map_err(|fault| Error::own(format!("{DESCRIPTION}, {fault}")))?;
    Ok(diagram::svg(&drawing))
}

/// The recording of the demo and its last screen. Where nothing but the measured times has changed, they stay
/// as they were committed, so that two runs of one `gcf` make the same files.
fn demo(output: &str, root: &Path) -> Result<[Picture; 2], Error> {
    let committed = fs::read_to_string(root.join(CAST)).unwrap_or_default();
    let mut cast = record(output)?;
    if let Some(settled) = milliseconds::carry(&committed, output) {
        let settled = record(&settled)?;
        if settled.to_string() == committed {
            cast = settled;
        }
    }
    let screen = show(&cast.shown(), cast.height)?;
    Ok([(CAST, cast.to_string()), (TERMINAL, terminal::svg(&screen))])
}

fn record(output: &str) -> Result<Cast, Error> {
    let mut cast = Cast::of("gcf demo", output);
    cast.height = show(&cast.shown(), run::ROWS)?.rows().len().max(cast.height);
    Ok(cast)
}

fn show(text: &str, height: usize) -> Result<Screen, Error> {
    Screen::after(text, run::COLUMNS, height).map_err(|fault| Error::own(format!("the demo printed {fault}")))
}

fn refuse(changed: &[Picture]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
    Err(Error::own(format!(
        "not up to date: {}\nfix: run `cargo xtask pictures`, and commit",
        names.join(", ")
    )))
}

fn write(changed: &[Picture], root: &Path) -> Result<(), Error> {
    for (name, text) in changed {
        fs::write(root.join(name), text)
            .map_err(|error| Error::own(format!("cannot write {name}: {error}")))?;
        say(&format!("{name} ({} bytes)", text.len()));
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    check: bool,
    gcf: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[OsString]) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.to_str() {
                Some("--check") => options.check = true,
                Some("--gcf") => {
                    let path = rest.next().ok_or_else(|| Error::own("--gcf needs a path"))?;
                    options.gcf = Some(PathBuf::from(path));
                }
                Some(_) | None => {
                    let argument = argument.display();
                    return Err(Error::own(format!("pictures takes --check and --gcf PATH, not {argument}")));
                }
            }
        }
        Ok(options)
    }

    /// The program to run, as a path that holds in any folder.
    fn gcf(&self, target: &Path) -> Result<PathBuf, Error> {
        let built = || target.join("debug").join(format!("gcf{}", std::env::consts::EXE_SUFFIX));
        let gcf = self.gcf.clone().unwrap_or_else(built);
        let shown = gcf.display();
        if !gcf.is_file() {
            return Err(Error::own(format!(
                "there is no {shown}\nfix: run `cargo xtask demo`, which builds it, or name another with --gcf PATH"
            )));
        }
        std::path::absolute(&gcf).map_err(|error| Error::own(format!("{shown}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    fn message(error: Error) -> String {
        match error {
            Error::Own(message) => message,
            Error::Child(status) => status.to_string(),
        }
    }

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        Options::parse(&arguments).map_err(message)
    }

    #[test]
    fn options_are_read() {
        assert_eq!(parse(&[]), Ok(Options::default()));
        let both = Options { check: true, gcf: Some("some/gcf".into()) };
        assert_eq!(parse(&["--gcf", "some/gcf", "--check"]), Ok(both));
        assert_eq!(parse(&["--gcf"]), Err("--gcf needs a path".to_owned()));
        assert!(parse(&["--chek"]).unwrap_err().ends_with("not --chek"));
    }

    #[test]
    fn a_missing_gcf_says_how_to_build_it() {
        let error = Options::default().gcf(Path::new("nowhere")).map_err(message).unwrap_err();
        assert!(error.contains("cargo xtask demo") && error.contains("--gcf PATH"), "{error}");
    }

    #[test]
    fn a_changed_picture_is_named() {
        assert!(refuse(&[]).is_ok());
        let error = refuse(&[(CAST, String::new()), (TERMINAL, String::new())]).map_err(message).unwrap_err();
        assert!(error.contains(CAST) && error.contains(TERMINAL) && !error.contains(DIAGRAM), "{error}");
    }

    #[test]
    fn the_committed_diagram_is_drawn_from_its_description() {
        let made = diagram(root()).map_err(message).unwrap();
        let committed = fs::read_to_string(root().join(DIAGRAM)).unwrap();
        assert!(committed == made, "{DIAGRAM} is not up to date: run `cargo xtask pictures`");
        assert!(made.len() < 12_000, "{} bytes are slow to load at the top of a page", made.len());
    }

    #[test]
    fn other_times_alone_change_neither_the_recording_nor_its_picture() {
        let root = std::env::temp_dir().join(format!("gcf-pictures-test-{}", std::process::id()));
        fs::create_dir_all(root.join("docs/pictures")).unwrap();
        let first = demo("took 7 ms, 1234 ms in all\r\n", &root).map_err(message).unwrap();
        write(&first, &root).map_err(message).unwrap();
        let again = demo("took 56 ms, 99 ms in all\r\n", &root).map_err(message).unwrap();
        let other = demo("took 56 ms, 99 ms for all\r\n", &root).map_err(message).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(again, first);
        assert!(other[0].1.contains("56 ms") && other[1].1.contains("99 ms"), "{other:?}");
    }
}
