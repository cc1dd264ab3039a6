//! The folder that the tour leaves: its tape, its key, its connection, and what a shell needs to use them.

use std::{
    env,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use serde_json::{Map, Value, json};

use super::{KEY, TAPE, command_line, in_context};
use crate::{
    commands::Cli,
    context::{Context, Global, TapeMode},
    output::{
        failure::Failure,
        style::{Paint, plain},
    },
};

const TAPE_FILE: &str = "tape.json";
const KEY_FILE: &str = "key.json";
const STORE: &str = "store";
const STORE_KEY: &str = "store-key.txt";
const VARIABLES: &str = "env.sh";

/// Commands to begin with. There are several functions of the last name.
const TO_TRY: [&[&str]; 3] = [
    &["list"],
    &["invoke", "hello-http", "--region", "us-central1", "--data", r#"{"name":"world"}"#],
    &["invoke", "helloGET"],
];

/// Makes the folder, unless there is an empty one: in another, something could be lost.
pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::input(format!("{} is not empty", folder.display()))
            .with_fix("name a folder that is still to be made")),
        Err(error) => Err(unwritten(folder, &error)),
    }
}

fn unwritten(folder: &Path, error: &io::Error) -> Failure {
    Failure::machine(format!("cannot write {}: {error}", folder.display()))
        .with_fix("name a folder that you can write in")
}

/// Fills the folder, and connects in it as the tour does.
pub(super) async fn leave(global: &Global, folder: &Path) -> Result<Next, Failure> {
    let cannot = |error: io::Error| unwritten(folder, &error);
    let folder = folder.canonicalize().map_err(cannot)?;
    fs::write(folder.join(TAPE_FILE), tape()?).map_err(cannot)?;
    fs::write(folder.join(KEY_FILE), KEY).map_err(cannot)?;
    fs::write(folder.join(VARIABLES), variables()).map_err(cannot)?;
    connect(global, &folder).await?;
    Ok(Next { folder })
}

/// The tour's tape, for pages of any size.
fn tape() -> Result<String, Failure> {
    let broken = |error: serde_json::Error| Failure::fault(format!("the demo's tape: {error}"));
    let mut tape: Map<String, Value> = serde_json::from_str(TAPE).map_err(broken)?;
    tape.insert("match".to_owned(), json!({ "ignore": ["query pageSize", "query limit"] }));
    Ok(format!("{:#}\n", Value::Object(tape)))
}

async fn connect(global: &Global, folder: &Path) -> Result<(), Failure> {
    let key = folder.join(KEY_FILE);
    let words = ["gcf", "connect", "--nickname", "demo", "--credentials"].map(OsStr::new);
    let mut parsed = Cli::try_parse_from(words.into_iter().chain([key.as_os_str()]))
        .map_err(|error| Failure::fault(format!("the demo's own command line: {error}")))?;
    parsed.global = Global {
        component: global.component.clone(),
        egress: global.egress.clone(),
        no_host_signing: global.no_host_signing,
        replay: Some(folder.join(TAPE_FILE)),
        replay_store: Some(folder.join(STORE)),
        key_file: Some(folder.join(STORE_KEY)),
        tape_mode: Some(TapeMode::Stub),
        ..parsed.global
    };
    let command = in_context(parsed.command)?;
    let context = Context::open(&parsed.global, command.needs_store(), command.progress().observer())?;
    let done = command.run(&context).await;
    context.finish(done).await.map(drop)
}

/// A file for shells, to be read with `.`.
fn variables() -> String {
    let program = env::current_exe().ok();
    let programs = program.as_deref().and_then(Path::parent).map(|folder| folder.display().to_string());
    let path = programs.map(|programs| {
        format!("command -v gcf >/dev/null || export PATH={}:\"$PATH\"\n", quoted(&programs))
    });
    format!(
        "# In this folder: . ./{VARIABLES}\n\
         # Lets gcf answer from the demo's tape, in this shell, in place of Google.\n\
         export GCF_REPLAY=\"$PWD/{TAPE_FILE}\" GCF_TAPE_MODE=stub\n\
         export GCF_REPLAY_STORE=\"$PWD/{STORE}\" GCF_KEY_FILE=\"$PWD/{STORE_KEY}\"\n\
         unset GCF_STORE GCF_SECRETS GCF_CONNECTION GCF_PASSPHRASE\n{}",
        path.unwrap_or_default()
    )
}

/// A word for a shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The next steps in the folder.
pub(super) struct Next {
    folder: PathBuf,
}

impl Next {
    /// For people.
    pub(super) fn text(&self, paint: Paint) -> String {
        let folder = plain(&self.folder.display().to_string()).into_owned();
        let mut lines =
            format!("\n{}\n  cd {}; . ./{VARIABLES}\n", paint.bold("Go on without Google:"), quoted(&folder));
        for command in TO_TRY {
            lines += &format!("  {}\n", command_line(command));
        }
        lines + &paint.dim("The last one is wrong on purpose. What is not on the tape is refused as such.\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_shells_are_quoted() {
        assert_eq!(quoted("/a b/c"), "'/a b/c'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
