//! Ways in which a secret could get past the search: in parts, and in encodings that others write. The
//! encoders are not those of the search: the standard library, `data-encoding`, and what the standards show.

use std::fmt::Write as _;

use data_encoding::{BASE64, BASE64_MIME, BASE64URL_NOPAD, HEXLOWER, HEXUPPER, Specification};
use serde_json::{Value, json};

use super::{recording::InPieces, request, send, tape};
use crate::tape::{LiveSecrets, RecordedBody, Recorder, Redactor, Tape, TapeError};

/// A secret that no shape tells.
const SECRET: &str = "canary/Zq8+T3nB=1_x~47.Kd-9sWv";

/// The recording of this answer.
async fn recorded(media: &'static str, answer: &[u8], live: &[&str]) -> Tape {
    let secrets = LiveSecrets::default();
    live.iter().for_each(|secret| secrets.add(secret));
    let function = InPieces(vec![("content-type", media)], answer.to_vec());
    let recorder = Recorder::new(std::sync::Arc::new(function), "", tape(json!([]))).knowing(secrets);
    send(&recorder, request("GET", "https://f.run.app/", &[], "")).await.unwrap();
    recorder.tape()
}

fn body(tape: &Tape) -> Vec<u8> {
    tape.interactions()[0].response().unwrap().body().map(RecordedBody::to_bytes).unwrap_or_default().to_vec()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The text with each character in this form.
fn each(text: &str, form: impl Fn(u8) -> String) -> Vec<u8> {
    text.bytes().map(form).collect::<String>().into_bytes()
}

/// Base64 in lines of 76 characters, as mail has it.
fn in_lines(text: &[u8], end: &str) -> Vec<u8> {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    specification.padding = Some('=');
    specification.wrap.width = 76;
    specification.wrap.separator.push_str(end);
    specification.encoding().unwrap().encode(text).into_bytes()
}

/// The text by RFC 2045, section 6.7: lines of at most 76 characters, and every special one as `=` and two
/// digits.
fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = String::new();
    let mut column = 0;
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/+_~.-".contains(&byte);
        let form = if plain { char::from(byte).to_string() } else { format!("={byte:02X}") };
        if column + form.len() > 75 {
            out += "=\r\n";
            column = 0;
        }
        column += form.len();
        out += &form;
    }
    out.into_bytes()
}

fn spelled(encoding: &str) -> Vec<u8> {
    // The end of a line of 76 letters falls into the middle of it.
    let long =
        format!("For sixty days nobody had a word of this: {SECRET} and now they all have, have they not?");
    match encoding {
        "Base64" => BASE64.encode(long.as_bytes()).into(),
        "Base64 for URLs" => BASE64URL_NOPAD.encode(long.as_bytes()).into(),
        "Base64 in lines of mail" => BASE64_MIME.encode(long.as_bytes()).into(),
        "Base64 in lines of a file" => in_lines(long.as_bytes(), "\n"),
        "Base64 in lines of YAML" => in_lines(long.as_bytes(), "\n      "),
        "Base64 in lines, in JSON" => BASE64_MIME.encode(long.as_bytes()).replace("\r\n", "\\r\\n").into(),
        "Base64 of Base64 in lines" => BASE64.encode(&in_lines(long.as_bytes(), "\r\n")).into(),
        "hexadecimal" => HEXLOWER.encode(SECRET.as_bytes()).into(),
        "hexadecimal in capitals" => HEXUPPER.encode(SECRET.as_bytes()).into(),
        "with colons" => each(SECRET, |byte| format!("{byte:02X}:")),
        "with spaces" => each(SECRET, |byte| format!("{byte:02x} ")),
        "as a dump" => each(SECRET, |byte| format!("0x{byte:02x}, ")),
        "in lines of a dump" => SECRET
            .as_bytes()
            .chunks(8)
            .fold(String::new(), |all, line| all + &HEXLOWER.encode(line) + "\n")
            .into(),
        "UTF-16, little end first" => SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16, big end first" => SECRET.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "UTF-32" => SECRET.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        "UTF-16 in Base64" => {
            BASE64.encode(&SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).into()
        }
        "percent signs" => each(SECRET, |byte| format!("%{byte:02X}")),
        "percent signs, twice" => each(SECRET, |byte| format!("%25{byte:02x}")),
        "octal" => each(SECRET, |byte| format!("\\{byte:03o}")),
        "\\x" => each(SECRET, |byte| format!("\\x{byte:02x}")),
        "\\u" => each(SECRET, |byte| format!("\\u{byte:04x}")),
        "\\u{}" => each(SECRET, |byte| format!("\\u{{{byte:x}}}")),
        "\\U" => each(SECRET, |byte| format!("\\U{byte:08X}")),
        "decimal references" => each(SECRET, |byte| format!("&#{byte};")),
        "hexadecimal references" => each(SECRET, |byte| format!("&#x{byte:X};")),
        "named references" => SECRET
            .replace('/', "&sol;")
            .replace('+', "&plus;")
            .replace('=', "&equals;")
            .replace('_', "&lowbar;")
            .into(),
        "quoted-printable" => quoted_printable(&format!("{}{SECRET}{}", "x".repeat(60), "y".repeat(60))),
        "quoted-printable, every character" => each(SECRET, |byte| format!("={byte:02X}")),
        other => panic!("{other}"),
    }
}

