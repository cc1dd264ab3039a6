use super::*;

#[test]
fn fields_are_read_by_type() {
    let json =
        br#"{"a": "\u00fc", "b": 1, "c": true, "d": ["x"], "e": {"z": "1", "y": "2"}, "f": null, "g": -1}"#;
    let object = read(json).unwrap();
    assert_eq!(object.text("a").unwrap(), Some("ü"));
    assert_eq!(object.number("b").unwrap(), Some(1));
    assert!(object.flag("c").unwrap());
    assert_eq!(object.texts("d").unwrap(), ["x"]);
    let pairs = object.pairs("e").unwrap();
    assert_eq!(pairs, [("y".to_owned(), "2".to_owned()), ("z".to_owned(), "1".to_owned())]);
    assert_eq!((object.text("f").unwrap(), object.text("absent").unwrap()), (None, None));
    assert!(matches!(object.get("g"), Some(Value::OtherNumber(-1.0))));
    for wrong in [object.text("b").map(drop), object.number("g").map(drop), object.texts("e").map(drop)] {
        assert!(matches!(wrong, Err(Unreadable::Field(_))));
    }
    assert!(matches!(object.required("f"), Err(Unreadable::Field("f"))));
}

#[test]
fn a_name_stands_once() {
    assert!(read(br#"{"a": 1, "a": 2}"#).is_err());
    assert!(read(br#"{"a": {"b": 1, "b": 1}}"#).is_err());
    let nested = br#"[{"a": 1}, {"b": [{"c": 1, "\u0063": 1}]}]"#;
    let Err(Unreadable::Twice(name)) = any(nested) else { panic!("it is read") };
    assert_eq!(name, "c");
    // The same name in two objects is no repetition.
    assert!(any(br#"[{"a": {"a": 1}}, {"a": 1}]"#).is_ok());
}

/// A few names are compared, and many sorted.
#[test]
fn a_name_is_found_again_wherever_it_stands() {
    for count in 2..=40 {
        for (first, second) in (0..count).flat_map(|second| (0..second).map(move |first| (first, second))) {
            let mut names: Vec<_> = (0..count).map(|name| name.to_string()).collect();
            assert_eq!(repeated(names.iter().map(String::as_str)), None, "{count}");
            names[second] = names[first].clone();
            let found = repeated(names.iter().map(String::as_str));
            assert_eq!(found, Some(first.to_string()).as_deref(), "{first} and {second} of {count}");
            // Of two such names, the one that comes again first.
            names.extend(["a", "b", "b", "a"].map(str::to_owned));
            assert_eq!(repeated(names.iter().map(String::as_str)), Some(first.to_string()).as_deref());
        }
    }
}

/// RFC 8259, section 4, knows no limit.
#[test]
fn an_object_has_as_many_names_as_there_are() {
    let of = |names: usize, more: &str| {
        let many: Vec<_> = (0..names).rev().map(|n| format!("\"{n}\":0")).collect();
        format!("{{{}{more}}}", many.join(","))
    };
    for names in [1_024, 1_025, 20_000] {
        let json = of(names, "");
        let object = read(json.as_bytes()).unwrap();
        assert_eq!((object.fields().count(), object.number("0").unwrap()), (names, Some(0)));
        assert!(
            matches!(read(of(names, ",\"17\":1").as_bytes()), Err(Unreadable::Twice(name)) if name == "17")
        );
    }
}

#[test]
fn depth_is_a_limit_and_called_one() {
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert!(read(deep(MAX_DEPTH).as_bytes()).is_ok());
    let error = read(deep(MAX_DEPTH + 1).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "is nested deeper than the 127 levels that this connector reads");
    // Brackets in text have no depth.
    let text = format!("{{\"a\": \"\\\"{}\" x}}", "[".repeat(200));
    assert!(matches!(read(text.as_bytes()), Err(Unreadable::Json(_))));
    // What is only passed on may be as deep as it is.
    assert!(check(&deep(100_000)).is_ok());
}

/// RFC 8259, section 8.1.
#[test]
fn a_byte_order_mark_is_nothing() {
    assert_eq!(read("\u{feff}{\"a\": 1}".as_bytes()).unwrap().number("a").unwrap(), Some(1));
    for json in ["\u{feff}", "\u{feff}\u{feff}{}", " \u{feff}{}", "{}\u{feff}", "{\u{feff}}"] {
        assert!(read(json.as_bytes()).is_err(), "{json:?}");
    }
}

#[test]
fn what_is_no_object_and_what_is_too_deep_is_refused() {
    for json in ["[]", "1", "null", "", "{", "{} {}"] {
        assert!(read(json.as_bytes()).is_err(), "{json}");
    }
    assert!(read(format!("{{\"a\":{}", "[".repeat(1000)).as_bytes()).is_err());
    assert!(check("[1, 2]").is_ok() && check("[1, 2").is_err());
}

#[test]
fn what_is_written_is_read_again() {
    let texts = ["x".to_owned(), "\"\n".to_owned()];
    let object = Object::default()
        .with("a", "\u{1}ü")
        .with("b", u64::MAX)
        .with("c", true)
        .with_some("d", None::<u64>)
        .with_text("e", "")
        .with_texts("f", &texts)
        .with("g", Object::default().with("h", "i"));
    let json = object.to_json();
    assert_eq!(
        json,
        "{\"a\":\"\\u0001ü\",\"b\":18446744073709551615,\"c\":true,\"f\":[\"x\",\"\\\"\\n\"],\"g\":{\"h\":\"i\"}}"
    );
    let again = read(json.as_bytes()).unwrap();
    assert_eq!(
        (again.number("b").unwrap(), again.texts("f").unwrap().as_slice()),
        (Some(u64::MAX), texts.as_slice())
    );
}

#[test]
fn what_was_read_is_not_repeated() {
    for json in ["canary", "{\"canary\": canary}", "{\"canary\": 1, \"canary\": 2}", "[\"canary\"]"] {
        let shown = read(json.as_bytes()).unwrap_err().to_string();
        assert!(!shown.contains("canary"), "{shown}");
    }
}

/// RFC 8259, section 8.1: JSON between systems is UTF-8.
#[test]
fn bytes_that_are_no_utf_8_are_told_by_their_place() {
    for (json, line, column) in [
        (&b"\xff"[..], 1, 1),
        (b"{\"a\": \"\xe9t\xe9\"}", 1, 8),
        (b"{\n\n  \"a\": \"\xc3\xa9\", \"b\": \"\xe9\"}", 3, 20),
        (b"{\r\n\"a\": \"x\xf0\x9f\x98", 2, 8),
    ] {
        let Err(Unreadable::NotUtf8 { line: in_line, column: at }) = any(json) else {
            panic!("{} is read", json.escape_ascii())
        };
        assert_eq!((in_line, at), (line, column), "{}", json.escape_ascii());
    }
}
