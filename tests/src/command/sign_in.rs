//! Signing in with Google over SSH: the address is printed, and the one that the browser ends at is pasted.
//!
//! Here the person says no. That a yes connects takes a provider that signs: see tests/sign-in.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
};

use serde_json::json;
use url::Url;

use super::{Person, check_live, forms::canary, google::Google};

/// A sign-in that waits for the browser.
pub(crate) struct Waiting {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    said: String,
    /// The address that the person opens.
    address: Url,
    redirect: String,
    state: String,
}

impl Waiting {
    fn start(person: &Person, no_browser: bool) -> Self {
        write_client(person);
        Self::with(person, &[&CONNECT[..], if no_browser { &["--no-browser"] } else { &[] }].concat())
    }

    /// A command that signs in through the browser.
    pub(crate) fn with(person: &Person, arguments: &[&str]) -> Self {
        let mut command = person.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = format!("$ gcf {}\n", arguments.join(" "));
        let url = loop {
            let start = said.len();
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
            if let Ok(url) = Url::parse(said[start..].trim()) {
                break url;
            }
        };
        let parameter = |name| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let (redirect, state) = (parameter("redirect_uri"), parameter("state"));
        // The rest of the address is another one each time.
        let said = said.replace(url.as_str(), "[address]");
        Self { child, stderr, said, address: url, redirect, state }
    }

    /// The browser comes back: with the person's consent, or without.
    pub(crate) fn come_back(self, google: Option<&Google>) -> String {
        let url = google.map_or_else(|| self.refused(), |google| google.consent(self.address.as_str()));
        get(&url);
        self.end()
    }

    fn paste(&mut self, line: &str) {
        writeln!(self.child.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// The address at which a browser ends if the person says no.
    fn refused(&self) -> String {
        let Self { redirect, state, .. } = self;
        format!("{redirect}?error=access_denied&state={state}&iss=https%3A%2F%2Faccounts.google.com")
    }

    /// Everything that the command prints to its end.
    fn end(mut self) -> String {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let result = String::from_utf8(output.stdout).unwrap();
        format!("exit {}\n{result}{}", output.status.code().unwrap(), self.said)
    }
}

pub(crate) const CONNECT: [&str; 6] = ["connect", "--nickname", "ada", "--oauth", "--client", "client.json"];

/// Writes the OAuth client that [`CONNECT`] names.
pub(crate) fn write_client(person: &Person) {
    let client = json!({ "installed": {
        "client_id": "123-x.apps.googleusercontent.com", "client_secret": canary("client-secret"),
        "project_id": "demo-project", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token", "redirect_uris": ["http://localhost"] } });
    person.write("client.json", &client.to_string());
}

/// The answer to a browser that ends at this address.
fn get(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(url.socket_addrs(|| None).unwrap()[0]).unwrap();
    let target = &url[url::Position::BeforePath..];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn a_wrong_address_can_be_pasted_again() {
    let person = Person::new();
    let mut waiting = Waiting::start(&person, true);
    let redirect = waiting.redirect.clone();
    waiting.paste("yes");
    waiting.paste("http://127.0.0.1:1/callback?code=old&state=old");
    waiting.paste(&format!("{redirect}?code=x&state=AAAAAAAAAAAAAAAAAAAAAA"));
    waiting.paste(&format!("{redirect}?code=x&code=y&state=z"));
    waiting.paste(&waiting.refused());
    check_live("sign-in-pasted", &[waiting.end(), person.run(&["connections"])]);
}

#[test]
fn without_a_screen_the_address_is_printed_and_the_page_tells_the_end() {
    let person = Person::new();
    let waiting = Waiting::start(&person, false);
    let page = get(&waiting.refused());
    let words = page.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    check_live("sign-in-refused", &[waiting.end(), words.to_owned()]);
}

/// It can be recorded, and what the connection does after it replayed; but nobody is sent to Google's page for a tape.
#[test]
fn a_sign_in_in_a_browser_is_recorded_and_not_replayed() {
    let google = Google::start();
    let person = Person::with(&google);
    write_client(&person);
    let recorded = Waiting::with(&person, &[&CONNECT[..], &["--record", "signed-in.json"]].concat());
    let recorded = recorded.come_back(Some(&google));
    assert!(recorded.starts_with("exit 0\nconnected ada\n"), "{recorded}");
    let list = ["list", "--filter", "x"];
    let live = person.run(&[&list[..], &["--record", "list.json"]].concat());
    let runs = [
        person.run(&[&CONNECT[..], &["--replay", "signed-in.json"]].concat()),
        person.run(&["reconnect", "ada", "--oauth", "--client", "client.json", "--replay", "signed-in.json"]),
        person.run(&[&list[..], &["--replay", "list.json"]].concat()),
    ];
    assert_eq!(runs[2].split_once('\n').unwrap().1, live.split_once('\n').unwrap().1);
    check_live("sign-in-replayed", &runs);
}
