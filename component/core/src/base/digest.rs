//! Names made of a text that is no name itself.

use sha2::{Digest as _, Sha256};

/// The bytes of a digest that a name has: 128 bits keep the entries of a store apart.
const LENGTH: usize = 16;

/// The beginning of a text's SHA-256 (FIPS 180-4), as a name. In hexadecimal, and not in base64url: names of entries are in
/// lower case.
pub(crate) fn name_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text)[..LENGTH])
}

/// Bytes in hexadecimal, in lower case. By a table: `format!` of each byte is as much work as the digest itself.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1 and B.2: the digests of these texts.
    #[test]
    fn a_name_is_the_beginning_of_the_digest() {
        assert_eq!(name_of("abc"), "ba7816bf8f01cfea414140de5dae2223");
        let two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(name_of(two_blocks), "248d6a61d20638b8e5c026930c3e6039");
    }

    #[test]
    fn every_byte_has_its_two_digits() {
        for byte in 0..=u8::MAX {
            assert_eq!(hexadecimal(&[byte]), format!("{byte:02x}"));
        }
    }
}
