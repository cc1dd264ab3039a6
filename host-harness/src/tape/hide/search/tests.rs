//! The work of a search; and a search for one secret judges as one for all of them.

use data_encoding::BASE64;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_search_for_one_secret_stops_at_the_first() {
    let tokens = b"ya29.a ".repeat((8 << 20) / 7);
    for text in [gzip(&tokens), BASE64.encode(&gzip(&tokens)).into_bytes()] {
        let mut budget = Budget::new(MOST);
        assert!(is_dirty(&mut Known::default(), &text, 3, &mut budget));
        let spent = MOST - budget.left();
        assert!(spent < 1 << 20, "{spent} bytes were decoded to find what stands in the first seven");
    }
}

#[test]
fn what_is_noted_comes_out_of_the_budget() {
    let text = BASE64.encode(&b"ya29.a ".repeat(100_000)).into_bytes();
    // Enough for the text from each place where Base64 may begin, and not for its secrets.
    let mut budget = Budget::new(5 * text.len());
    encoded(&mut Known::default(), &text, 1, &mut budget);
    assert!(budget.is_spent());
    let mut budget = Budget::of_text(text.len());
    let found = encoded(&mut Known::default(), &text, 1, &mut budget);
    assert_eq!((found.len(), found.first()), (1, Some(&(0..text.len()))));
    assert!(!budget.is_spent(), "an honest text has room");
}

#[test]
fn both_searches_judge_alike() {
    let mut known = Known::default();
    known.add("canary-1");
    known.add("acted:cookie");
    known.add("canary/Zq8+T3nB=1_x~47.Kd-9sWv");
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJtZSJ9.redacted";
    for (text, dirty) in [
        ("nothing", false),
        ("it is canary-1.", true),
        ("it is /Zq8+T3nB=1_x~47, a part", true),
        ("[redacted:cookie:1]", false),
        ("[redacted:cookie:1] and acted:cookie", true),
        (token, false),
        ("x[redacted:cookie:1]canary-1", true),
    ] {
        let marked = marks(&mut known, text.as_bytes()).iter().any(|mark| mark.what != What::Clean);
        let found = is_dirty(&mut known, text.as_bytes(), 0, &mut Budget::new(0));
        assert_eq!((marked, found), (dirty, dirty), "{text}");
    }
}
