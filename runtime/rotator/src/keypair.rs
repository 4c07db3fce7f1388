//! Key pairs of the two kinds that CloudFront takes.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::edge_config::SignatureHash;
use contract::keyring::{KeyAlgorithm, PrivateKeyPem};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use signing::{PublicKey, SigningKey};

use crate::ports::KeyPair;

/// Bits of an RSA key: CloudFront takes this size only.
const RSA_BITS: usize = 2048;

/// Characters of base64 on a line of PEM.
const PEM_LINE: usize = 64;

/// What is signed to prove that two halves belong together.
const PROOF: &[u8] = b"the new key of this rotation";

/// A pair could not be made or a key not be used. Says nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyPairError {
    /// The library refused, or had no randomness.
    #[error("no key pair could be made")]
    NotMade,
    /// The private key is not one that CloudFront's signatures are made with.
    #[error("the private key cannot be used")]
    PrivateKey,
    /// CloudFront holds something that is no public key of the two kinds.
    #[error("the public key cannot be used")]
    PublicKey,
}

/// Makes a key pair. An RSA pair takes up to half a second of a full core.
///
/// # Errors
/// The library refused, or had no randomness.
pub fn generate(algorithm: KeyAlgorithm) -> Result<KeyPair, KeyPairError> {
    let private = match algorithm {
        KeyAlgorithm::Rsa2048 => rsa_private(),
        KeyAlgorithm::EcdsaP256 => p256_private(),
    };
    let private = PrivateKeyPem::new(private.ok_or(KeyPairError::NotMade)?);
    // Read back by the code that signers read it with: what they would refuse never leaves here.
    let key = SigningKey::from_pem(&private).map_err(|_| KeyPairError::NotMade)?;
    let public = key.public_key_pem().map_err(|_| KeyPairError::NotMade)?;
    Ok(KeyPair { private, public })
}

fn rsa_private() -> Option<String> {
    let key = RsaPrivateKey::new(&mut rand::rngs::OsRng, RSA_BITS).ok()?;
    key.to_pkcs8_pem(LineEnding::LF).ok().map(|pem| pem.to_string())
}

fn p256_private() -> Option<String> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
    let body = STANDARD.encode(key.to_pkcs8v1().ok()?);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (index, character) in body.chars().enumerate() {
        if index > 0 && index % PEM_LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Some(pem)
}

/// Whether a signature by `private` passes with `public`, a PEM text.
///
/// # Errors
/// One of the two is not a key that CloudFront takes.
pub fn proves(private: &PrivateKeyPem, public: &str) -> Result<bool, KeyPairError> {
    let private = SigningKey::from_pem(private).map_err(|_| KeyPairError::PrivateKey)?;
    let public = PublicKey::from_pem(public).map_err(|_| KeyPairError::PublicKey)?;
    let signature = private.sign(PROOF, SignatureHash::Sha256).map_err(|_| KeyPairError::PrivateKey)?;
    Ok(public.verifies(PROOF, &signature, SignatureHash::Sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_either_kind_proves_itself_and_no_other() {
        for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256] {
            let pair = generate(algorithm).expect("a key pair");
            let other = generate(algorithm).expect("another key pair");
            assert!(pair.public.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", pair.public);
            assert_eq!(proves(&pair.private, &pair.public), Ok(true));
            assert_eq!(proves(&pair.private, &other.public), Ok(false));
        }
    }

    #[test]
    fn what_is_no_key_is_an_error_without_the_text() {
        let wrong = proves(&PrivateKeyPem::new("SECRET".into()), "x").expect_err("no key");
        assert!(!format!("{wrong} {wrong:?}").contains("SECRET"));
    }
}
