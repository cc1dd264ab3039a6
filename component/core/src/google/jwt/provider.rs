//! RS256 for jsonwebtoken, and nothing else.
//!
//! Its own `rust_crypto` provider brings three more curves, RSA-PSS and HMAC: twice the component for
//! algorithms that Google's token endpoint does not take from a service account, and does not sign ID
//! tokens with.

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{self, CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use rsa::{
    BigUint, RsaPublicKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    signature::SignatureEncoding as _,
};
use sha2::Sha256;
use signature::{Signer, Verifier};

use super::envelope::rsa_private_key;

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory, verifier_factory, key_utils: KeyUtils::new_unimplemented() };

/// Makes this the provider of the process; later calls do nothing.
pub(super) fn install() {
    // Err means that a provider is there already: ours, for nobody else installs one here.
    let _ = PROVIDER.install_default();
}

/// Tells if `signature`, in base64url, is the RS256 signature of `message` by the key.
///
/// By way of jsonwebtoken, as for signing: one place says which algorithms there are, and the crate
/// `rsa` by itself is only 270 bytes less. Its `decode` is not used: it reads a header with a hash map.
pub(crate) fn verifies(message: &[u8], signature: &str, key: &DecodingKey) -> bool {
    install();
    crypto::verify(signature, message, key, Algorithm::RS256).unwrap_or(false)
}

fn signer_factory(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::RS256 {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    let key = rsa_private_key(key.as_bytes()).ok_or(ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Rs256(SigningKey::new(key))))
}

fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if *algorithm != Algorithm::RS256 {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return Err(ErrorKind::InvalidKeyFormat.into());
    };
    let key = RsaPublicKey::new(BigUint::from_bytes_be(n), BigUint::from_bytes_be(e))
        .map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Rs256Verifier(VerifyingKey::new(key))))
}

struct Rs256(SigningKey<Sha256>);

impl Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.try_sign(message).map(|signature| signature.to_vec())
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

struct Rs256Verifier(VerifyingKey<Sha256>);

impl Verifier<Vec<u8>> for Rs256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.verify(message, &Signature::try_from(signature.as_slice())?)
    }
}

impl JwtVerifier for Rs256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
