//! RS256 for jsonwebtoken, and nothing else.
//!
//! Its own `rust_crypto` provider brings three more curves, RSA-PSS and HMAC: twice the component for
//! algorithms that Google's token endpoint does not take from a service account.

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use rsa::{
    RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _, pkcs1v15::SigningKey, signature::SignatureEncoding as _,
};
use sha2::Sha256;
use signature::Signer;

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory, verifier_factory, key_utils: KeyUtils::new_unimplemented() };

/// Makes this the provider of the process; later calls do nothing.
pub(super) fn install() {
    // Err means that a provider is there already: ours, for nobody else installs one here.
    let _ = PROVIDER.install_default();
}

fn signer_factory(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::RS256 {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    let key = RsaPrivateKey::from_pkcs1_der(key.as_bytes()).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Rs256(SigningKey::new(key))))
}

fn verifier_factory(_: &Algorithm, _: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    // No token is verified in this version: see `IdTokenClaims`.
    Err(ErrorKind::UnsupportedAlgorithm.into())
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
