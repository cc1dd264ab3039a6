//! The program, as another one uses it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/demo-key.json");

#[test]
fn it_serves_a_project_until_its_input_ends() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strict-google"))
        .arg(KEY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let project =
        json!({"id": "demo-project", "access_token": "ya29.program", "viewers": ["ada@example.com"]});
    writeln!(stdin, "{project}").unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let ask = |method: &str, target: &str, headers: &str, body: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port.trim().parse().unwrap())).unwrap();
        let length = body.len();
        write!(stream, "{method} {target} HTTP/1.1\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str::<Value>(body).unwrap())
    };
    let known = json!({"token": "ya29.known", "account": "ada@example.com",
        "scopes": "https://www.googleapis.com/auth/cloud-platform"});
    ask("POST", "/know", "Host: control", &known.to_string());
    let locations = "/v2/projects/demo-project/locations";
    let host = "Host: cloudfunctions.googleapis.com";
    let (_, listed) = ask("GET", locations, &format!("{host}\r\nAuthorization: Bearer ya29.known"), "");
    assert_eq!(listed["locations"][0]["locationId"], "us-central1", "{listed}");
    let rerouted = format!("/cloudfunctions.googleapis.com{locations}");
    let (_, again) = ask("GET", &rerouted, "Host: 127.0.0.1:80\r\nAuthorization: Bearer ya29.known", "");
    assert_eq!(again, listed);
    let (head, _) = ask("GET", locations, &format!("{host}\r\nAuthorization: Bearer ya29.other"), "");
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let (_, seen) = ask("GET", "/seen", "Host: control", "");
    let each = json!(["cloudfunctions.googleapis.com", "GET", locations, ""]);
    assert_eq!(seen, json!([each, each, each]));
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
