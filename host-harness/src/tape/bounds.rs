//! The limits of a tape: of the bodies, files and values that are read and kept.

use std::{
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde::Serialize;

use crate::{
    limits::account::{Account, Held},
    transport::{Body, TransportError},
};

/// The longest body, in either direction: the catalog's `function-response-bytes`, and `request-bytes` of the
/// second generation. No call of the component sends more or reads on behind it.
pub(super) const MAX_BODY: usize = 32 << 20;

/// The longest file of a tape.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// The part of a file that a recording fills: placeholders may be longer than the secrets they stand for.
pub(super) const ROOM: usize = 60 << 20;

/// The memory that the values of one body in JSON may take, beside its text.
const MAX_VALUES: usize = 96 << 20;

/// The memory that the values of a whole tape may take.
const MAX_TAPE_VALUES: usize = 512 << 20;

/// The bytes of bodies that a cassette has in memory at the same time, of all exchanges under way and beside
/// its tape.
pub(super) const MAX_HELD: usize = 512 << 20;

/// A whole body, if it is not longer than [`MAX_BODY`]. It is counted for as long as any part of it lives.
///
/// # Errors
/// [`TransportError::Limit`] for a longer one, or if others have all the room; otherwise why it broke off.
pub(super) async fn collected(
    mut body: Body,
    whose: &str,
    room: &Arc<Account>,
) -> Result<Bytes, TransportError> {
    let mut whole = Counted { bytes: Vec::new(), held: room.hold(0).map_err(|_| no_room())? };
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        let length = whole.bytes.len() + data.len();
        if length > MAX_BODY {
            return Err(TransportError::Limit(format!(
                "the body of the {whose} is longer than {} MiB, the most that a tape takes",
                MAX_BODY >> 20
            )));
        }
        whole.held.resize(length).map_err(|_| no_room())?;
        whole.bytes.extend_from_slice(data);
    }
    Ok(Bytes::from_owner(whole))
}

/// The error of an exchange for which others leave no room.
pub(super) fn no_room() -> TransportError {
    TransportError::Limit(format!(
        "the exchanges under way hold as much as a tape has room for in memory, {} MiB; send fewer at once",
        MAX_HELD >> 20
    ))
}

/// Bytes, and their place in the account.
struct Counted {
    bytes: Vec<u8>,
    held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The memory that the values of a text take, if it is JSON that is taken apart.
pub(super) fn of_values(text: &[u8]) -> usize {
    measured(text).0.min(MAX_VALUES)
}

/// The memory that a form takes with its pairs.
pub(super) fn of_pairs(text: &[u8]) -> usize {
    (memchr::memchr_iter(b'&', text).count() * PAIR).min(MAX_VALUES)
}

/// Tells whether the values in a text would take more memory, if it is JSON, than is spent on one body, or
/// are nested deeper than JSON is read.
pub(super) fn is_lavish(text: &[u8]) -> bool {
    let (memory, depth) = measured(text);
    memory > MAX_VALUES || depth > DEEPEST_READ
}

/// Tells whether JSON is nested deeper than it can stand within a tape.
pub(super) fn is_deep(text: &[u8]) -> bool {
    measured(text).1 > DEEPEST_ON_TAPE
}

/// Tells whether the pairs of a form would take more memory than is spent on one body.
pub(super) fn is_lavish_form(text: &[u8]) -> bool {
    memchr::memchr_iter(b'&', text).count() > MAX_VALUES / PAIR
}

/// Tells whether a tape of this text would take more memory than is spent on one.
pub(super) fn is_lavish_tape(text: &[u8]) -> bool {
    measured(text).0 > MAX_TAPE_VALUES
}

/// The deepest nesting that serde_json reads.
const DEEPEST_READ: usize = 127;

/// The deepest nesting within an interaction.
const DEEPEST_ON_TAPE: usize = 100;

/// The memory of a pair, beside its text: two strings, and their places.
const PAIR: usize = 96;

/// The memory that the values of a text in JSON take, beside their own text, and how deep they are nested: by
/// the signs between them, and without parsing it.
fn measured(text: &[u8]) -> (usize, usize) {
    let (mut bytes, mut in_string, mut escaped) = (0, false, false);
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            // A field: its name, its hash, its place.
            b':' => bytes += 96,
            b',' => bytes += 40,
            b'[' | b'{' => {
                bytes += 40;
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => in_string = true,
            _ => {}
        }
    }
    (bytes, deepest)
}

/// The length of a value in the file of a tape, as one of its interactions.
pub(super) fn length_on_tape(interaction: &impl Serialize) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let lines = text.iter().filter(|byte| **byte == b'\n').count();
            self.0 += text.len() + lines * INDENT;
            Ok(text.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(2 + INDENT);
    serde_json::to_writer_pretty(&mut count, interaction)
        .expect("maps have string keys, and nothing is written");
    count.0
}

/// The indentation of a tape's interactions.
const INDENT: usize = 4;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_interaction_is_as_long_as_in_the_file() {
        let interaction = json!({"a": [1, {"b": "x\ny"}], "c": {}, "d": "ü"});
        let tape =
            |items: &[&Value]| serde_json::to_string_pretty(&json!({ "interactions": items })).unwrap().len();
        let two = tape(&[&interaction, &interaction]);
        assert_eq!(two - tape(&[&interaction]), length_on_tape(&interaction));
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_that_or_too_long() {
        for (length, fits) in [(MAX_BODY, true), (MAX_BODY + 1, false)] {
            let room = Account::new(MAX_HELD);
            let body =
                collected(crate::tape::shared::whole(vec![b'x'; length].into()), "request", &room).await;
            assert_eq!(body.is_ok_and(|body| body.len() == length), fits, "{length}");
        }
    }

    #[test]
    fn depth_is_that_of_the_text_outside_of_strings() {
        let nested =
            |depth: usize| format!("{}\"[[\\\"[[\"{}", "[{".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(!is_deep(nested(100).as_bytes()) && is_deep(nested(102).as_bytes()));
        assert!(!is_lavish(nested(126).as_bytes()) && is_lavish(nested(128).as_bytes()));
        assert!(!is_deep("[],{},".repeat(1000).as_bytes()));
    }

    #[test]
    fn many_values_are_lavish_and_long_ones_are_not() {
        assert!(!is_lavish(&vec![b'x'; MAX_BODY]));
        assert!(!is_lavish(&b"{\"name\":\"value of some length\"}, ".repeat(200_000)));
        assert!(is_lavish(&b"0,".repeat(4 << 20)));
        // Within a string they are text.
        let text = serde_json::to_string(&"\\\",".repeat(4 << 20)).unwrap();
        assert!(!is_lavish(text.as_bytes()));
        assert!(!is_lavish_form(&b"a&".repeat(100_000)) && is_lavish_form(&b"a&".repeat(4 << 20)));
        assert!(!is_lavish_tape(&b"0,".repeat(4 << 20)) && is_lavish_tape(&b"0,".repeat(16 << 20)));
    }
}
