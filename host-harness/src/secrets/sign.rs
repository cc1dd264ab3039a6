//! RS256 in the host: the private key need not enter the sandbox, and ring is quicker than wasm.

use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

use super::StoreError;

/// Signs `message` with RSASSA-PKCS1-v1_5 and SHA-256.
///
/// `pem` holds a PKCS #8 (`PRIVATE KEY`) or PKCS #1 (`RSA PRIVATE KEY`) key of at least 2,048 bits.
///
/// # Errors
/// [`StoreError::Unsupported`] for an RSA key of a size that ring cannot use, so that the component
/// signs itself; [`StoreError::Other`] for anything that is not a usable key. Neither shows the text.
pub fn sign_with_pem(pem: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
    let pair = parse(pem)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| StoreError::other("signing failed"))?;
    Ok(signature)
}

fn parse(pem: &str) -> Result<RsaKeyPair, StoreError> {
    // The reader's error is dropped: it quotes lines of what it read.
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| StoreError::other("the stored value is not a PEM private key"))?;
    let pair = match &der {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(_) | _ => {
            return Err(StoreError::other("the stored key is not an RSA key"));
        }
    };
    pair.map_err(|rejected| match rejected.to_string().as_str() {
        // ring takes 2,048 to 4,096 bits in steps of 512. Others may take more.
        "TooLarge" | "PrivateModulusLenNotMultipleOf512Bits" => StoreError::Unsupported,
        "TooSmall" => StoreError::other("the stored key is shorter than 2048 bits: make a new one"),
        "WrongAlgorithm" => StoreError::other("the stored key is not an RSA key"),
        reason => StoreError::other(format!("the stored key cannot be used: {reason}")),
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;
    use crate::secrets::contract::demo_key;

    const WEAK: &str = include_str!("../../../tests/fixtures/rsa-1024.pem");
    const ODD: &str = include_str!("../../../tests/fixtures/rsa-2056.pem");

    fn verify(pem: &str, message: &[u8], signature: &[u8]) -> bool {
        let public = parse(pem).unwrap().public().as_ref().to_vec();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(message, signature).is_ok()
    }

    #[test]
    fn pkcs8_and_pkcs1_sign_alike() {
        let pkcs8 = demo_key();
        let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(pkcs8.as_bytes()).unwrap() else {
            panic!("the fixture is PKCS #8")
        };
        // RFC 5208: the prefix of the PKCS #1 key is 26 bytes long for every 2,048-bit RSA key.
        let body = STANDARD.encode(&der.secret_pkcs8_der()[26..]);
        let pkcs1 = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n");

        let signature = sign_with_pem(&pkcs8, b"message").unwrap();
        assert!(verify(&pkcs8, b"message", &signature));
        assert!(!verify(&pkcs8, b"another", &signature));
        assert_eq!(sign_with_pem(&pkcs1, b"message").unwrap(), signature);
    }

    #[test]
    fn short_keys_are_refused() {
        let error = sign_with_pem(WEAK, b"message").unwrap_err();
        assert!(error.to_string().contains("shorter than 2048 bits"), "{error}");
    }

    #[test]
    fn odd_sizes_are_left_to_the_component() {
        assert_eq!(sign_with_pem(ODD, b"message"), Err(StoreError::Unsupported));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let truncated = demo_key().replace("MIIE", "hunter2");
        let no_end = "-----BEGIN PRIVATE KEY-----\nhunter2\n";
        for pem in ["", "hunter2", no_end, &truncated, &elliptic] {
            let error = sign_with_pem(pem, b"message").unwrap_err();
            assert!(matches!(error, StoreError::Other(_)), "{error}");
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2") && !text.contains("BEGIN"), "{text}");
        }
    }
}
