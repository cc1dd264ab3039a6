//! Servers on loopback, started and stopped: by the programs that `GCF_ETCD` and `GCF_BAO` name.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::tls::Authority;

/// A server, which ends with the test.
pub(crate) struct Server {
    program: String,
    arguments: Vec<String>,
    /// A part of the line by which it says that it is ready.
    ready: &'static str,
    pub(crate) address: String,
    running: Option<Child>,
    pub(crate) folder: TempDir,
}

impl Server {
    /// etcd, with an empty folder.
    pub(crate) fn etcd() -> Self {
        Self::etcd_at("http", TempDir::new().unwrap(), &[])
    }

    /// The same over TLS.
    pub(crate) fn etcd_over_tls(authority: &Authority) -> Self {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (certificate, key) =
            (write("certificate.pem", &authority.certificate), write("key.pem", &authority.key));
        Self::etcd_at("https", folder, &["--cert-file", &certificate, "--key-file", &key])
    }

    fn etcd_at(scheme: &str, folder: TempDir, more: &[&str]) -> Self {
        let (address, peers) = (free_address(), free_address());
        let (clients, peers) = (format!("{scheme}://{address}"), format!("http://{peers}"));
        let data = folder.path().join("data");
        let arguments = [
            "--name",
            "one",
            "--data-dir",
            data.to_str().unwrap(),
            "--listen-client-urls",
            &clients,
            "--advertise-client-urls",
            &clients,
            "--listen-peer-urls",
            &peers,
            "--initial-advertise-peer-urls",
            &peers,
            "--initial-cluster",
            &format!("one={peers}"),
        ];
        let arguments = [&arguments[..], more].concat();
        Self::run(program("GCF_ETCD"), &arguments, "ready to serve client requests", address, folder)
    }

    /// OpenBao, with an empty storage, and sealed. What is kept on the disk outlives it; in memory it is there at once.
    pub(crate) fn bao(is_kept: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let configuration = folder.path().join("config.hcl");
        let storage = if is_kept {
            format!("storage \"raft\" {{ path = {data:?}\n node_id = \"one\" }}")
        } else {
            "storage \"inmem\" {}".to_owned()
        };
        let text = format!(
            "{storage}\nlistener \"tcp\" {{ address = \"{address}\"\n tls_disable = true }}\n\
             api_addr = \"http://{address}\"\ncluster_addr = \"http://{}\"\n",
            free_address(),
        );
        std::fs::write(&configuration, text).unwrap();
        let arguments = ["server", "-config", configuration.to_str().unwrap()];
        Self::run(program("GCF_BAO"), &arguments, "server started", address, folder)
    }

    fn run(
        program: String,
        arguments: &[&str],
        ready: &'static str,
        address: String,
        folder: TempDir,
    ) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Self { program, arguments, ready, address, running: None, folder };
        server.start();
        server
    }

    pub(crate) fn start(&mut self) {
        let mut command = Command::new(&self.program);
        // Of all that the environment says of such servers, nothing is meant for this one.
        command.env_clear().env("HOME", self.folder.path());
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (say, said) = mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let say = say.clone();
            // To its end: a server that nobody listens to stands still.
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = say.send(line);
                }
            });
        }
        drop(say);
        self.running = Some(child);
        let mut lines = Vec::new();
        loop {
            match said.recv_timeout(TO_START) {
                Ok(line) if line.contains(self.ready) => break,
                Ok(line) => lines.push(line),
                Err(_) => panic!("{} does not start:\n{}", self.program, lines.join("\n")),
            }
        }
        thread::spawn(move || said.iter().for_each(drop));
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the server something, as its operator: status and JSON.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(TO_START)).unwrap();
        let credential = if token.is_empty() { String::new() } else { format!("x-vault-token: {token}\r\n") };
        let (address, length) = (&self.address, body.len());
        write!(
            socket,
            "{method} {path} HTTP/1.0\r\nhost: {address}\r\n{credential}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}",
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// The same, where it has to work.
    pub(crate) fn tell(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, token, body);
        assert!(matches!(status, 200 | 204), "{method} {path}: {status} {answer}");
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} names no program: tests/stores/run.sh does"))
}

/// An address that was free just now.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A server that takes connections and never answers, for as long as the listener is held.
pub(crate) fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A server that gives everybody one answer.
pub(crate) fn answering(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&socket).lines().map_while(Result::ok);
            if lines.any(|line| line.is_empty()) {
                let length = body.len();
                let _ = write!(&socket, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
            }
        }
    });
    url
}

/// All bytes of all files in a folder.
pub(crate) fn all_bytes(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { all_bytes(&path) } else { std::fs::read(path).unwrap() })
        .collect()
}

/// Tells whether a text is among bytes.
pub(crate) fn is_in(text: &str, bytes: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// The time after which a server that should have started, or should have answered, never does.
pub(crate) const TO_START: Duration = Duration::from_secs(60);
