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
        escape in "(%[0-9A-F]{2}){0,2}",
    ) {
        // A percent sign stands at the beginning of an escape, as in every URL that a client sends.
        let query = format!("{}{escape}", query.replace('%', ""));
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
        let record = |live: &LiveSecrets| {
            let answer = Fixed(vec![("content-type", media.to_owned()), ("x-a", header.clone())], answer.clone());
            let recorder = recorder(answer, live);
            run(send(&recorder, request("POST", "https://x.test/", &[("content-type", media)], &sent))).unwrap();
            recorder.tape()
        };
        // Where it was put nowhere, there is nothing to find.
        prop_assume!(is_text || matches!(place, 2 | 3));
        let (tape, careless) = (record(&live), record(&LiveSecrets::default()));
        prop_assert!(carries(&careless, &bytes), "the search is blind to {text:?} in {}", careless.to_json());
        prop_assert!(!carries(&tape, &bytes), "{}", tape.to_json());
        prop_assert!(!holds(tape.to_json().as_bytes(), &secret), "{}", tape.to_json());
    }
}

/// Tells whether a tape carries these bytes, which hold the secret in whatever encodings: in a header or in a body, as an
/// application would read them. What was hidden is known, so nothing has to be decoded to find it.
fn carries(tape: &Tape, bytes: &[u8]) -> bool {
    let found = |text: &[u8]| text.windows(bytes.len()).any(|window| window == bytes);
    let mut texts = Vec::new();
    for interaction in tape.interactions() {
        let (request, response) = (interaction.request(), interaction.response().unwrap());
        texts.push(request.url().as_bytes().to_vec());
        let headers = response.headers().iter();
        texts.extend(headers.map(|(_, value)| value.clone().into_bytes()));
        for body in [request.body(), response.body()].into_iter().flatten() {
            let plain = body.to_bytes();
            // An application reads the text of JSON, not its escapes.
            if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&plain) {
                texts.extend(json["a"][0].as_str().map(|text| text.as_bytes().to_vec()));
            }
            texts.push(plain.to_vec());
        }
    }
    texts.iter().any(|text| found(text))
}

fn encode(encoding: usize, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        0 => STANDARD.encode(bytes).into_bytes(),
        1 => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        2 => bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        3 => bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        // JSON escapes characters; bytes that are none go into it in Base64.
        4 => match std::str::from_utf8(bytes) {
            Ok(text) => text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect(),
            Err(_) => STANDARD.encode(bytes).into_bytes(),
        },
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
