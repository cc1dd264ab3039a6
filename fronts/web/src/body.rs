//! The body of a request.

use crate::Reply;

/// The next part of a stream.
pub(crate) enum Part {
    /// Some bytes; none does not mean that it is the end.
    Bytes(Vec<u8>),
    /// The end of all.
    End,
    /// The stream has failed, and the rest does not come.
    Broken,
}

/// Reads a body to its end, or until it is longer than it may be.
pub(crate) fn read(mut next: impl FnMut() -> Part, limit: u64) -> Result<Vec<u8>, Reply> {
    let mut bytes = Vec::new();
    loop {
        match next() {
            Part::Bytes(part) => bytes.extend_from_slice(&part),
            Part::End => return Ok(bytes),
            Part::Broken => return Err(Reply::cut_short()),
        }
        if bytes.len() as u64 > limit {
            return Err(Reply::too_long(limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    /// Reads a body that comes in parts of this size, and then this part; fails if it is read after an end.
    fn body(length: usize, size: usize, last: Part) -> Result<Vec<u8>, u16> {
        let mut left = length;
        let mut last = Some(last);
        let next = || {
            let part = vec![b'x'; left.min(size)];
            left -= part.len();
            if part.is_empty() { last.take().expect("it has ended") } else { Part::Bytes(part) }
        };
        read(next, LIMIT as u64).map_err(|reply| reply.status)
    }

    #[test]
    fn a_body_is_read_up_to_its_limit_and_no_further() {
        for size in [1, 4096, 64 * 1024, LIMIT + 1] {
            assert_eq!(body(0, size, Part::End), Ok(Vec::new()));
            assert_eq!(body(LIMIT, size, Part::End), Ok(vec![b'x'; LIMIT]), "parts of {size}");
            // RFC 9110, section 15.5.14: content too large.
            assert_eq!(body(LIMIT + 1, size, Part::End), Err(413), "parts of {size}");
        }
        // One that never ends is not waited for.
        assert_eq!(read(|| Part::Bytes(vec![0; 4096]), 4096).map_err(|reply| reply.status), Err(413));
    }

    #[test]
    fn a_body_that_does_not_arrive_whole_is_none() {
        for length in [0, 1, LIMIT] {
            assert_eq!(body(length, 4096, Part::Broken), Err(400), "{length} bytes");
        }
        let mut parts = [Part::Bytes(Vec::new()), Part::Bytes(vec![b'a']), Part::End].into_iter();
        let read = read(|| parts.next().expect("it has ended"), 1).map_err(|reply| reply.status);
        assert_eq!(read, Ok(vec![b'a']));
    }
}
