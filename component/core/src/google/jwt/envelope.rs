//! The envelopes of an RSA private key: PKCS #8 (RFC 5958) around PKCS #1 (RFC 8017, appendix A.1.2).

#![cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::result_large_err,
        reason = "asn1's own error; it lives as long as one key is parsed, and nobody passes it on"
    )
)]

use asn1::{BigUint, ObjectIdentifier, ParseError, ParseErrorKind, ParseResult, Parser, Sequence};
use rsa::RsaPrivateKey;

/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = asn1::oid!(1, 2, 840, 113549, 1, 1, 1);

/// The PKCS #1 key in a PKCS #8 envelope.
pub(super) fn pkcs8(der: &[u8]) -> ParseResult<&[u8]> {
    asn1::parse(der, |parser| {
        parser.read_element::<Sequence<'_>>()?.parse(|parser| {
            version_0(parser)?;
            let algorithm = parser.read_element::<Sequence<'_>>()?;
            algorithm.parse(|parser| {
                if parser.read_element::<ObjectIdentifier>()? != RSA_ENCRYPTION {
                    return Err(ParseError::new(ParseErrorKind::InvalidValue));
                }
                parser.read_element::<()>()
            })?;
            let key = parser.read_element::<&[u8]>()?;
            // Attributes may follow, and say nothing that matters here.
            while !parser.is_empty() {
                parser.read_element::<asn1::Tlv<'_>>()?;
            }
            Ok(key)
        })
    })
}

/// The key, if its numbers are those of one.
pub(super) fn rsa_private_key(pkcs1: &[u8]) -> Option<RsaPrivateKey> {
    let [n, e, d, p, q] = pkcs1_numbers(pkcs1).ok()?;
    // The exponents of the Chinese remainder theorem are computed anew, so what the file says is not read.
    RsaPrivateKey::from_components(n, e, d, vec![p, q]).ok()
}

fn pkcs1_numbers(der: &[u8]) -> ParseResult<[rsa::BigUint; 5]> {
    asn1::parse(der, |parser| {
        parser.read_element::<Sequence<'_>>()?.parse(|parser| {
            version_0(parser)?;
            let mut numbers: [rsa::BigUint; 5] = Default::default();
            for number in &mut numbers {
                *number = rsa::BigUint::from_bytes_be(parser.read_element::<BigUint<'_>>()?.as_bytes());
            }
            for _ in 0..3 {
                parser.read_element::<BigUint<'_>>()?;
            }
            Ok(numbers)
        })
    })
}

/// Version 0 of either form: two primes, and no public key beside the private one.
fn version_0(parser: &mut Parser<'_>) -> ParseResult<()> {
    match parser.read_element::<u8>()? {
        0 => Ok(()),
        _ => Err(ParseError::new(ParseErrorKind::InvalidValue)),
    }
}
