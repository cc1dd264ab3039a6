//! A Google on loopback that answers from memory, in a process of its own: it must never be what is measured, and memory
//! that one thread gives back interrupts every other of its process.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use gcf_google::{Key, Mask};
use http::{Method, Request, Response, header::HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::machine;

/// The project of the connection.
pub(crate) const PROJECT: &str = "demo-project";
/// The host of the function.
pub(crate) const FUNCTION: &str = "hello-abc123-uc.a.run.app";
/// The key file of the service account that signs in.
pub(crate) const KEY: &str = include_str!("../../tests/fixtures/demo-key.json");

const APIS: [&str; 3] = ["oauth2.googleapis.com", "cloudfunctions.googleapis.com", "run.googleapis.com"];

/// The server, until this is dropped.
pub(crate) struct Google {
    address: SocketAddr,
    process: Child,
}

type Pages = BTreeMap<(usize, Option<String>), Vec<Bytes>>;

/// All that it answers with, made before it is asked.
struct Answers {
    key: Key,
    functions: Vec<Value>,
    /// By size and field mask, each made when it is first asked for: a warm-up asks for all of them.
    pages: Mutex<Pages>,
    /// As long as the longest that is asked for.
    text: Bytes,
}

impl Google {
    /// Starts it, with so many functions.
    pub(crate) fn start(functions: usize) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["google", &functions.to_string()]);
        // It ends with its input, however this process ends.
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.expect("the server starts");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut address).expect("it says where it is");
        Self { address: address.trim_end().parse().expect("an address"), process }
    }

    /// The address, for clients that are told one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The rules by which a host sends to it what is meant for Google.
    pub(crate) fn origins(&self) -> Vec<String> {
        let address = self.address;
        APIS.iter().chain([&FUNCTION]).map(|host| format!("https://{host}=http://{address}")).collect()
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until its input ends.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let functions = arguments.next().and_then(|number| number.parse().ok()).expect("how many functions");
    machine::stay_on(1);
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answers = Arc::new(Answers::new(functions));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        serve(listener, answers).await;
    });
    ExitCode::SUCCESS
}

async fn serve(listener: TcpListener, answers: Arc<Answers>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it a small answer waits for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&answers), request));
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .max_buf_size(1 << 20)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    answers: Arc<Answers>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let query = |name: &str| {
        let url = url::Url::parse(&format!("http://x{}", parts.uri)).ok()?;
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    let answer = match (host.as_str(), &parts.method) {
        ("oauth2.googleapis.com", &Method::POST) => {
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            answers.token(&body)
        }
        ("cloudfunctions.googleapis.com", &Method::GET) if path.ends_with("/functions") => {
            answers.page(query("pageSize"), query("pageToken"), query("fields"))
        }
        ("run.googleapis.com", &Method::GET) if path.ends_with("/services") => Bytes::from_static(
            br#"{"apiVersion":"serving.knative.dev/v1","kind":"ServiceList","metadata":{}}"#,
        ),
        // Whatever is no API is the function.
        (host, _) if !APIS.contains(&host) => {
            let _ = read(body).await;
            match path.strip_prefix("/bytes/").and_then(|length| length.parse::<usize>().ok()) {
                Some(length) => answers.text.slice(..length),
                None => Bytes::from_static(br#"{"ok":true}"#),
            }
        }
        _ => {
            eprintln!("nobody answers {} {host}{}", parts.method, parts.uri);
            return Ok(Response::builder().status(404).body(Full::default()).expect("a response"));
        }
    };
    let content_type = if path.starts_with("/bytes/") {
        "text/plain; charset=utf-8"
    } else {
        "application/json; charset=UTF-8"
    };
    Ok(Response::builder()
        .header("content-type", content_type)
        .header("server", "Google Frontend")
        .header("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000;o=1")
        .body(Full::new(answer))
        .expect("a response"))
}

/// Reads a body and keeps nothing of it.
async fn read(mut body: Incoming) -> usize {
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        length += frame.data_ref().map_or(0, Bytes::len);
    }
    length
}

impl Answers {
    fn new(functions: usize) -> Self {
        Self {
            key: Key::read(KEY),
            functions: (0..functions).map(function).collect(),
            pages: Mutex::default(),
            text: Bytes::from(vec![b'x'; 10 << 20]),
        }
    }

