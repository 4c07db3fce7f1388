//! Certificates made anew for each test: a root, and servers that hold what it, or somebody else, has signed.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// Somebody who signs certificates.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// What a server shows, and what it signs handshakes with.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn rustls::sign::SigningKey>,
}

/// What an authority's certificate says of it.
///
/// # Panics
/// Never: the name is text.
#[must_use]
pub fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// What the certificate of a server on `host` says of it.
///
/// # Panics
/// Where `host` is no name that a certificate can hold.
#[must_use]
pub fn server_params(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).expect("a host")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}

/// A root of its own.
///
/// # Panics
/// Where no key can be made.
#[must_use]
pub fn root(params: CertificateParams) -> Authority {
    CertifiedIssuer::self_signed(params, key()).expect("a certificate")
}

/// An authority below `issuer`, or whatever `params` make of it.
///
/// # Panics
/// Where no key can be made.
#[must_use]
pub fn below(issuer: &Authority, params: CertificateParams) -> Authority {
    below_with(issuer, params, key())
}

/// The same, with a key of the caller's.
///
/// # Panics
/// Where the key cannot be certified.
#[must_use]
pub fn below_with(issuer: &Authority, params: CertificateParams, key: KeyPair) -> Authority {
    CertifiedIssuer::signed_by(params, key, issuer).expect("a certificate")
}

impl Identity {
    /// A server whose certificate `issuer` has signed, and that shows `between` after it.
    ///
    /// # Panics
    /// Where no key can be made.
    #[must_use]
    pub fn signed_by(issuer: &Authority, between: &[&Authority], params: &CertificateParams) -> Self {
        let key = key();
        let leaf = params.signed_by(&key, issuer).expect("a certificate");
        let between = between.iter().map(|authority| authority.der().clone());
        Self { chain: std::iter::once(leaf.der().clone()).chain(between).collect(), key: signing_key(&key) }
    }

    /// A server that has signed its certificate itself.
    ///
    /// # Panics
    /// Where no key can be made.
    #[must_use]
    pub fn self_signed(params: &CertificateParams) -> Self {
        let key = key();
        let leaf = params.self_signed(&key).expect("a certificate");
        Self { chain: vec![leaf.der().clone()], key: signing_key(&key) }
    }

    /// The same certificates in the hands of somebody who has another key.
    ///
    /// # Panics
    /// Where no key can be made.
    #[must_use]
    pub fn stolen(self) -> Self {
        Self { key: signing_key(&key()), ..self }
    }

    /// The same, with one bit of the server's certificate changed: the last one, which is of the signature.
    #[must_use]
    pub fn altered(mut self) -> Self {
        let mut leaf = self.chain[0].to_vec();
        if let Some(last) = leaf.last_mut() {
            *last ^= 1;
        }
        self.chain[0] = leaf.into();
        self
    }

    pub(crate) fn server(self) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("a configuration of TLS")
            .with_no_client_auth()
            // Not the usual way, which would see that a key is not the certificate's.
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(self.chain, self.key))));
        // Each connection shows its certificate anew.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Arc::new(config)
    }
}

fn signing_key(key: &KeyPair) -> Arc<dyn rustls::sign::SigningKey> {
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    any_supported_type(&der).expect("a key")
}
