//! The strict Google for programs in other languages.
//!
//!     strict-google KEY-FILE < PROJECT
//!
//! The project is one line of JSON: see `Written`. The port is printed; the server lives until its input ends. Requests
//! with the Host `control` ask what was seen (`/seen`, `/unknown`), let a person consent (`/consent`), make a token known
//! (`/know`), or have all others wait (`/stall`) until they may go on (`/resume`).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command talks to the program that started it"
)]

use std::{
    io::Read as _,
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use gcf_google::{Answer, Asked, Called, Client, Function, Google, Project, serve};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The project, as the program that starts this writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    access_token: String,
    #[serde(default)]
    regions: Vec<(String, String)>,
    #[serde(default)]
    silent: Vec<String>,
    /// Functions on a page.
    page: Option<usize>,
    /// Region, name, and what is laid over a full body.
    #[serde(default)]
    functions: Vec<(String, String, Value)>,
    #[serde(default)]
    services: Vec<(String, String, Value)>,
    /// Members that may look at functions, and invoke them.
    #[serde(default)]
    viewers: Vec<String>,
    /// Member, permission, end of the resource's name.
    #[serde(default)]
    grants: Vec<(String, String, String)>,
    client: Option<(String, String)>,
    /// Functions that answer here: host, end of the resource's name, audience, and whether it is of 1st gen.
    #[serde(default)]
    hosts: Vec<(String, String, String, bool)>,
}

/// A gate before all requests: while it is shut they wait.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn shut(&self, shut: bool) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let is_shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_shut, |is_shut| *is_shut));
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strict-google: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let key_file = std::env::args().nth(1).ok_or("the key file is missing")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let google = Arc::new(google(&std::fs::read_to_string(key_file)?, serde_json::from_str(&line)?));
    let seen = Mutex::new(Vec::<Value>::new());
    let gate = Gate::default();
    let server = serve(Arc::new(move |asked: &Asked| {
        let asked = &meant(asked);
        let host = asked.header("host").unwrap_or_default();
        let path = asked.url.splitn(4, '/').nth(3).unwrap_or_default();
        if host == "control" {
            match path {
                "stall" => gate.shut(true),
                "resume" => gate.shut(false),
                _ => {}
            }
            return control(&google, &seen, path, &serde_json::from_slice(&asked.body).unwrap_or_default());
        }
        let body = String::from_utf8_lossy(&asked.body);
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(json!([
            host,
            asked.method,
            format!("/{path}"),
            body
        ]));
        gate.pass();
        google.answer(asked, now())
    }))?;
    println!("{}", server.port);
    // Until whoever has started this is gone.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A request as it was meant. To a loopback address, the first part of the path says where it was meant to go: so do hosts
/// send it whose `host` header cannot be chosen.
fn meant(asked: &Asked) -> Asked {
    let mut asked = asked.clone();
    let is_loopback = asked.header("host").is_some_and(|host| host.starts_with("127.0.0.1"));
    if let (true, Some((_, rest))) = (is_loopback, asked.url.split_once("//127.0.0.1")) {
        let rest = rest.split_once('/').map_or("", |(_, rest)| rest).to_owned();
        let host = rest.split(['/', '?']).next().unwrap_or_default().to_owned();
        asked.url = format!("https://{rest}");
        asked.headers.retain(|(name, _)| name != "host");
        asked.headers.push(("host".to_owned(), host));
    }
    asked
}

fn google(key_file: &str, written: Written) -> Google {
    let mut project = Project::new(&written.id, &written.access_token);
    if !written.regions.is_empty() {
        project.regions = written.regions;
    }
    project.silent = written.silent;
    project.page = written.page.unwrap_or(project.page);
    project.client = written.client.map(|(id, secret)| Client { id, secret });
    for (region, name, given) in &written.functions {
        project = project.with_function(region, name, given);
    }
    for (region, name, given) in &written.services {
        project = project.with_service(region, name, given);
    }
    for member in &written.viewers {
        project = project.viewer_and_invoker(member);
    }
    project.grants.extend(written.grants);
    written.hosts.iter().fold(Google::new(key_file, project), |google, (host, resource, audience, first)| {
        let function = if *first {
            Function::of_1st_gen(resource, audience, spoilable)
        } else {
            Function::on_cloud_run(resource, &[audience], spoilable)
        };
        google.function(host, function)
    })
}

/// An answer that a host could spoil: a rare status, a repeated header, and every byte there is; or at the path `/echo`
/// what was received, however much it is.
fn spoilable(called: &Called) -> Answer {
    let received: String =
        Sha256::digest(&called.asked.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-received", received.as_str())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let body =
        if called.asked.url.ends_with("/echo") { called.asked.body.clone() } else { (0..=255).collect() };
    Answer { status: 418, headers, body }
}

fn control(google: &Google, seen: &Mutex<Vec<Value>>, path: &str, asked: &Value) -> Answer {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    match path {
        "seen" => Answer::json(200, &json!(*seen.lock().unwrap_or_else(PoisonError::into_inner))),
        "unknown" => Answer::json(200, &json!(google.unknown())),
        "grants" => Answer::json(200, &json!(google.refresh_tokens())),
        "consent" => Answer::json(200, &json!(google.consent(text("url"), text("account")))),
        "stall" | "resume" => Answer::json(200, &json!({})),
        "know" => {
            google.know(text("token"), text("account"), text("scopes"), now());
            Answer::json(200, &json!({}))
        }
        _ => Answer::json(404, &json!({})),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