const ENCODINGS: [&str; 29] = [
    "Base64",
    "Base64 for URLs",
    "Base64 in lines of mail",
    "Base64 in lines of a file",
    "Base64 in lines of YAML",
    "Base64 in lines, in JSON",
    "Base64 of Base64 in lines",
    "hexadecimal",
    "hexadecimal in capitals",
    "with colons",
    "with spaces",
    "as a dump",
    "in lines of a dump",
    "UTF-16, little end first",
    "UTF-16, big end first",
    "UTF-32",
    "UTF-16 in Base64",
    "percent signs",
    "percent signs, twice",
    "octal",
    "\\x",
    "\\u",
    "\\u{}",
    "\\U",
    "decimal references",
    "hexadecimal references",
    "named references",
    "quoted-printable",
    "quoted-printable, every character",
];

#[tokio::test]
async fn a_secret_that_is_spelled_otherwise_stays_off_the_tape() {
    let mut missed = Vec::new();
    for encoding in ENCODINGS {
        let form = spelled(encoding);
        // So much that what is left around it cannot be it.
        let core = form[form.len() / 2 - 6..][..12].to_vec();
        let answer = [b"it is ", &form[..], b" indeed"].concat();
        let json = json!({ "it": [String::from_utf8_lossy(&answer)] }).to_string().into_bytes();
        for (media, answer) in
            [("text/plain", &answer), ("application/octet-stream", &answer), ("application/json", &json)]
        {
            let unknown = recorded(media, answer, &[]).await;
            assert_eq!(body(&unknown), *answer, "nobody has said that it is a secret");
            let known = recorded(media, answer, &[SECRET]).await;
            let shown = String::from_utf8_lossy(&body(&known)).into_owned();
            if !shown.contains("[redacted:") || contains(shown.as_bytes(), &core) {
                missed.push((encoding, media));
            }
            assert!(Tape::scan(&known.to_json()).unwrap().is_empty());
        }
    }
    assert!(missed.is_empty(), "these are still there: {missed:#?}");
}

#[tokio::test]
async fn what_stands_around_an_encoded_secret_stays() {
    for encoding in
        ["with colons", "Base64 in lines of mail", "octal", "decimal references", "quoted-printable"]
    {
        let answer = [b"before ", &spelled(encoding)[..], b" after"].concat();
        let shown = body(&recorded("text/plain", &answer, &[SECRET]).await);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{encoding}: {shown}");
    }
}

#[tokio::test]
async fn sixteen_bytes_of_a_secret_are_one() {
    const LONG: &str = "k3Vw9QzR7bTn1LxYp5Hd8MfGc2JsA6";
    for start in 0..=LONG.len() - 16 {
        let part = &LONG[start..][..16];
        let shown = body(&recorded("text/plain", format!("<{part}>").as_bytes(), &[LONG]).await);
        assert_eq!(String::from_utf8_lossy(&shown), "<[redacted:secret:1]>");
        let encoded = format!("<{}>", BASE64.encode(part.as_bytes()));
        let shown = body(&recorded("text/plain", encoded.as_bytes(), &[LONG]).await);
        assert!(shown.starts_with(b"<[redacted:encoded:1]"), "{encoded}");
        // One less could be anybody's.
        let short = format!("<{}>", &part[..15]);
        assert_eq!(body(&recorded("text/plain", short.as_bytes(), &[LONG]).await), short.as_bytes());
    }
}

/// The token, and its signature as it stands there.
fn token(signature: &str) -> (String, String) {
    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signature = BASE64URL_NOPAD.encode(signature.as_bytes());
    let token = format!(
        "{}.{}.{signature}",
        part(json!({"alg": "RS256", "typ": "JWT"})),
        part(json!({"iss": "https://accounts.google.com", "aud": "https://f.run.app", "sub": "1234567890"}))
    );
    (token, signature)
}

