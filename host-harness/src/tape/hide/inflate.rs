//! Compressed bytes, unpacked as far as there is room for it.

use std::{io::Read as _, sync::LazyLock};

use aho_corasick::{AhoCorasick, Input};
use flate2::{
    Decompress, FlushDecompress, Status,
    bufread::{MultiGzDecoder, ZlibDecoder},
};
use memchr::{memchr, memrchr};

use crate::tape::hide::search::Budget;

/// The beginnings of a stream: of gzip, and of zlib at each of its levels.
static BEGINNINGS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([&GZIP[..], b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"])
        .expect("five short patterns make an automaton")
});

/// The part of a stream that has been unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tape) enum Part {
    /// There may be more. It comes again, with what follows.
    Beginning,
    /// All of it, or all before it breaks off.
    All,
}

/// Unpacks the compressed streams in some bytes, from wherever one begins, until `visit` has seen enough. It
/// sees each beginning that is twice as long as the last. The bytes unpacked come out of the budget, and so
/// does the work that finds nothing.
pub(in crate::tape) fn each_inflated(
    bytes: &[u8],
    budget: &mut Budget,
    mut visit: impl FnMut(&[u8], Part, &mut Budget) -> bool,
) {
    let mut inflater: Option<(Decompress, Vec<u8>)> = None;
    let mut texts_end: Option<usize> = None;
    let mut at = 0;
    while let Some(beginning) = BEGINNINGS.find(Input::new(bytes).range(at..)) {
        let start = beginning.start();
        at = start + 1;
        let header = if bytes[start] == GZIP[0] {
            let end = texts_end.get_or_insert_with(|| memrchr(0, bytes).map_or(0, |zero| zero + 1));
            gzip_header(&bytes[start..], end.saturating_sub(start))
        } else {
            Ok(2)
        };
        let (Ok(looked_at) | Err(looked_at)) = header;
        if !budget.take(ATTEMPT + looked_at) {
            return;
        }
        let Ok(header) = header else { continue };
        let (inflate, chunk) = inflater.get_or_insert_with(|| (Decompress::new(false), vec![0; CHUNK]));
        inflate.reset(false);
        let (mut out, mut glance) = (Vec::new(), FIRST_GLANCE);
        let ended = loop {
            let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
            let rest = bytes.get(start + header + read..).unwrap_or_default();
            let before = inflate.total_out();
            let status = inflate.decompress(rest, chunk, FlushDecompress::None);
            let more = usize::try_from(inflate.total_out() - before).unwrap_or(CHUNK);
            if !budget.take(more) {
                return;
            }
            out.extend_from_slice(&chunk[..more]);
            if out.len() >= glance {
                if visit(&out, Part::Beginning, budget) {
                    return;
                }
                glance = out.len() * 2;
            }
            match status {
                Ok(Status::StreamEnd) => break true,
                Ok(Status::Ok) if more > 0 => {}
                // A stream that is cut off may hold a secret in its beginning.
                Ok(Status::Ok | Status::BufError) | Err(_) => break false,
            }
        };
        if !out.is_empty() && visit(&out, Part::All, budget) {
            return;
        }
        if ended && !out.is_empty() {
            at = start + header + usize::try_from(inflate.total_in()).unwrap_or(0);
        }
    }
}

/// The length of a gzip header (RFC 1952, section 2.3), or the bytes that were read to see that it is not
/// one. A zero ends each text in it, and there is none from `texts_end` on.
fn gzip_header(bytes: &[u8], texts_end: usize) -> Result<usize, usize> {
    let flags = *bytes.get(3).ok_or(3_usize)?;
    if flags & 0xe0 != 0 {
        return Err(4);
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let length = bytes.get(at..at + 2).ok_or(at)?;
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += memchr(0, bytes.get(at..texts_end).ok_or(at)?).ok_or(texts_end)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    if at < bytes.len() { Ok(at) } else { Err(at) }
}

/// A body without the encoding that its header names; `None` if that cannot be undone here, to its last byte.
pub(in crate::tape) fn content(encoding: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Some(bytes.to_vec()),
        "gzip" | "x-gzip" => {
            let mut reader = MultiGzDecoder::new(bytes);
            read(&mut reader)
        }
        "deflate" => {
            let mut reader = ZlibDecoder::new(bytes);
            read(&mut reader).filter(|plain| plain.len() as u64 == LONGEST || reader.into_inner().is_empty())
        }
        _ => None,
    }
}

/// Reads as much as is taken; nothing of a stream that breaks off, for nobody has seen the rest.
fn read(reader: &mut impl std::io::Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LONGEST).read_to_end(&mut bytes).ok().filter(|_| !bytes.is_empty())?;
    Some(bytes)
}

const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The cost of bytes that prove not to be a stream.
const ATTEMPT: usize = 1 << 10;

/// The bytes that are unpacked at a time.
const CHUNK: usize = 32 << 10;

/// The bytes that are unpacked before the first look at them.
const FIRST_GLANCE: usize = 64 << 10;

/// The longest body that a compressed one may grow to; the component takes no more either.
const LONGEST: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn compressed_bytes_are_found_behind_others() {
        let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::default());
        gzip.write_all(b"canary-42").unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(gzip.finish().unwrap(), flate2::Compression::best());
        zlib.write_all(b"canary-43").unwrap();
        let mut found = Vec::new();
        each_inflated(&zlib.finish().unwrap(), &mut Budget::new(1 << 20), |inner, _, _| {
            found.push(String::from_utf8_lossy(inner).into_owned());
            false
        });
        assert_eq!(found, ["canary-42", "canary-43"]);
    }

    #[test]
    fn a_header_may_say_more_than_it_has_to() {
        // All that may be there: extra bytes, a name, a comment, a checksum (RFC 1952).
        let gzip = flate2::GzBuilder::new().extra("extra").filename("name").comment("comment");
        let mut gzip = gzip.write(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"canary-42").unwrap();
        let mut found = 0;
        each_inflated(&gzip.finish().unwrap(), &mut Budget::new(1 << 20), |inner, _, _| {
            found += usize::from(inner == b"canary-42");
            false
        });
        assert_eq!(found, 1);
    }

    #[test]
    fn what_is_unpacked_has_a_bound() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&vec![0; 10 << 20]).unwrap();
        let mut budget = Budget::new(1 << 20);
        each_inflated(&gzip.finish().unwrap(), &mut budget, |_, part, _| {
            assert_eq!(part, Part::Beginning, "there is no room for all of it");
            false
        });
        assert!(budget.is_spent());
    }
}
