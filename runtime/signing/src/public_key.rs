//! The public key that checks signatures.

use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA1_ASN1, ECDSA_P256_SHA256_ASN1, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use contract::edge_config::SignatureHash;
use contract::keyring::KeyAlgorithm;

use crate::pem;
use crate::private_key::KeyError;

/// A public key as it stands in CloudFront.
#[derive(Debug, Clone)]
pub struct PublicKey {
    der: Vec<u8>,
    algorithm: KeyAlgorithm,
}

impl PublicKey {
    /// Parses a SubjectPublicKeyInfo in PEM.
    ///
    /// # Errors
    /// Where the text is not one `PUBLIC KEY` block, or the key is of a kind that CloudFront refuses.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        const LABEL: &str = "PUBLIC KEY";
        let der = pem::decode(pem, LABEL).ok_or(KeyError::Pem(LABEL))?;
        let algorithm = match RsaPublicKey::from_der(&der) {
            Ok(_) if bits_of_rsa(&der) == Some(2_048) => KeyAlgorithm::Rsa2048,
            Ok(_) => return Err(KeyError::Kind),
            Err(_) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &der).map_err(|_| KeyError::Kind)?;
                KeyAlgorithm::EcdsaP256
            }
        };
        Ok(Self { der, algorithm })
    }

    /// Kind of the key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Whether `signature` was made over `message` with the private half of this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8], hash: SignatureHash) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.algorithm, hash) {
            (KeyAlgorithm::Rsa2048, SignatureHash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (KeyAlgorithm::Rsa2048, SignatureHash::Sha1) => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (KeyAlgorithm::EcdsaP256, SignatureHash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (KeyAlgorithm::EcdsaP256, SignatureHash::Sha1) => &ECDSA_P256_SHA1_ASN1,
        };
        UnparsedPublicKey::new(algorithm, &self.der).verify(message, signature).is_ok()
    }
}

/// Size of the modulus in a SubjectPublicKeyInfo of RSA, in bits.
fn bits_of_rsa(der: &[u8]) -> Option<usize> {
    use rsa::pkcs8::DecodePublicKey as _;
    use rsa::traits::PublicKeyParts as _;
    Some(rsa::RsaPublicKey::from_public_key_der(der).ok()?.n().bits())
}
