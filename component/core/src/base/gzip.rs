//! Bodies that arrive in gzip (RFC 1952), although nobody asked for it.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
};

use crate::base::http::{Response, TransportError};

/// The bytes that a first look at a body makes room for.
const FIRST_ROOM: usize = 64 * 1024;

/// The response with its body decompressed, if it says that it is in gzip and is; the headers stay. In any other
/// encoding, and where gzip is damaged, it stays as it came.
///
/// # Errors
/// [`TransportError::TooLarge`] as soon as more than `max` bytes come out.
pub(crate) fn decoded(mut response: Response, max: u64) -> Result<Response, TransportError> {
    let mut encodings = response.headers.iter().filter(|(name, _)| name == "content-encoding");
    if let (Some((_, encoding)), None) = (encodings.next(), encodings.next())
        && is_gzip(encoding)
        && let Some(body) = inflate(&response.body, usize::try_from(max).unwrap_or(usize::MAX))?
    {
        response.body = body;
    }
    Ok(response)
}

/// Tells if a `content-encoding` is the one that is read here.
pub(crate) fn is_gzip(encoding: &[u8]) -> bool {
    let encoding = encoding.trim_ascii();
    encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip")
}

/// All members one after the other, or `None` if this is no gzip.
fn inflate(mut input: &[u8], max: usize) -> Result<Option<Vec<u8>>, TransportError> {
    if input.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::new();
    while !input.is_empty() {
        let begin = out.len();
        let Some(deflated) = header(input).and_then(|length| input.get(length..)) else { return Ok(None) };
        let Some(used) = member(deflated, &mut out, max)? else { return Ok(None) };
        let (sum, size) = (crc32(&out[begin..]).to_le_bytes(), ((out.len() - begin) as u32).to_le_bytes());
        let Some((trailer, rest)) = deflated[used..].split_at_checked(8) else { return Ok(None) };
        if trailer[..4] != sum || trailer[4..] != size {
            return Ok(None);
        }
        input = rest;
    }
    Ok(Some(out))
}

/// The length of a member's header.
fn header(input: &[u8]) -> Option<usize> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let [0x1f, 0x8b, 8, flags, ..] = *input else { return None };
    if flags >= COMMENT << 1 {
        return None;
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*input.get(at)?, *input.get(at + 1)?]));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += input.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    Some(if flags & CRC != 0 { at + 2 } else { at })
}

/// Appends what one member holds; how much of `input` it was.
// Not inlined: the decompressor is made on the stack, 10 KB of it, which would be there for every answer.
#[inline(never)]
fn member(input: &[u8], out: &mut Vec<u8>, max: usize) -> Result<Option<usize>, TransportError> {
    let mut state = Box::<DecompressorOxide>::default();
    let (mut read, mut written) = (0, out.len());
    loop {
        // One byte more than allowed tells too much from just enough.
        let room = match (out.len() * 2).max(FIRST_ROOM) {
            // The last step is a whole one: what was left behind by each is memory that an instance does not get back.
            room if room >= max => max.saturating_add(1),
            room => room,
        };
        out.resize(room.max(out.len()), 0);
        let (status, took, gave) =
            decompress(&mut state, &input[read..], out, written, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        read += took;
        written += gave;
        if written > max {
            return Err(TransportError::TooLarge);
        }
        if status == TINFLStatus::Done {
            out.truncate(written);
            return Ok(Some(read));
        }
        if status != TINFLStatus::HasMoreOutput {
            return Ok(None);
        }
    }
}

/// CRC-32 (RFC 1952, section 8), half a byte at a time: a larger table would be most of the code here.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 4 {
                value = if value & 1 == 0 { value >> 1 } else { value >> 1 ^ 0xedb8_8320 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        let sum = sum ^ u32::from(*byte);
        let sum = sum >> 4 ^ TABLE[(sum & 15) as usize];
        sum >> 4 ^ TABLE[(sum & 15) as usize]
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn answer(encodings: &[&str], body: Vec<u8>) -> Response {
        let header = |value: &&str| ("content-encoding".to_owned(), value.as_bytes().to_vec());
        Response { status: 200, headers: encodings.iter().map(header).collect(), body }
    }

    fn body(encodings: &[&str], bytes: &[u8]) -> Vec<u8> {
        decoded(answer(encodings, bytes.to_vec()), 1 << 20).unwrap().body
    }

    #[test]
    fn what_says_gzip_and_is_gzip_is_decompressed_and_the_header_stays() {
        for size in [0_u32, 1, 100, 70_000, 1 << 20] {
            let plain: Vec<u8> = (0..size).map(|n| (n % 251 * (n / 251 % 7)) as u8).collect();
            assert!(body(&["gzip"], &gzip(&plain)) == plain, "{size}");
        }
        let response = decoded(answer(&["X-GZIP"], gzip(b"hello")), 5).unwrap();
        assert_eq!((response.body.as_slice(), response.headers.len()), (b"hello".as_slice(), 1));
    }

    #[test]
    fn every_optional_field_and_every_member_is_read() {
        let mut bytes =
            GzBuilder::new().extra(b"abc").filename("f").comment("c").write(Vec::new(), Compression::best());
        bytes.write_all(b"one, ").unwrap();
        let mut bytes = bytes.finish().unwrap();
        bytes.extend(gzip(b"two"));
        assert_eq!(body(&["gzip"], &bytes), b"one, two");
    }

    #[test]
    fn other_encodings_and_damage_stay_as_they_came() {
        let packed = gzip(b"hello");
        for encodings in [&[][..], &["br"], &["identity"], &["gzip, br"], &["gzip", "gzip"], &["deflate"]] {
            assert_eq!(body(encodings, &packed), packed, "{encodings:?}");
        }
        assert_eq!(body(&["gzip"], b"plain"), b"plain");
        assert_eq!(body(&["gzip"], b""), b"");
        for cut in 0..packed.len() {
            assert_eq!(body(&["gzip"], &packed[..cut]), packed[..cut], "{cut}");
        }
        for at in [2, packed.len() - 8, packed.len() - 4] {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            assert_eq!(body(&["gzip"], &damaged), damaged, "{at}");
        }
    }

    #[test]
    fn a_bomb_is_too_large_and_just_enough_is_not() {
        let bomb = gzip(&vec![0; 4 << 20]);
        assert!(bomb.len() < 8 * 1024);
        let out = |max| decoded(answer(&["gzip"], bomb.clone()), max).map(|response| response.body.len());
        assert_eq!(out(4 << 20), Ok(4 << 20));
        assert_eq!(out((4 << 20) - 1), Err(TransportError::TooLarge));
        let two = [bomb.clone(), bomb.clone()].concat();
        assert_eq!(decoded(answer(&["gzip"], two), 5 << 20), Err(TransportError::TooLarge));
        let mut room = Vec::new();
        assert_eq!(member(&bomb[10..], &mut room, 1000), Err(TransportError::TooLarge));
        assert!(room.capacity() <= FIRST_ROOM, "no more than the limit is ever held");
    }
}
