//! An RSA private key, out of its envelopes: PEM (RFC 7468) around PKCS #8 (RFC 5958) around PKCS #1
//! (RFC 8017, appendix A.1.2).

#![cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::result_large_err,
        reason = "asn1's own error; it lives as long as one key is parsed, and nobody passes it on"
    )
)]

use asn1::{BigUint, ObjectIdentifier, ParseError, ParseErrorKind, ParseResult, Parser, Sequence};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::RsaPrivateKey;
use rsa::traits::PublicKeyParts as _;

use super::provider;
use crate::base::{
    error::{Error, Result},
    secret::Secret,
};

/// Google refuses shorter keys, and so should everybody.
const MIN_BITS: usize = 2048;

/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = asn1::oid!(1, 2, 840, 113549, 1, 1, 1);

/// An RSA private key that has been parsed once.
pub struct PrivateKey {
    pem: Secret<String>,
    /// PKCS #1, the form that signs.
    der: Secret<Vec<u8>>,
}

impl PrivateKey {
    /// Parses PKCS #8, or PKCS #1 as older tools write it.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key`; the key itself is never repeated.
    pub fn parse(pem: Secret<String>) -> Result<Self> {
        let document = pem::parse(pem.reveal()).map_err(|_| unreadable())?;
        let der = match document.tag() {
            "PRIVATE KEY" => pkcs8(document.contents()).map_err(|_| unreadable())?,
            "RSA PRIVATE KEY" => document.contents(),
            _ => return Err(unreadable()),
        };
        let key = rsa_private_key(der).ok_or_else(unreadable)?;
        if key.size() * 8 < MIN_BITS {
            return Err(Error::credential("private_key", "is shorter than 2048 bits"));
        }
        let der = der.to_vec();
        Ok(Self { pem, der: Secret::new(der) })
    }

    /// The text that was parsed, to be kept in the secret store.
    #[must_use]
    pub fn pem(&self) -> &Secret<String> {
        &self.pem
    }

    /// RS256.
    ///
    /// # Errors
    /// `invalid-credential` if the key does not sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        provider::install();
        let key = EncodingKey::from_rsa_der(self.der.reveal());
        let unusable = || Error::credential("private_key", "does not sign");
        let signature =
            jsonwebtoken::crypto::sign(message, &key, Algorithm::RS256).map_err(|_| unusable())?;
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| unusable())
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey([secret])")
    }
}

fn unreadable() -> Error {
    Error::credential("private_key", "is not an RSA key in PEM (PKCS #8)")
}

/// The PKCS #1 key in a PKCS #8 envelope.
fn pkcs8(der: &[u8]) -> ParseResult<&[u8]> {
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
