//! The README and the guide, run as they are written: each command of a shell block in a folder of its page,
//! against a Google on loopback or on a tape. Output that a page shows is compared.
//!
//! The kind of a block stands behind its fence: `sh` holds commands, `console` commands behind `$ ` with
//! their output. In output, a line that ends in `…` stands for any that begins so, and `…` alone for any lines. JSON, YAML and Python
//! are parsed; Rust is compiled elsewhere. Anything else has to be named in [`Page::shown`].

#[path = "pages/block.rs"]
mod block;
#[path = "pages/table.rs"]
mod table;

use std::{
    fs, iter,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;
use yaml_rust2::YamlLoader;

use self::{
    block::{Block, agrees, blocks, spans},
    table::{FOREIGN, PAGES, Page},
};
use super::{GCF, KEY, google::Google, left_out, tape};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Prints the help of every command, and of each of its own.
const ALL_HELP: &str = r#"
names() { sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'; }
"$GCF" help options
for command in $(gcf --help | names); do
  gcf $command --help || continue
  for action in $(gcf $command --help | names); do gcf $command $action --help || true; done
done"#;

static HELP: OnceLock<String> = OnceLock::new();

#[test]
fn every_command_of_a_page_runs() {
    let faults: Vec<String> = thread::scope(|scope| {
        let pages: Vec<_> = PAGES.iter().map(|page| scope.spawn(|| Reader::of(page).reads())).collect();
        pages.into_iter().flat_map(|page| page.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_page_of_the_guide_is_in_the_table() {
    let folder = fs::read_dir(format!("{ROOT}/docs/guide")).unwrap();
    let mut there: Vec<String> =
        folder.map(|entry| format!("docs/guide/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    there.push("README.md".to_owned());
    there.sort();
    let mut listed: Vec<&str> = PAGES.iter().map(|page| page.file).collect();
    listed.sort_unstable();
    assert_eq!(listed, there);
}

/// Files of the source that the pages for contributors name, by the end of their paths.
#[test]
fn every_file_that_a_page_names_is_there() {
    fn walk(folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap();
            if entry.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name) {
                walk(&entry, files);
            } else if entry.is_file() {
                files.push(entry.to_str().unwrap().to_owned());
            }
        }
    }
    let (mut files, mut pages) = (Vec::new(), Vec::new());
    walk(Path::new(ROOT), &mut files);
    walk(&Path::new(ROOT).join("docs"), &mut pages);
    pages.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
            .map(|page| format!("{ROOT}/{page}")),
    );
    let missing = |text: &str| -> Vec<String> {
        let of_source = |word: &str| {
            [".rs", ".wit"].iter().any(|end| word.ends_with(end))
                && !["name.rs", "mod.rs"].contains(&word)
                && !word.contains("NAME")
        };
        let named = spans(text).into_iter().filter(|(_, span)| of_source(span) && !span.contains(' '));
        let there = |span: &str| files.iter().any(|file| file.ends_with(&format!("/{span}")));
        named.filter(|(_, span)| !there(span)).map(|(line, span)| format!("{line}: {span}")).collect()
    };
    assert_eq!(missing("see `no/such/file.rs`"), ["1: no/such/file.rs"]);
    for page in pages.iter().filter(|page| page.ends_with(".md")) {
        assert_eq!(missing(&fs::read_to_string(page).unwrap()), [""; 0], "{page}");
    }
}

#[test]
fn the_table_names_no_line_that_is_not_there() {
    let stale = |page: &'static Page, text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let named = page.not_run.iter().chain(page.shown).map(|(line, _)| *line);
        named.filter(|line| !lines.contains(line)).collect::<Vec<_>>()
    };
    assert_ne!(stale(&PAGES[0], ""), [""; 0]);
    for page in &PAGES {
        let text = fs::read_to_string(format!("{ROOT}/{}", page.file)).unwrap();
        assert_eq!(stale(page, &text), [""; 0], "{}", page.file);
    }
}

#[test]
fn a_fault_in_a_page_is_found() {
    let page = &PAGES[1];
    let read = |text: &str| Reader { text: text.to_owned(), ..Reader::of(page) }.reads();
    let console = |printed: &str| format!("```console\n$ echo one; echo two\n{printed}\n```\n");
    assert_eq!(read(&console("one\ntwo")), [""; 0]);
    assert_eq!(read(&console("o…\ntwo")), [""; 0]);
    assert_eq!(read(&console("…\ntwo")), [""; 0]);
    assert_eq!(read("a line\n\n- a point\n\n    that goes on\n"), [""; 0]);
    for wrong in [
        &console("one"),
        &console("one\ntwo\nthree"),
        &console("one\nthree"),
        &console("…\none"),
        "```sh\nfalse\ntrue\n```\n",
        "```sh\nfalse | true\n```\n",
        "```sh\ngcf list --no-such-option\n```\n",
        "```json\n{\n```\n",
        "```yaml\na: [\n```\n",
        "```yaml\nsteps:\n  - run: gcf no-such-command\n```\n",
        "```python\nfound = (\n```\n",
        "```text\nsomething\n```\n",
        "```\nsomething\n```\n",
        "a line\n\n    gcf list\n",
        "`gcf no-such-command`",
        "`gcf list --no-such-option`",
        "`--no-such-option`",
    ] {
        assert_ne!(read(wrong), [""; 0], "{wrong}");
    }
}

#[test]
#[should_panic(
    expected = "there is no no-such-program, which README.md needs: leave it out with GCF_ALLOW_SKIPS=no-such-program"
)]
fn a_program_that_is_missing_fails_unless_it_is_allowed() {
    let reader = Reader::of(&PAGES[0]);
    assert!(reader.prepare(&[]));
    assert!(!reader.lacks(&["cat"], "cat key.json"));
    assert!(!reader.lacks(&["no-such-program"], "cat key.json"));
    reader.lacks(&["cat", "no-such-program"], "no-such-program key.json");
}

/// Somebody who does what a page says, in an empty home folder.
struct Reader {
    page: &'static Page,
    text: String,
    home: TempDir,
    google: Google,
}

impl Reader {
    fn of(page: &'static Page) -> Self {
        let text = fs::read_to_string(format!("{ROOT}/{}", page.file)).unwrap();
        Self { page, text, home: tempfile::tempdir().unwrap(), google: google() }
    }

    /// The faults of the page.
    fn reads(&self) -> Vec<String> {
        let blocks = blocks(&self.text);
        if !self.prepare(&blocks) {
            return Vec::new();
        }
        let in_blocks =
            blocks.iter().filter_map(|block| self.tries(block).err().map(|why| (block.line, why)));
        let in_spans =
            spans(&self.text).into_iter().filter_map(|(line, span)| Some((line, self.names(span)?)));
        in_blocks.chain(in_spans).map(|(line, why)| format!("{}:{line}: {why}", self.page.file)).collect()
    }

    /// Brings the home folder to where the page begins. Returns `false` if that needs what this machine has not.
    fn prepare(&self, blocks: &[Block<'_>]) -> bool {
        let gcf = format!("exec '{GCF}' {} \"$@\"\n", self.maps().join(" "));
        let programs = self.home.path().join("programs");
        fs::create_dir(&programs).unwrap();
        program(&programs.join("gcf"), &gcf);
        // GitHub's, which hands out the token of a job.
        program(&programs.join("curl"), "echo '{\"value\":\"eyJ.e30.c2ln\"}'\n");
        self.write("key.json", &fs::read_to_string(KEY).unwrap());
        self.write("before.sh", "");
        if let Some(wif) =
            blocks.iter().find(|block| block.kind == "json" && block.text.contains("external_account"))
        {
            self.write("wif.json", &self.stand_ins(&wif.text));
        }
        for (name, text) in self.page.files {
            self.write(name, text);
        }
        // All of the page, for what follows in it may build on what would be left out.
        let commands = blocks.iter().filter(|block| ["sh", "console", "yaml"].contains(&block.kind));
        let run = commands.flat_map(|block| block.text.lines()).filter(|line| !self.is_not_run(line));
        let run: Vec<&str> = iter::once(self.page.before).chain(run).collect();
        if self.lacks(&["jq", "openssl"], &run.join("\n")) {
            return false;
        }
        let printed = self.shell(&self.page.before.replace("[tapes]", &tape("")));
        assert!(printed.0, "{}: before the page: {}", self.page.file, printed.1);
        true
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn maps(&self) -> Vec<String> {
        let more = ["https://open-abcdefghij-uc.a.run.app", "https://logging.googleapis.com"];
        self.google
            .maps()
            .into_iter()
            .chain(more.into_iter().flat_map(|origin| self.google.map(origin)))
            .collect()
    }

    /// Does what a block says, and tells what is wrong with it.
    fn tries(&self, block: &Block<'_>) -> Result<(), String> {
        match block.kind {
            "sh" => self.runs(&block.text),
            "console" => self.prints(block),
            "json" => {
                let read: Result<Value, _> = serde_json::from_str(&block.text);
                read.map(drop).map_err(|error| error.to_string())
            }
            "yaml" => self.steps(&block.text),
            "python" => {
                self.parses("python3", &["-c", "import ast, sys; ast.parse(sys.argv[1])"], &block.text)
            }
            "js" => self.parses(
                "node",
                &[
                    "--experimental-vm-modules",
                    "-e",
                    "new (require('vm').SourceTextModule)(process.argv[1])",
                    "--",
                ],
                &block.text,
            ),
            "rust" | "rust,ignore" | "rust,no_run" => Ok(()),
            kind => {
                let first = block.text.lines().next().unwrap_or_default();
                let named = kind == "text" && self.page.shown.iter().any(|(line, _)| *line == first);
                if named { Ok(()) } else { Err(format!("nothing is known about a block of kind `{kind}`")) }
            }
        }
    }

    /// Runs the lines of a block, except those that the table leaves out: of these, `gcf` reads its arguments
    /// only.
    fn runs(&self, text: &str) -> Result<(), String> {
        let (left_out, run): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| self.is_not_run(line));
        for line in left_out.iter().filter(|line| line.starts_with("gcf ")) {
            self.is_understood(line)?;
        }
        self.succeeds(&run.join("\n"))
    }

    fn is_not_run(&self, line: &str) -> bool {
        self.page.not_run.iter().any(|(other, _)| *other == line)
    }

    fn succeeds(&self, script: &str) -> Result<(), String> {
        let (went_well, printed) = self.shell(script);
        if went_well { Ok(()) } else { Err(format!("failed:\n{script}\n-- printed:\n{printed}")) }
    }

    /// Tells whether a script needs one of these programs, and this machine has not got it.
    fn lacks(&self, programs: &[&str], script: &str) -> bool {
        let needed = programs.iter().filter(|program| script.contains(&format!("{program} ")));
        let missing: Vec<_> =
            needed.filter(|program| !self.shell(&format!("command -v {program}")).0).collect();
        for program in &missing {
            left_out(program, &format!("there is no {program}, which {} needs", self.page.file));
        }
        !missing.is_empty()
    }

    /// Compares what a block shows with what its commands print, both streams in one.
    fn prints(&self, block: &Block<'_>) -> Result<(), String> {
        for (command, shown) in block.dialogue() {
            let (_, printed) = self.shell(&command);
            if !agrees(&shown, &printed) {
                return Err(format!("not what is printed by: {command}\n{printed}"));
            }
        }
        Ok(())
    }

    /// Runs the steps of a job of GitHub Actions.
    fn steps(&self, text: &str) -> Result<(), String> {
        let jobs = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
        let steps = jobs.iter().filter_map(|job| job["steps"].as_vec()).flatten();
        // A job begins with an empty store.
        let github = "export GCF_STORE=./job ACTIONS_ID_TOKEN_REQUEST_TOKEN=x ACTIONS_ID_TOKEN_REQUEST_URL=https://github.example/?a=b";
        steps
            .filter_map(|step| step["run"].as_str())
            .try_for_each(|run| self.succeeds(&format!("{github}\n{run}")))
    }

    /// Has the program of another language read a text, without running it.
    fn parses(&self, program: &str, arguments: &[&str], text: &str) -> Result<(), String> {
        match Command::new(program).args(arguments).arg(text).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => {
                left_out(program, &format!("{program}, which {} needs: {error}", self.page.file));
                Ok(())
            }
        }
    }

    /// Tells what is wrong with a command or an option that a sentence names.
    fn names(&self, span: &str) -> Option<String> {
        if span.starts_with("gcf ") {
            return self.is_understood(span).err();
        }
        let option = span.split([' ', '=']).next().filter(|word| word.starts_with("--"))?;
        let help = HELP.get_or_init(|| self.shell(&format!("GCF='{GCF}'{ALL_HELP}")).1);
        let known = help.split([' ', ',', '\n', '[', ']']).any(|word| word == option);
        let foreign = FOREIGN.iter().any(|(other, _)| *other == option);
        (!known && !foreign).then(|| format!("no command has {option}"))
    }

    /// Has `gcf` read the arguments of a line, and print its help in place of running.
    fn is_understood(&self, line: &str) -> Result<(), String> {
        let command = line.split([';', '|', '#']).next().unwrap_or(line).trim();
        // One that asks for help anyway prints it.
        let asked =
            if command.starts_with("gcf help") { command.to_owned() } else { format!("{command} --help") };
        let (went_well, printed) = self.shell(&asked);
        if went_well { Ok(()) } else { Err(format!("not understood: {command}\n{printed}")) }
    }

    /// The stand-ins of a page, in place of what its reader is to put there.
    fn stand_ins(&self, text: &str) -> String {
        self.page.stand_ins.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Runs a script in the page's folder: whether it succeeds, and what it prints on both streams.
    fn shell(&self, script: &str) -> (bool, String) {
        let home = self.home.path();
        let script = format!("exec 2>&1\n. ./before.sh\n{}", self.stand_ins(script));
        let output = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", &script])
            .env_clear()
            .env("HOME", home)
            .env("PATH", format!("{}:/usr/bin:/bin", home.join("programs").display()))
            .current_dir(home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

fn program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A Google with the functions of the pages.
fn google() -> Google {
    let google = Google::start();
    // The pages are about projects, functions and accounts of all names; the strict Google knows the rest.
    let nothing = [
        "run.googleapis.com",
        "logging.googleapis.com",
        "/projects/my-project",
        "open-abcdefghij",
        "hello-abcdefghij",
        ":testIamPermissions",
    ];
    for any in nothing {
        google.on(any, 200, json!({}));
    }
    let function = |name: &str, event: Option<&str>| {
        json!({
            "name": format!("projects/demo-project/locations/us-central1/functions/{name}"),
            "environment": "GEN_2",
            "state": "ACTIVE",
            "serviceConfig": { "uri": "https://hello-abcdefghij-uc.a.run.app" },
            "eventTrigger": event.map(|event| json!({ "eventType": event })),
        })
    };
    let finalized = "google.cloud.storage.object.v1.finalized";
    let all = [("hello", None), ("orders", None), ("import", None), ("on-upload", Some(finalized))]
        .map(|(name, event)| function(name, event));
    google.on("/functions?", 200, json!({ "functions": all }));
    google.on("/functions/hello?", 200, all[0].clone());
    google.on("/functions/orders?", 200, all[1].clone());
    google.on("/functions/import?", 200, all[2].clone());
    let hello = "https://hello-abcdefghij-uc.a.run.app";
    let claims = json!({ "iss": "https://accounts.google.com", "aud": hello, "exp": 4_070_908_800_u64 });
    let id_token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    google.on(":generateIdToken", 200, json!({ "token": id_token }));
    // Whoever a page is about, Google knows them.
    let both = json!({ "access_token": google.knows_a_person(), "expires_in": 3599, "token_type": "Bearer",
        "scope": "https://www.googleapis.com/auth/cloud-platform openid email", "id_token": id_token });
    google.on("oauth2.googleapis.com", 200, both);
    let borrowed = json!({ "accessToken": google.knows_a_person(), "expireTime": "2099-01-01T00:00:00Z" });
    google.on(":generateAccessToken", 200, borrowed);
    google
}