    fn pages_of(&self, size: usize, fields: Option<&str>) -> Vec<Bytes> {
        let mask = fields.map(|fields| Mask::parse(fields).expect("a field mask"));
        let last = self.functions.len().div_ceil(size);
        let page = |(n, functions): (usize, &[Value])| {
            let mut page = json!({"functions": functions});
            if n + 1 < last {
                page["nextPageToken"] = json!((n + 1).to_string());
            }
            Bytes::from(mask.as_ref().map_or_else(|| page.clone(), |mask| mask.apply(&page)).to_string())
        };
        self.functions.chunks(size).enumerate().map(page).collect()
    }

    fn page(&self, size: Option<String>, token: Option<String>, fields: Option<String>) -> Bytes {
        let size = size.and_then(|size| size.parse().ok()).unwrap_or(1000);
        let number = token.and_then(|token| token.parse::<usize>().ok()).unwrap_or_default();
        let mut pages = self.pages.lock().expect("nobody panics here");
        let of_mask =
            pages.entry((size, fields.clone())).or_insert_with(|| self.pages_of(size, fields.as_deref()));
        of_mask.get(number).cloned().unwrap_or_else(|| Bytes::from_static(b"{}"))
    }

    /// A token for an assertion, as the token endpoint answers: whose `target_audience` is set asks for an ID token.
    fn token(&self, form: &[u8]) -> Bytes {
        let pairs = url::form_urlencoded::parse(form);
        let assertion = pairs.into_iter().find(|(name, _)| name == "assertion").map(|(_, value)| value);
        let claims = assertion.and_then(|text| self.key.claims(&text)).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let answer = match claims.get("target_audience") {
            Some(audience) => {
                let claims = json!({"aud": audience, "azp": claims["iss"], "email": claims["iss"],
                    "email_verified": true, "sub": "100000000000000000001"});
                json!({"id_token": self.key.mint(&claims, now)})
            }
            None => {
                let token = format!("ya29.c.{}", "a".repeat(1000));
                json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
            }
        };
        Bytes::from(answer.to_string())
    }
}

/// A function of the 2nd gen, with what the Cloud Functions API says of one that was deployed from source
/// (<https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions>).
fn function(n: usize) -> Value {
    let name = format!("function-{n:05}");
    let build = "1f9bbd26-4d09-4b3c-9d6f-4a7b3b1c0e55";
    let object = json!({"bucket": "gcf-v2-sources-123456789012-us-central1",
        "object": format!("{name}/function-source.zip"), "generation": "1721721721721721"});
    json!({
        "name": format!("projects/{PROJECT}/locations/us-central1/functions/{name}"),
        "buildConfig": {
            "build": format!("projects/123456789012/locations/us-central1/builds/{build}"),
            "runtime": "nodejs20",
            "entryPoint": "helloHttp",
            "source": {"storageSource": object},
            "dockerRepository":
                format!("projects/{PROJECT}/locations/us-central1/repositories/gcf-artifacts"),
            "sourceProvenance": {"resolvedStorageSource": object},
            "dockerRegistry": "ARTIFACT_REGISTRY",
            "serviceAccount": format!("projects/{PROJECT}/serviceAccounts/123456789012-compute@developer.gserviceaccount.com"),
            "automaticUpdatePolicy": {},
        },
        "serviceConfig": {
            "service": format!("projects/{PROJECT}/locations/us-central1/services/{name}"),
            "timeoutSeconds": 60,
            "maxInstanceCount": 100,
            "ingressSettings": "ALLOW_ALL",
            "uri": format!("https://{name}-abc123abcd-uc.a.run.app"),
            "serviceAccountEmail": "123456789012-compute@developer.gserviceaccount.com",
            "availableMemory": "256M",
            "allTrafficOnLatestRevision": true,
            "revision": format!("{name}-00001-doy"),
            "maxInstanceRequestConcurrency": 1,
            "availableCpu": "0.1666",
            "environmentVariables": {"LOG_EXECUTION_ID": "true"},
        },
        "state": "ACTIVE",
        "updateTime": "2026-07-23T08:01:12.345678901Z",
        "labels": {"deployment-tool": "cli-gcloud", "team": "payments"},
        "environment": "GEN_2",
        "url": format!("https://us-central1-{PROJECT}.cloudfunctions.net/{name}"),
        "createTime": "2026-07-23T08:00:12.345678901Z",
        "satisfiesPzi": true,
    })
}
