//! `claims.json`: each promise of README, SECURITY and ARCHITECTURE has a test, and each such test exists.

use std::{collections::BTreeMap, fs, path::Path};

use regex::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// The sections that hold promises, by file.
    sections: BTreeMap<String, Vec<String>>,
    /// Parts of sentences in them that promise nothing: what an attacker does, headings of tables.
    background: Vec<String>,
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    file: String,
    /// A part of the sentence, word for word.
    says: String,
    /// FILE::NAME.
    tests: Vec<String>,
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn claims() -> Claims {
    serde_json::from_str(
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("claims.json")).unwrap(),
    )
    .unwrap()
}

/// The sentences and the rows of tables in these sections, each on one line. What is called not protected promises nothing.
fn promises(text: &str, sections: &[String]) -> Vec<String> {
    let ends = Regex::new(r"[.]\s+").unwrap();
    let (mut found, mut paragraph) = (Vec::new(), String::new());
    let (mut inside, mut unprotected) = (false, false);
    let mut flush = |paragraph: &mut String, unprotected: &mut bool, item: bool| {
        let whole = std::mem::take(paragraph);
        // A list that follows goes on with what is not protected.
        let skip = item && *unprotected;
        if !whole.is_empty() {
            *unprotected = whole.trim_end().ends_with("*Not protected:*") || skip;
        }
        let kept = if skip { "" } else { whole.split("*Not protected:*").next().unwrap() };
        let mut start = 0;
        for end in ends.find_iter(kept) {
            let next = kept[end.end()..].chars().next();
            if next.is_some_and(|next| next.is_uppercase() || "`*[".contains(next)) {
                found.push(kept[start..end.start() + 1].trim().to_owned());
                start = end.end();
            }
        }
        found.push(kept[start..].trim().to_owned());
    };
    let mut item = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            flush(&mut paragraph, &mut unprotected, item);
            inside = sections.iter().any(|section| section == title);
            (item, unprotected) = (false, false);
        } else if !inside {
        } else if line.trim().is_empty() || line.starts_with("    ") {
            flush(&mut paragraph, &mut unprotected, item);
            item = false;
        } else if line.starts_with('|') {
            flush(&mut paragraph, &mut unprotected, false);
            if !line.starts_with("|-") {
                paragraph = line.to_owned();
                flush(&mut paragraph, &mut unprotected, false);
            }
        } else {
            if let Some(rest) = line.strip_prefix("- ") {
                flush(&mut paragraph, &mut unprotected, item);
                item = true;
                paragraph = rest.to_owned();
                continue;
            }
            paragraph = format!("{paragraph} {}", line.trim());
        }
    }
    flush(&mut paragraph, &mut unprotected, item);
    found.retain(|sentence| sentence.len() > 25);
    found
}

#[test]
fn every_promise_has_a_test() {
    let Claims { sections, background, claims } = claims();
    let (mut without, mut count) = (Vec::new(), 0);
    for (file, sections) in &sections {
        for promise in promises(&read(file), sections) {
            count += 1;
            let claimed = claims.iter().any(|claim| &claim.file == file && promise.contains(&claim.says));
            if !claimed && !background.iter().any(|part| promise.contains(part.as_str())) {
                without.push(format!("{file}: {promise}"));
            }
        }
    }
    assert!(count > 100, "only {count} sentences were read");
    assert!(without.is_empty(), "tie these to their tests, in tests/claims.json:\n{}", without.join("\n"));
}

#[test]
fn every_claim_is_made_and_its_tests_exist() {
    let mut wrong = Vec::new();
    for Claim { file, says, tests } in claims().claims {
        let text = read(&file).split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.contains(&says) {
            wrong.push(format!("{file} does not say: {says}"));
        }
        if tests.is_empty() {
            wrong.push(format!("{file}: {says}: no test"));
        }
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let source = read(file);
            if !source.contains(&format!("fn {name}(")) && !source.contains(&format!("def {name}(")) {
                wrong.push(format!("there is no {test}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sentences_are_told_apart() {
    let text = "## A\n\nOne is. Two is,\nstill two, e.g. this.\n\n- an item that is long enough to count\n\n| a row of a table | with cells |\n\n\
        ## B\n\nAnother section is not read at all.\n\n## C\n\nThis is promised here. *Not protected:*\n\n- this is not, whatever it says\n\nAgain a promise that is one.\n";
    let sections = ["A".to_owned(), "C".to_owned()];
    let found = promises(text, &sections);
    assert!(found.iter().any(|promise| promise.contains("an item that is long")), "{found:?}");
    assert!(found.iter().any(|promise| promise.starts_with("| a row")), "{found:?}");
    assert!(found.iter().any(|promise| promise.starts_with("Again a promise")), "{found:?}");
    assert!(
        !found.iter().any(|promise| promise.contains("Another") || promise.contains("whatever")),
        "{found:?}"
    );
}
