//! The core speaks for every host: it names no command and no option of one program among them.

use std::{fs, path::Path};

use super::floors::imports::sources;

/// The places at which a source, outside of its comments and tests, names the command or an option as it takes them.
/// Google's own command line, and its `--option=value`, is fine.
fn of_a_command(source: &str) -> Vec<String> {
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let googles = |line: &str| line.contains("gcloud ");
    let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//") && !googles(line));
    let option = |word: &str| {
        let name = word.strip_prefix("--");
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains('='))
    };
    let named = |line: &&str| {
        line.split([' ', '"', '`', '(', ')', ',', ';']).any(|word| word == "gcf" || option(word))
    };
    code.filter(named).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn nothing_in_the_component_names_a_command_of_one_host() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = sources(&here.join("src"), &["testing", "tests"]);
    files.push(here.join("../catalog/catalog.json"));
    assert!(files.len() > 60, "{} files", files.len());
    for file in files {
        let found = of_a_command(&fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}

#[test]
fn a_command_is_found_and_google_s_own_is_not() {
    for source in
        [".fix(\"gcf connect --credentials FILE\")", "\"ask (gcf restrict)\"", "\"leave --fail out\""]
    {
        assert_eq!(of_a_command(source).len(), 1, "{source}");
    }
    for source in [
        "// gcf does",
        "\"gcloud x --on --region={}\"",
        "\" --member=m\"",
        "use gcf_core::x;",
        "\"-----BEGIN\"",
    ] {
        assert_eq!(of_a_command(source), [""; 0], "{source}");
    }
}
