//! `fixtures/world.json`, by the command: the files that people have, and what a shell makes of their words.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_google::{Asked, serve};
use serde_json::json;

use self::rows::{Call, Command, Facts, Row, add_sent, rows};
use super::{
    KEY, Person,
    google::{maps, now},
};

#[path = "../../fixtures/world.rs"]
#[expect(dead_code, reason = "what the other tests read of it")]
mod rows;

const ORIGINS: [&str; 9] = [
    "https://oauth2.googleapis.com",
    "https://www.googleapis.com",
    "https://sts.googleapis.com",
    "https://iamcredentials.googleapis.com",
    "https://cloudfunctions.googleapis.com",
    "https://logging.googleapis.com",
    "https://run.googleapis.com",
    "https://hello-abcdefghij-uc.a.run.app",
    "https://accounts.google.com",
];

#[test]
fn every_row_of_the_command_comes_out_right() {
    let mut run = 0;
    for row in rows() {
        if let Call::Command(command) = &row.call {
            assert_comes_out_right(&row, command);
            run += 1;
        }
    }
    assert!(run > 0, "no row is one of the command");
}

fn assert_comes_out_right(row: &Row, command: &Command) {
    let key_file = std::fs::read_to_string(KEY).unwrap();
    let (google, sent) = (row.google(&key_file), Arc::new(std::sync::Mutex::new(Vec::<Asked>::new())));
    let noted = Arc::clone(&sent);
    let server = serve(Arc::new(move |asked: &Asked| {
        noted.lock().unwrap().push(asked.clone());
        google(asked, now())
    }));
    let mut person = Person::new();
    person.connect();
    person.maps = maps(server.unwrap(), &ORIGINS);
    for (name, bytes) in &command.files {
        std::fs::write(person.path(name), STANDARD.decode(bytes).unwrap()).unwrap();
    }
    sent.lock().unwrap().clear();
    let arguments: Vec<&str> = command.arguments.iter().map(String::as_str).collect();
    let said = person.feed(&command.stdin, &arguments);
    let exit = said.lines().find_map(|line| line.strip_prefix("exit ")).unwrap().parse::<u8>().unwrap();
    let mut facts = Facts::new();
    facts.insert("exit".to_owned(), json!(exit));
    facts.insert("said".to_owned(), json!(said));
    add_sent(&mut facts, &sent.lock().unwrap());
    row.judge(&facts.into());
}
