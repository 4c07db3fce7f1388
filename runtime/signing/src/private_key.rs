//! The private key that signs policies.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use contract::edge_config::SignatureHash;
use contract::keyring::{KeyAlgorithm, PrivateKeyPem};
use thiserror::Error;

use crate::legacy::LegacyKey;
use crate::pem;

/// Length of an RSA modulus that CloudFront takes, in bytes.
const RSA_2048_BYTES: usize = 256;

/// Why a text is no key that CloudFront would take. Says nothing of the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not one PEM block of the expected label.
    #[error("the key is not one PEM block labelled `{0}`")]
    Pem(&'static str),
    /// Neither kind of key that CloudFront takes.
    #[error("the key is neither RSA with 2048 bits nor ECDSA on P-256")]
    Kind,
}

/// A signature could not be made: the crypto library refused, or had no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the policy could not be signed")]
pub struct SignError;

/// A parsed private key. Parsing costs as much as several signatures, so it is done once.
pub struct SigningKey(Pair);

enum Pair {
    Rsa {
        pair: Box<RsaKeyPair>,
        // SHA-1 is signed by another interface, whose form of the key is made at the first such signature.
        legacy: OnceLock<Option<LegacyKey>>,
    },
    Ecdsa(Box<EcdsaKeyPair>),
}

impl SigningKey {
    /// Parses a PKCS#8 PEM text.
    ///
    /// # Errors
    /// Where the text is not one `PRIVATE KEY` block, or the key is of a kind that CloudFront refuses.
    pub fn from_pem(pem: &PrivateKeyPem) -> Result<Self, KeyError> {
        const LABEL: &str = "PRIVATE KEY";
        let der = pem::decode(pem.expose(), LABEL).ok_or(KeyError::Pem(LABEL))?;
        if let Ok(pair) = RsaKeyPair::from_pkcs8(&der) {
            if pair.public_modulus_len() != RSA_2048_BYTES {
                return Err(KeyError::Kind);
            }
            return Ok(Self(Pair::Rsa { pair: Box::new(pair), legacy: OnceLock::new() }));
        }
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).map_err(|_| KeyError::Kind)?;
        Ok(Self(Pair::Ecdsa(Box::new(pair))))
    }

    /// Kind of the key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.0 {
            Pair::Rsa { .. } => KeyAlgorithm::Rsa2048,
            Pair::Ecdsa(_) => KeyAlgorithm::EcdsaP256,
        }
    }

    /// The public half as a SubjectPublicKeyInfo in PEM, which is what CloudFront is given.
    ///
    /// # Errors
    /// Where the crypto library cannot write it.
    pub fn public_key_pem(&self) -> Result<String, KeyError> {
        let der: Result<PublicKeyX509Der<'static>, _> = match &self.0 {
            Pair::Rsa { pair, .. } => pair.public_key().as_der(),
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
        };
        Ok(pem::encode(der.map_err(|_| KeyError::Kind)?.as_ref(), "PUBLIC KEY"))
    }

    /// Signs `message`: PKCS#1 v1.5 with RSA, DER with ECDSA.
    ///
    /// # Errors
    /// Where the crypto library refuses.
    pub fn sign(&self, message: &[u8], hash: SignatureHash) -> Result<Vec<u8>, SignError> {
        match (&self.0, hash) {
            (Pair::Rsa { pair, .. }, SignatureHash::Sha256) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SignError)?;
                Ok(signature)
            }
            (Pair::Rsa { pair, legacy }, SignatureHash::Sha1) => {
                let key = legacy.get_or_init(|| legacy_form(pair)).as_ref().ok_or(SignError)?;
                key.sign(message).ok_or(SignError)
            }
            (Pair::Ecdsa(pair), hash) => {
                let digest = match hash {
                    SignatureHash::Sha256 => digest::digest(&digest::SHA256, message),
                    SignatureHash::Sha1 => sha1_as_wide_digest(message)?,
                };
                pair.sign_digest(&digest).map(|signature| signature.as_ref().to_vec()).map_err(|_| SignError)
            }
        }
    }
}

/// The key in the form of the interface that signs SHA-1 with RSA.
fn legacy_form(pair: &RsaKeyPair) -> Option<LegacyKey> {
    let der: Pkcs8V1Der<'static> = pair.as_der().ok()?;
    LegacyKey::from_pkcs8(der.as_ref())
}

/// The SHA-1 of `message` in the width of a SHA-256, filled with zeros at the front.
///
/// ECDSA signs a digest as one number, so the wider form of the same number gives a signature that is
/// good for the SHA-1, and aws-lc-rs takes P-256 together with that width only.
fn sha1_as_wide_digest(message: &[u8]) -> Result<Digest, SignError> {
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
    let mut wide = vec![0; digest::SHA256_OUTPUT_LEN - digest::SHA1_OUTPUT_LEN];
    wide.extend_from_slice(sha1.as_ref());
    Digest::import_less_safe(&wide, &digest::SHA256).map_err(|_| SignError)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.algorithm().as_str())
    }
}
