//! The golden test of the guide, on the tape that the guide's own commands record.

use std::fs;

use gcf_host::{
    Host, HostBuilder,
    tape::{Tape, golden},
    wit::{ConnectRequest, ListRequest},
};
use serde_json::json;

use super::{KEY, Person, component, google::Google, target};

const GUIDE: &str = include_str!("../../../docs/guide/tapes.md");
const EMBED: &str = include_str!("../../../docs/guide/embed.md");

/// The lines of the first block of commands behind a heading.
fn block(heading: &str) -> Vec<&'static str> {
    let (_, section) = GUIDE.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, commands) = section.split_once("```sh\n").unwrap();
    commands.split("```").next().unwrap().lines().collect()
}

/// The guide's golden test.
fn rust() -> Vec<&'static str> {
    let (_, section) = EMBED.split_once("\n## Rust, in a test on a tape\n").unwrap();
    let (_, code) = section.split_once("```rust\n").unwrap();
    code.split("```").next().unwrap().lines().map(str::trim).collect()
}

fn builder() -> HostBuilder {
    Host::builder().component_file(component()).cache_dir(Some(target().join("tmp")))
}

#[tokio::test]
async fn the_golden_test_of_the_guide_runs_on_the_tape_that_the_guide_records() {
    let google = Google::start();
    let function = |name: &str| json!({ "name": format!("projects/demo-project/locations/us-central1/functions/{name}") });
    google.on("/functions?", 200, json!({ "functions": [function("a"), function("b"), function("c")] }));
    let person = Person::with(&google);
    fs::copy(KEY, person.path("key.json")).unwrap();
    let commands = block("Record");
    let recorded: Vec<_> = commands.iter().filter_map(|line| line.strip_prefix("gcf ")).collect();
    assert!(
        recorded.iter().filter(|line| line.contains("--record session.json")).count() == 2,
        "{commands:?}"
    );
    for line in recorded {
        let arguments: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        let said = person.run(&arguments);
        assert!(said.contains("exit 0"), "{said}");
    }
    // The test as it stands in the guide, but for its name, its files and the component of this build.
    for line in rust() {
        let own = ["use gcf_host::", "///", "async fn ", "read_to_string(", "golden("];
        let is_of_the_reader = own.iter().any(|own| line.contains(own));
        assert!(is_of_the_reader || include_str!("golden.rs").contains(line), "{line}");
    }
    let key = fs::read_to_string(KEY).unwrap();
    let list = golden(person.path("session.json"), builder(), async |host| {
        let request = ConnectRequest::google_json("ci", key);
        let id = host.connect(request, None).await.unwrap().connection.id;
        host.list_functions(&id, ListRequest::default(), None).await.unwrap()
    })
    .await;
    assert_eq!(list.functions.len(), 3);

    // The same from two tapes, each of a command by itself.
    person.run(&["connect", "--nickname", "two", "--credentials", "key.json", "--record", "1.json"]);
    person.run(&["list", "--connection", "two", "--record", "2.json"]);
    let joined = person.run(&["tape", "join", "1.json", "2.json", "--to", "joined.json"]);
    assert!(joined.contains("exit 0"), "{joined}");
    let urls = |name: &str| {
        let tape = Tape::read(person.path(name)).unwrap();
        tape.interactions()
            .iter()
            .map(|interaction| interaction.request().url().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(urls("joined.json"), urls("session.json"));
    assert_eq!(
        urls("1.json").len() + urls("2.json").len(),
        urls("joined.json").len() + 1,
        "a token is asked for once"
    );
}

/// The test breaks off at a request that is not on the tape, and its message is about that.
#[tokio::test]
#[should_panic(expected = "query pageSize: the tape has \"1000\", the request has \"7\"")]
async fn a_golden_test_that_unwraps_shows_what_is_not_on_the_tape() {
    let key = fs::read_to_string(KEY).unwrap();
    golden(super::tape("empty-project.json"), builder(), async |host: Host| {
        let request = ConnectRequest::google_json("ci", key);
        let id = host.connect(request, None).await.unwrap().connection.id;
        let mut list = ListRequest::default();
        list.page_size = Some(7);
        host.list_functions(&id, list, None).await.unwrap()
    })
    .await;
}
