//! The requests that are sent again, and those that are not.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use gcf_host::wit::FunctionRef;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::{Row, Stage, kebab, one_request};
use crate::fixtures::{invoke_request, refused, scripted::Answer};

/// A call, and the answers to it in their order; a row that asks for time does so in the first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Script {
    call: Call,
    answers: Vec<u16>,
    /// The `Retry-After`, in seconds.
    retry_after: Option<u32>,
    /// A `google.rpc.RetryInfo`, as JSON has it.
    retry_info: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Call {
    List,
    Invoke,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    /// The outcome is shown by another test: FILE::NAME.
    Elsewhere {
        test: String,
    },
    Here(Sent),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sent {
    requests: usize,
    /// Requests to the token endpoint besides.
    tokens: usize,
    /// The status that the function answered with, in the end.
    status: Option<u16>,
    /// The error in place of an answer.
    error: Option<String>,
    /// The least time of the wait.
    wait_ms: Option<u64>,
}

pub(super) async fn run(row: Row) {
    match row.expected() {
        Expected::Elsewhere { test } => {
            let (file, name) = test.split_once("::").unwrap();
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            let source = std::fs::read_to_string(file).unwrap();
            assert!(source.contains(&format!("fn {name}(")), "there is no {test}");
        }
        Expected::Here(expected) => send(row.input(), expected).await,
    }
}

async fn send(script: Script, expected: Sent) {
    let call = script.call;
    let count = AtomicUsize::new(0);
    let stage = Stage::new(move |_| script.answer(count.fetch_add(1, Ordering::Relaxed))).await;
    let Stage { host, network, id } = stage;
    let began = Instant::now();
    let outcome = match call {
        Call::List => host.list_functions(&id, one_request(), None).await.map(|_| None),
        Call::Invoke => {
            let request = invoke_request(FunctionRef::Url("https://fn-abc-uc.a.run.app".to_owned()));
            host.invoke(&id, request, None).await.map(|answer| Some(answer.status))
        }
    };
    let waited = began.elapsed();
    let (tokens, requests): (Vec<_>, Vec<_>) =
        network.take().into_iter().partition(|sent| sent.url == "https://oauth2.googleapis.com/token");
    assert_eq!((requests.len(), tokens.len()), (expected.requests, expected.tokens));
    assert!(waited >= Duration::from_millis(expected.wait_ms.unwrap_or_default()), "{waited:?}");
    match expected.error {
        Some(kind) => assert_eq!(kebab(refused(outcome).kind), kind),
        None => assert_eq!(outcome.unwrap(), expected.status),
    }
}

impl Script {
    fn answer(&self, number: usize) -> Answer {
        let Some(&status) = self.answers.get(number) else { panic!("there is no answer {}", number + 1) };
        let body = match &self.retry_info {
            Some(delay) if number == 0 => json!({"error": {"details": [
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}}),
            Some(_) | None => json!({}),
        };
        let answer = Answer::from((status, body));
        match self.retry_after {
            Some(seconds) if number == 0 => answer.with("retry-after", &seconds.to_string()),
            Some(_) | None => answer,
        }
    }
}