#[tokio::test]
async fn the_parts_of_a_token_are_masked_by_themselves() {
    let (token, signature) = token("canary signature of a token");
    let claims = token.split('.').nth(1).unwrap();
    for part in [signature.as_str(), &signature[..16], claims] {
        for (media, answer) in [
            ("text/plain", format!("it is {part}.")),
            ("application/json", json!({ "sig": part }).to_string()),
            ("text/plain", format!("it is {}.", BASE64.encode(part.as_bytes()))),
            ("text/plain", part.chars().rev().collect::<String>()),
        ] {
            let reversed = answer.chars().rev().eq(part.chars());
            let shown = body(&recorded(media, answer.as_bytes(), &[&token]).await);
            // A control: a text that is not part of it is not taken for one.
            assert_eq!(shown == answer.as_bytes(), reversed, "{answer}");
        }
    }
    // The part that all tokens have in common says nothing.
    let header = token.split('.').next().unwrap();
    assert_eq!(body(&recorded("text/plain", header.as_bytes(), &[&token]).await), header.as_bytes());
}

/// The store never had it: it is told by its shape, where it is whole.
#[test]
fn a_signature_is_masked_wherever_its_token_was_seen() {
    let (token, signature) = token("canary signature of a token");
    let mut redactor = Redactor::thorough();
    let shown = redactor.text(&format!("{signature} and {token} and {signature}"));
    assert_eq!(shown.matches("[redacted:secret:1]").count(), 2, "{shown}");
    assert!(!shown.contains(&signature), "{shown}");
    let exchange = |answer: &str| json!({"request": {"method": "GET", "url": "https://x.test/"}, "response": {"status": 200, "body": {"text": answer}}});
    let both = tape(json!([exchange(&signature), exchange(&token)]));
    assert!(!both.to_json().contains(&signature), "whichever comes first");
}

#[tokio::test]
async fn a_token_in_lines_is_told_by_its_shape() {
    let (token, _) = token("canary signature of a token");
    for end in ["\r\n", "\n", "\n\t"] {
        let answer = in_lines(format!("Authorization: Bearer {token}\r\n").as_bytes(), end);
        let shown = body(&recorded("text/plain", &answer, &[]).await);
        assert_eq!(shown.trim_ascii(), b"[redacted:encoded:1]");
    }
}

