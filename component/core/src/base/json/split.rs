//! JSON divided into its parts, each byte for byte as it was written.
//!
//! It is not written anew, for what is passed on must be what Google sent: the digits of a number, the order and the
//! spelling of names. Whether it is JSON at all, the parser has said before; here only strings and brackets are told
//! apart.

use std::borrow::Cow;

use memchr::memchr2;

use super::{Read, Unreadable, Value};

/// The fields of an object: names as they read, values as they are written.
///
/// # Errors
/// If it is not JSON, no object, or has a name twice.
pub(crate) fn fields(json: &str) -> Read<Vec<(Cow<'_, str>, &str)>> {
    super::check(json)?;
    let parts = parts(json, ['{', '}']).ok_or(Unreadable::NoObject)?;
    let mut fields: Vec<(Cow<'_, str>, &str)> = Vec::with_capacity(parts.len());
    for part in parts {
        let (name, value) = part.split_at(end_of_string(part));
        // Text it is, or the check had failed.
        let Value::Text(name) = super::value(name)? else { return Err(Unreadable::NoObject) };
        fields.push((name, value.trim_start_matches([' ', '\t', '\r', '\n', ':']).trim_end()));
    }
    let twice = super::repeated(fields.iter().map(|(name, _)| name.as_ref())).map(str::to_owned);
    match twice {
        Some(name) => Err(Unreadable::Twice(name)),
        None => Ok(fields),
    }
}

/// The items of a list; none if it is no list. It has to be JSON.
pub(crate) fn items(json: &str) -> Option<Vec<&str>> {
    parts(json, ['[', ']'])
}

/// The text between two brackets, divided at the commas that are in no others.
fn parts(json: &str, [open, close]: [char; 2]) -> Option<Vec<&str>> {
    let inside = json.trim().strip_prefix(open)?.strip_suffix(close)?;
    let mut parts = Vec::new();
    let (mut depth, mut start, mut at) = (0_u32, 0, 0);
    let bytes = inside.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += end_of_string(&inside[at..]) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = inside[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    Some(parts)
}

/// The end of the string that `text` begins with.
fn end_of_string(text: &str) -> usize {
    // Behind the quote that opens it. Most of a page is in strings, which are not looked at byte by byte.
    let mut at = 1;
    while let Some(found) = text.as_bytes().get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text.as_bytes()[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_as_it_was_written() {
        let json = "\r\n{ \"a\" :\t[1, {\"x\": [2,\"]\"]} , \"q,\\\"}\"],\"b\":{},\"\\u0063\": 1e400 , \"d\":\"\\\\\" }\n";
        let fields = fields(json).unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_ref(), *value)).collect();
        assert_eq!(
            fields,
            [("a", "[1, {\"x\": [2,\"]\"]} , \"q,\\\"}\"]"), ("b", "{}"), ("c", "1e400"), ("d", "\"\\\\\""),]
        );
        assert_eq!(items(fields[0].1).unwrap(), ["1", "{\"x\": [2,\"]\"]}", "\"q,\\\"}\""]);
        assert_eq!(items(fields[1].1), None);
    }

    #[test]
    fn nothing_is_no_part() {
        assert_eq!(items(" [ ] "), Some(vec![]));
        assert!(fields("{ }").unwrap().is_empty());
        assert_eq!(items("[[],{}]"), Some(vec!["[]", "{}"]));
        assert_eq!(items("\"[]\""), None);
    }

    #[test]
    fn what_is_no_object_or_says_a_name_twice_is_refused() {
        for json in ["", "[]", "1", "{", "{\"a\":1,}", "{\"a\":1} {}", "\"{}\"", "{\"a\":[}"] {
            assert!(fields(json).is_err(), "{json}");
        }
        for json in ["{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}"] {
            assert!(matches!(fields(json), Err(Unreadable::Twice(name)) if name == "a"), "{json}");
        }
    }

    /// Whatever the parser takes, joining the parts again makes the same JSON.
    #[test]
    fn parts_joined_are_the_whole() {
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..2000 {
            let item = |random: &mut dyn FnMut(u64) -> u64| match random(8) {
                0 => "\"\\\\\\\"[{,\"".to_owned(),
                1 => "[ \"]\" , [ ] ]".to_owned(),
                2 => "{\"a\" : \"}\" , \"b\":[1,2]}".to_owned(),
                3 => "-0.10e+5".to_owned(),
                4 => "\"é\u{2028}😀\"".to_owned(),
                5 => "null".to_owned(),
                6 => "\"\"".to_owned(),
                _ => "true".to_owned(),
            };
            let given: Vec<String> = (0..random(6)).map(|_| item(&mut random)).collect();
            let list = format!("[{}]", given.join([",", " ,\n", ",\t"][usize::try_from(random(3)).unwrap()]));
            assert_eq!(items(&list).unwrap(), given, "{list}");
        }
    }
}
