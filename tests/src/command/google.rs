//! A Google on loopback that answers everything with success, until it is told otherwise.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

const ORIGINS: [&str; 8] = [
    "https://accounts.google.com",
    "https://oauth2.googleapis.com",
    "https://www.googleapis.com",
    "https://sts.googleapis.com",
    "https://iamcredentials.googleapis.com",
    "https://cloudfunctions.googleapis.com",
    "https://run.googleapis.com",
    "https://hello-abcdefghij-uc.a.run.app",
];

/// Answers to requests that hold a text, in front of the usual ones.
type Rules = Arc<Mutex<Vec<(&'static str, u16, Value)>>>;

/// Listens on a port that the system picks, until the test process ends.
pub(crate) struct Google {
    port: u16,
    rules: Rules,
}

impl Google {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules = Rules::default();
        let shared = Arc::clone(&rules);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up before the answer is not the concern of this thread.
                let _ = stream.and_then(|stream| answer(&stream, &shared));
            }
        });
        Self { port, rules }
    }

    /// The options that lead gcf here.
    pub(crate) fn maps(&self) -> Vec<String> {
        ORIGINS.into_iter().flat_map(|origin| self.map(origin)).collect()
    }

    /// The option that leads gcf here in place of one more origin.
    pub(crate) fn map(&self, origin: &str) -> [String; 2] {
        ["--map".to_owned(), format!("{origin}=http://127.0.0.1:{}", self.port)]
    }

    /// From now on, requests whose host, target and body hold `text` get this answer.
    pub(crate) fn on(&self, text: &'static str, status: u16, body: Value) {
        self.rules.lock().unwrap().insert(0, (text, status, body));
    }

    /// Answers with success again, always.
    pub(crate) fn recovers(&self) {
        self.rules.lock().unwrap().clear();
    }
}

fn answer(stream: &TcpStream, rules: &Rules) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut target, mut host, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut target)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)) {
            Some((name, value)) if name == "host" => value.clone_into(&mut host),
            Some((name, value)) if name == "content-length" => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = format!("{host} {target} {}", String::from_utf8_lossy(&body));
    let told = rules.lock().unwrap().iter().find(|rule| request.contains(rule.0)).cloned();
    let (status, body) = told.map_or_else(|| (200, success(&request)), |(_, status, body)| (status, body));
    let body = body.to_string();
    write!(
        &mut &*stream,
        "HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn success(request: &str) -> Value {
    if request.contains(":generateAccessToken") {
        json!({ "accessToken": "ya29.c.command", "expireTime": "2099-01-01T00:00:00Z" })
    } else if request.contains("/token") {
        json!({ "access_token": "ya29.command", "expires_in": 3599, "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "scope": "https://www.googleapis.com/auth/cloud-platform openid email" })
    } else if request.contains("/locations?") {
        json!({ "locations": [{ "locationId": "us-central1", "displayName": "Iowa" }] })
    } else {
        json!({})
    }
}