#[test]
fn a_path_stays_one_when_a_segment_is_masked() {
    let live = LiveSecrets::default();
    live.add(SECRET);
    let mut redactor = Redactor::thorough();
    redactor.know(live);
    let url = redactor.url(&format!("https://x.test/{}?a=b", BASE64URL_NOPAD.encode(SECRET.as_bytes())));
    assert_eq!(url, "https://x.test/[redacted:encoded:1]?a=b");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

/// With a search whose time grows with the square of its text, each of these takes minutes or hours.
#[test]
fn a_search_ends_whatever_is_searched() {
    let tokens = (0..20_000).fold(String::new(), |mut all, n| {
        let _ = write!(all, "ya29.{n:08} ");
        all
    });
    for text in [
        b"eyJ".repeat(100_000),
        [b"eyJ".repeat(50_000), b".a.b".to_vec()].concat(),
        b"[redacted:".repeat(20_000),
        b"-----BEGIN ".repeat(20_000),
        b"1//".repeat(50_000),
        [0x1f, 0x8b, 8, 0x1f].repeat(50_000),
        tokens.into_bytes(),
    ] {
        for mut redactor in [Redactor::default(), Redactor::thorough()] {
            let shown = redactor.bytes(&text);
            assert!(!shown.is_empty());
            redactor.reserve(&String::from_utf8_lossy(&text));
        }
    }
}

#[tokio::test]
async fn what_takes_too_long_to_look_into_is_left_out() {
    let bomb = gzip(&vec![0; 32 << 20]);
    let left_out = b"[redacted:unsearched:1]";
    assert_eq!(body(&recorded("application/octet-stream", &gzip(&bomb), &[]).await), left_out);
    // Many small ones in one body have one bound for all of them.
    let small = BASE64.encode(&gzip(&[0; 50_000]));
    let answer = json!(vec![small; 1_000]).to_string();
    let shown = String::from_utf8(body(&recorded("application/json", answer.as_bytes(), &[]).await)).unwrap();
    assert!(shown.contains("[redacted:unsearched:1]"), "{}", &shown[..200]);
    // An answer that is compressed in an ordinary way is looked into.
    let answer = gzip(json!(vec!["nothing"; 1_000]).to_string().as_bytes());
    assert_eq!(body(&recorded("application/gzip", &answer, &[]).await), answer);
}

/// As much as is ever learned of the values of answers.
#[tokio::test]
async fn one_answer_leaves_room_for_what_is_sent_and_for_signatures() {
    let (token, signature) = token("canary signature of a token");
    let mut password = String::new();
    while password.len() < 256 << 10 {
        let _ = write!(password, "{:08x}", password.len());
    }
    let long =
        json!({"a_password": password, "echo": "so canary-sent-0123 it is", "token": token, "z": signature});
    let signatures = json!({"echo": "so canary-sent-0123 it is", "a": (0..8_000).map(|n| {
        token_of(&format!("{n:032}"))
    }).collect::<Vec<_>>()});
    for answer in [long, signatures] {
        let function = InPieces(vec![("content-type", "application/json")], answer.to_string().into());
        let recorder = Recorder::new(std::sync::Arc::new(function), "", tape(json!([])));
        for headers in [&[][..], &[("authorization", "Bearer canary-sent-0123")]] {
            send(&recorder, request("GET", "https://f.run.app/", headers, "")).await.unwrap();
        }
        let tape = recorder.tape();
        let shown = String::from_utf8(
            tape.interactions()[1].response().unwrap().body().map(RecordedBody::to_bytes).unwrap().to_vec(),
        )
        .unwrap();
        assert!(!shown.contains("canary-sent"), "{}", &shown[..200]);
        assert!(!shown.contains(&signature), "{shown}");
    }
}

fn token_of(signature: &str) -> String {
    token(signature).0
}

/// A secret that is not known cannot be kept off a tape.
#[tokio::test]
async fn more_secrets_than_are_looked_for_are_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    for (length, fits) in [(1 << 20, true), (3 << 20, false)] {
        let secrets = LiveSecrets::default();
        secrets.add(&SECRET.repeat(length / SECRET.len()));
        let function = InPieces(vec![("content-type", "text/plain")], b"an answer of some length".to_vec());
        let recorder = Recorder::new(std::sync::Arc::new(function), &path, tape(json!([]))).knowing(secrets);
        send(&recorder, request("GET", "https://f.run.app/", &[], "")).await.unwrap();
        let shown = body(&recorder.tape());
        assert_eq!(shown == b"an answer of some length", fits);
        match recorder.finish() {
            Ok(()) => assert!(fits && path.exists()),
            Err(error) => assert!(!fits && matches!(error, TapeError::TooManySecrets), "{error}"),
        }
        let _ = std::fs::remove_file(&path);
    }
}

/// JSON that is laid out in a way of its own is searched as text, so its fields may hide what the text does not show. The
/// escapes are those of RFC 8259, section 7; the reader is serde_json.
#[tokio::test]
async fn json_hides_nothing_from_a_search_through_its_text() {
    let letters: String = SECRET.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let slashes = SECRET.replace('/', "\\/");
    let encoded = BASE64.encode("???>>>".repeat(3).as_bytes()) + &BASE64.encode(SECRET.as_bytes());
    assert!(encoded.contains('/'));
    let encoded = encoded.replace('/', "\\/");
    for (text, hidden) in [
        (format!("{{\n \"a\": \"{letters}\"}}"), SECRET),
        (format!("{{\n \"{letters}\": 1}}"), SECRET),
        (format!("[\n \"{slashes}\"]"), SECRET),
        (format!("[\n [\"\\n{encoded}\"]]"), "Y2FuYXJ5"),
        ("{\n \"client_secret\": \"told by its name\"}".to_owned(), "told by its name"),
        ("{\n \"password\": [[\"told by its name\"]]}".to_owned(), "told by its name"),
    ] {
        assert_ne!(serde_json::from_str::<Value>(&text).unwrap().to_string(), text, "it is laid out");
        for media in ["application/json", "text/plain"] {
            let tape = recorded(media, text.as_bytes(), &[SECRET]).await;
            let kept = body(&tape);
            let read: Value = serde_json::from_slice(&kept).unwrap();
            assert!(!contains(read.to_string().as_bytes(), hidden.as_bytes()), "{media} {text}: {read}");
        }
    }
    let clean = "{\n \"a\": \"\\u0041 line\\nand an \\/\", \"client_secret\": \"\"}";
    assert_eq!(body(&recorded("application/json", clean.as_bytes(), &[SECRET]).await), clean.as_bytes());
}
