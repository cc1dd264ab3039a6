//! The properties of any exchange: it comes back from its file as it was, and no secret survives in any
//! encoding.

use std::{io::Write as _, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use proptest::prelude::*;

use super::{body, request, send};
use crate::{
    tape::{LiveSecrets, Provenance, ProvenanceKind, Recorder, Replay, Tape},
    transport::{Body, Sending, Timeouts, Transport},
};

/// Gives one answer.
#[derive(Debug)]
struct Fixed(Vec<(&'static str, String)>, Bytes);

impl Transport for Fixed {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let mut response = http::Response::new(body(self.1.clone()));
        for (name, value) in &self.0 {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn recorder(answer: Fixed, live: &LiveSecrets) -> Recorder {
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    let tape = Tape::new(provenance, std::time::Duration::from_secs(1_772_366_400), 7);
    Recorder::new(Arc::new(answer), "", tape).knowing(live.clone())
}

const MEDIA: [&str; 4] = ["application/json", "text/plain", "application/octet-stream", ""];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_exchange_comes_back_as_it_was(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]),
        path in "(/[a-z]{1,5}){1,3}",
        query in "([a-z]=[a-z0-9%+]{0,3}&){0,3}",
        sent in "[ -~]{0,30}",
        media in prop::sample::select(MEDIA.to_vec()),
        answer in prop::collection::vec(any::<u8>(), 0..40),
        answer_media in prop::sample::select(MEDIA.to_vec()),
        x in "[!-~]{0,10}",
    ) {
        let query = query.replace('%', "");
        let url = format!("https://x.test{path}?{query}");
        let headers = [("content-type", media)];
        let again = || request(method, &url, &headers, &sent);
        let headers = vec![("content-type", answer_media.to_owned()), ("x-a", x.clone()), ("x-a", "2".to_owned())];
        let recorder = recorder(Fixed(headers, answer.clone().into()), &LiveSecrets::default());
        let first = run(send(&recorder, again())).unwrap();
        prop_assert_eq!(first.body(), &answer);
        let tape = Tape::from_json(&recorder.tape().to_json()).unwrap();
        prop_assert_eq!(&tape, &recorder.tape());
        let replay = Replay::new(tape.clone());
        let second = run(send(&replay, again())).unwrap();
        replay.finish().unwrap();
        prop_assert_eq!(second.body(), first.body());
        prop_assert_eq!(second.headers(), first.headers());
        let recorder = Recorder::new(Arc::new(Replay::new(tape.clone())), "", tape.emptied());
        run(send(&recorder, again())).unwrap();
        prop_assert_eq!(recorder.tape().to_json(), tape.to_json());
    }

    #[test]
    fn no_secret_survives_in_any_encoding(
        secret in "[A-Za-z0-9/+._~-]{12,40}",
        before in "[a-z {\":&=]{0,9}",
        after in "[a-z }\",&=]{0,9}",
        encodings in prop::collection::vec(0..6_usize, 0..3),
        place in 0..5_usize,
    ) {
        let live = LiveSecrets::default();
        live.add(&secret);
        let mut bytes = secret.clone().into_bytes();
        for encoding in encodings {
            bytes = encode(encoding, &bytes);
        }
        let hidden = [before.as_bytes(), &bytes, after.as_bytes()].concat();
        let text = String::from_utf8_lossy(&hidden).into_owned();
        let is_text = std::str::from_utf8(&hidden).is_ok();
        let json = serde_json::json!({"a": [text]}).to_string();
        let header = if is_text { text.replace(['\n', '\r'], "") } else { String::new() };
        let (sent, media, answer) = match place {
            0 => (json.clone(), "application/json", Bytes::from("x")),
            1 => (String::new(), "application/json", json.clone().into()),
            2 => (String::new(), "application/octet-stream", hidden.clone().into()),
            3 => (if is_text { text.clone() } else { String::new() }, "text/plain", Bytes::from(hidden.clone())),
            _ => (String::new(), "text/plain", Bytes::from("x")),
        };
        let recorder = recorder(Fixed(vec![("content-type", media.to_owned()), ("x-a", header)], answer), &live);
        let request = request("POST", "https://x.test/", &[("content-type", media)], &sent);
        run(send(&recorder, request)).unwrap();
        let tape = recorder.tape();
        prop_assert!(!holds(tape.to_json().as_bytes(), &secret), "{}", tape.to_json());
        for interaction in tape.interactions() {
            let body = interaction.response().unwrap().body().map(|body| body.to_bytes()).unwrap_or_default();
            prop_assert!(!holds(&body, &secret));
        }
    }
}

fn encode(encoding: usize, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        0 => STANDARD.encode(bytes).into_bytes(),
        1 => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        2 => bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        3 => bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        4 => bytes.iter().flat_map(|byte| format!("\\u{:04x}", u16::from(*byte)).into_bytes()).collect(),
        _ => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap()
        }
    }
}

/// Tells whether the secret is there in any of its single encodings, wherever it stands.
fn holds(text: &[u8], secret: &str) -> bool {
    let mut forms: Vec<Vec<u8>> = (0..5).map(|encoding| encode(encoding, secret.as_bytes())).collect();
    forms.push(secret.as_bytes().to_vec());
    for before in 0..3 {
        let padded = [&[0; 2][..before], secret.as_bytes()].concat();
        let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        forms.push(STANDARD.encode(&padded).into_bytes()[first..last].to_vec());
    }
    forms.iter().any(|form| text.windows(form.len()).any(|window| window == form.as_slice()))
}
