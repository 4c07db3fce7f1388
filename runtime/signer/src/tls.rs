//! TLS as the signer speaks it: what the endpoints of AWS take, and nothing else.
//!
//! The whole of what rustls and its list of authorities offer by default would be linked into the
//! function, post-quantum key exchange and curves that no endpoint of AWS needs among it.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};
use ureq::tls::{PemItem, RootCerts, parse_pem};
use webpki::aws_lc_rs as algorithms;

/// Every endpoint of AWS takes one of these, with TLS 1.3 or with TLS 1.2. AES-256 would bring in no more
/// safety than the key exchange has.
const SUITES: [rustls::SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
];

/// Signatures of the certificates and handshakes of public authorities: RSA, and ECDSA on two curves.
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        algorithms::ECDSA_P256_SHA256,
        algorithms::ECDSA_P256_SHA384,
        algorithms::ECDSA_P384_SHA256,
        algorithms::ECDSA_P384_SHA384,
        algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        algorithms::RSA_PKCS1_2048_8192_SHA256,
        algorithms::RSA_PKCS1_2048_8192_SHA384,
        algorithms::RSA_PKCS1_2048_8192_SHA512,
    ],
    // TLS 1.3 binds a curve to its hash; TLS 1.2 does not, so both curves stand under each there. The first
    // of a list is the one that TLS 1.3 uses.
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[algorithms::ECDSA_P384_SHA384, algorithms::ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256],
        ),
        (SignatureScheme::RSA_PSS_SHA256, &[algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA512, &[algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[algorithms::RSA_PKCS1_2048_8192_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[algorithms::RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[algorithms::RSA_PKCS1_2048_8192_SHA512]),
    ],
};

/// The cryptography of a connection, all of it from aws-lc.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Randomness,
        key_provider: &NoKeys,
    })
}

/// The authorities that sign the certificates of every endpoint of AWS: Amazon Trust Services' own four roots,
/// and the older one that vouches for them. No other authority of the world can put itself between the signer
/// and its private key. They are good until 2037; a test holds them against Mozilla's list.
/// Source: acm/latest/userguide/acm-concepts and the repository of Amazon Trust Services.
pub const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// Whom a connection trusts: Amazon's authorities, or those of a PEM file alone. A file that cannot be read,
/// or holds no certificate, leaves nobody to trust.
#[must_use]
pub fn roots(bundle: Option<&Path>) -> RootCerts {
    match bundle {
        Some(bundle) => certificates(&std::fs::read(bundle).unwrap_or_default()),
        None => certificates(AMAZON_ROOTS),
    }
}

fn certificates(pem: &[u8]) -> RootCerts {
    let certificates = parse_pem(pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    RootCerts::new_with_certs(&certificates.collect::<Vec<_>>())
}

#[derive(Debug)]
struct Randomness;

impl SecureRandom for Randomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// The signer is a client without a certificate of its own.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("a client without a certificate has no key".into()))
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_roots_are_those_that_mozilla_lists_for_amazon() {
        let ours: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS)
            .map(|certificate| certificate.expect("a certificate"))
            .collect();
        let anchors: Vec<_> =
            ours.iter().map(|der| webpki::anchor_from_trusted_cert(der).expect("an anchor")).collect();
        assert_eq!(anchors.len(), 5);
        for anchor in &anchors {
            assert!(webpki_roots::TLS_SERVER_ROOTS.contains(anchor), "{anchor:?}");
        }
        let named = |anchor: &&rustls::pki_types::TrustAnchor<'_>| {
            let subject = String::from_utf8_lossy(&anchor.subject).into_owned();
            subject.contains("Amazon Root CA") || subject.contains("Starfield Services Root")
        };
        assert_eq!(webpki_roots::TLS_SERVER_ROOTS.iter().filter(named).count(), anchors.len());
    }

    #[test]
    fn a_bundle_that_cannot_be_read_leaves_nobody_to_trust() {
        let trusted = |bundle: Option<&str>| match roots(bundle.map(Path::new)) {
            RootCerts::Specific(certificates) => certificates.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(trusted(None), 5);
        assert_eq!(trusted(Some("/no/such/file")), 0);
        assert_eq!(trusted(Some("Cargo.toml")), 0);
    }
}
