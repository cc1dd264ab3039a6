//! Names that are on no tape: renamed before anything is kept, compared under the new name, and played under
//! the old one.

use std::{fs, io::Write as _, path::Path, sync::Arc, time::Duration};

use http_body_util::BodyExt as _;

use super::{body, jwt, oracle::says, request, send};
use crate::{
    tape::{Aliases, Cassette, Mode, Provenance, ProvenanceKind, Recorder, Replay, Tape, TapeError},
    transport::{Body, Sending, Timeouts, Transport},
};

/// Answers with the request, in the clear or compressed.
#[derive(Debug)]
struct Echo;

impl Transport for Echo {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(async move {
            let (parts, sent) = request.into_parts();
            let sent = String::from_utf8(sent.collect().await?.to_bytes().to_vec()).unwrap();
            let text = serde_json::json!({"corp-project": {"asked": parts.uri.to_string(), "said": sent,
                "token": jwt(r#"{"email":"ada@corp.test"}"#)}})
            .to_string();
            let response = http::Response::builder()
                .header("content-type", "application/json")
                .header("x-project", "corp-project");
            if parts.uri.path() != "/compressed" {
                return Ok(response.header("content-length", text.len()).body(body(text)).unwrap());
            }
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(text.as_bytes()).unwrap();
            Ok(response.header("content-encoding", "gzip").body(body(gzip.finish().unwrap())).unwrap())
        })
    }
}

fn blank() -> Tape {
    let from = "the project corp-project of ada@corp.test".to_owned();
    Tape::new(
        Provenance { kind: ProvenanceKind::Recorded, from, note: None },
        Duration::from_secs(1_772_366_400),
        7,
    )
}

fn aliases() -> Aliases {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    Aliases::new([pair("corp-project", "project-1"), pair("ada@corp.test", "someone@example.com")]).unwrap()
}

/// Requests with a project and a person in every place where there can be one.
fn requests(project: &str, person: &str) -> [http::Request<Body>; 4] {
    let bearer =
        format!("Bearer {}", jwt(&format!(r#"{{"email":"{person}","aud":"https://{project}.test"}}"#)));
    let encoded = person.replace('@', "%40");
    let form = format!("assertion={}&who={encoded}", jwt(&format!(r#"{{"iss":"{person}"}}"#)));
    let json = format!(r#"{{"parent":"projects/{project}","member":"user:{person}","{project}":1}}"#);
    [
        request(
            "GET",
            &format!("https://r-{project}.x.test/v1/projects/{project}/a?as={encoded}"),
            &[("authorization", &bearer), ("x-goog-user-project", project)],
            "",
        ),
        request(
            "POST",
            "https://x.test/token",
            &[("content-type", "application/x-www-form-urlencoded")],
            &form,
        ),
        request("POST", "https://x.test/b", &[("content-type", "application/json")], &json),
        request("GET", "https://x.test/compressed", &[], ""),
    ]
}

/// The answer to each request, without a trace of how it travelled.
async fn answers(to: &dyn Transport, requests: [http::Request<Body>; 4]) -> Vec<String> {
    let mut said = Vec::new();
    for request in requests {
        let response = send(to, request).await.unwrap();
        let bytes = response.body().to_vec();
        let mut text = String::new();
        if response.headers().contains_key("content-encoding") {
            std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        said.push(
            format!("{:?} {text}", response.headers()["x-project"]).replace(".c2lnbmF0dXJl", ".redacted"),
        );
    }
    said
}

/// Asserts that no old name is in any file of the folder, nor in the claims of a token.
fn assert_renamed(folder: &Path) {
    let mut files = 0;
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for name in ["corp-project", "corp.test", "corp%2Etest"] {
            assert!(!says(text.as_bytes(), name), "{name} is in {text}");
        }
        files += 1;
    }
    assert_eq!(files, 1);
}

async fn recorded(path: &Path) -> Vec<String> {
    let recorder = Recorder::new(Arc::new(Echo), path, blank()).renaming(aliases());
    let said = answers(&recorder, requests("corp-project", "ada@corp.test")).await;
    // The file that is left if the program ends before its time.
    assert_renamed(path.parent().unwrap());
    recorder.finish().unwrap();
    assert_renamed(path.parent().unwrap());
    said
}

#[tokio::test]
async fn a_recording_never_has_the_old_names_and_replays_under_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let said = recorded(&path).await;
    assert!(said[0].contains("corp-project") && said[0].contains("/a?as=ada%40corp.test"), "{}", said[0]);

    let tape = || Tape::read(&path).unwrap();
    let replay = Replay::new(tape()).renaming(aliases());
    assert_eq!(answers(&replay, requests("corp-project", "ada@corp.test")).await, said);
    replay.finish().unwrap();

    // With the new names only: as on any other tape.
    let replay = Replay::new(tape());
    let new = answers(&replay, requests("project-1", "someone@example.com")).await;
    replay.finish().unwrap();
    assert!(new[0].contains("https://r-project-1.x.test/v1/projects/project-1/a?as=someone%40example.com"));
    assert!(!new.concat().contains("corp"), "{new:?}");

    let replay = Replay::new(tape());
    let [first, ..] = requests("corp-project", "ada@corp.test");
    send(&replay, first).await.unwrap_err();
}

#[tokio::test]
async fn a_difference_is_shown_under_the_new_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    recorded(&path).await;
    let replay = Replay::new(Tape::read(&path).unwrap()).renaming(aliases());
    let [first, ..] = requests("corp-project", "eve@corp.test");
    send(&replay, first).await.unwrap_err();
    let miss = replay.misses()[0].to_string();
    assert!(
        miss.contains("query as: the tape has \"someone@example.com\", the request has \"eve@corp.test\""),
        "{miss}"
    );
    assert!(!miss.contains("corp-project"), "{miss}");
}

#[tokio::test]
async fn a_length_is_that_of_the_new_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    recorded(&path).await;
    let tape = Tape::read(&path).unwrap();
    let response = tape.interactions()[0].response().unwrap();
    let length = response.body().unwrap().to_bytes().len().to_string();
    assert!(response.headers().contains(&("content-length".to_owned(), length)), "{:?}", response.headers());
}

#[tokio::test]
async fn new_episodes_are_renamed_too_and_so_is_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    // As it was recorded, and by hand.
    for already in [aliases(), Aliases::default()] {
        let recorder = Recorder::new(Arc::new(Echo), &path, blank()).renaming(already);
        let [_, _, third, _] = requests("corp-project", "ada@corp.test");
        send(&recorder, third).await.unwrap();
        recorder.finish().unwrap();
        let open = |mode| Cassette::open(&path, mode, Arc::new(Echo), blank()).unwrap().renaming(aliases());
        let adding = open(Mode::NewEpisodes);
        let [first, _, third, _] = requests("corp-project", "ada@corp.test");
        send(&adding, third).await.unwrap();
        send(&adding, first).await.unwrap();
        adding.finish().unwrap();
        let _ = fs::remove_file(folder.path().join("tape.json.1.bak"));
        assert_renamed(folder.path());

        let replaying = open(Mode::Replay);
        let [first, _, third, _] = requests("corp-project", "ada@corp.test");
        send(&replaying, third).await.unwrap();
        send(&replaying, first).await.unwrap();
        replaying.finish().unwrap();
    }
}

#[test]
fn names_without_a_way_back_are_refused() {
    let refused = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        match Aliases::new(pairs) {
            Err(TapeError::Alias { from, problem, .. }) => Some((from, problem.split(' ').next().unwrap())),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        }
    };
    let because = |from: &str, begins: &'static str| Some((from.to_owned(), begins));
    assert_eq!(refused(&[("", "b")]), because("", "a"));
    assert_eq!(refused(&[("a", "")]), because("a", "a"));
    assert_eq!(refused(&[("a", "b/c")]), because("a", "a"));
    assert_eq!(refused(&[("a", "x.a")]), because("a", "the"));
    assert_eq!(refused(&[("a", "b"), ("b", "c")]), because("a", "the"));
    assert_eq!(refused(&[("a", "c"), ("b", "c")]), because("b", "it"));
    assert_eq!(refused(&[("a", "b"), ("a", "c")]), because("a", "it"));
    assert_eq!(
        refused(&[("corp.test", "x.test"), ("ada@corp.test", "a@y.test")]),
        because("ada@corp.test", "it")
    );
    assert_eq!(refused(&[("ada@corp.test", "a@y.test"), ("corp.test", "x.test")]), None);
    // The inside of a placeholder is not a name.
    let tape = super::sign_in();
    assert_eq!(tape.renamed("access-token", "x").unwrap(), tape);
}
