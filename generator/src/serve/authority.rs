//! A certificate authority of this machine alone, made on first use, and the certificates that it signs.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

use super::error::ServeError;

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key.pem";
/// How long the authority is good, and each certificate of a server.
const YEARS: Duration = Duration::days(3_650);
const SERVER: Duration = Duration::days(90);

/// The authority.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
}

impl Authority {
    /// The authority in `folder`, made there where there is none. Only the user may read its key.
    ///
    /// # Errors
    /// A folder that cannot be written, or files in it that are no authority.
    pub(super) fn open(folder: &Path, now: SystemTime) -> Result<Self, ServeError> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if !certificate.is_file() || !key.is_file() {
            make(folder, &certificate, &key, now)?;
        }
        let pem = fs::read_to_string(&key).map_err(ServeError::io("read", &key))?;
        let pair = KeyPair::from_pem(&pem).map_err(|error| ServeError::Certificate(error.to_string()))?;
        // Name and key are all that a signature needs of the certificate, and both are fixed.
        Ok(Self { issuer: Issuer::new(params(now), pair), certificate })
    }

    /// File with the authority's certificate, to be given to a browser or to `curl --cacert`.
    #[must_use]
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Certificates for these hosts, one each.
    ///
    /// # Errors
    /// A name that no certificate can have.
    pub(super) fn certify(
        &self,
        hosts: impl IntoIterator<Item = String>,
        now: SystemTime,
    ) -> Result<Certificates, ServeError> {
        let refused = |error: rcgen::Error| ServeError::Certificate(error.to_string());
        let pair = KeyPair::generate().map_err(refused)?;
        let der = PrivateKeyDer::try_from(pair.serialize_der())
            .map_err(|error| ServeError::Certificate(error.to_owned()))?;
        let key = any_supported_type(&der).map_err(|error| ServeError::Certificate(error.to_string()))?;
        let mut by_host = BTreeMap::new();
        for host in hosts {
            let mut params = CertificateParams::new(vec![host.clone()]).map_err(refused)?;
            params.distinguished_name = name(&host);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let now = OffsetDateTime::from(now);
            (params.not_before, params.not_after) = (now - Duration::DAY, now + SERVER);
            let certificate = params.signed_by(&pair, &self.issuer).map_err(refused)?;
            let chain = vec![CertificateDer::from(certificate.der().to_vec()), self.own()?];
            by_host.insert(host, Arc::new(CertifiedKey::new(chain, Arc::clone(&key))));
        }
        Ok(Certificates(by_host))
    }

    fn own(&self) -> Result<CertificateDer<'static>, ServeError> {
        CertificateDer::from_pem_file(&self.certificate)
            .map_err(|error| ServeError::Certificate(error.to_string()))
    }
}

fn make(folder: &Path, certificate: &Path, key: &Path, now: SystemTime) -> Result<(), ServeError> {
    let refused = |error: rcgen::Error| ServeError::Certificate(error.to_string());
    fs::create_dir_all(folder).map_err(ServeError::io("create", folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(ServeError::io("close", folder))?;
    let pair = KeyPair::generate().map_err(refused)?;
    let own = params(now).self_signed(&pair).map_err(refused)?;
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(key);
    // Of a key that was there before, the mode is what it was.
    let written = file.and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(pair.serialize_pem().as_bytes())
    });
    written.map_err(ServeError::io("write", key))?;
    fs::write(certificate, own.pem()).map_err(ServeError::io("write", certificate))
}

fn params(now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("generator serve on this machine");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = OffsetDateTime::from(now);
    (params.not_before, params.not_after) = (now - Duration::DAY, now + YEARS);
    params
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// Certificates by host name. A host that is not served gets none: the connection ends there.
#[derive(Debug, Default)]
pub(super) struct Certificates(BTreeMap<String, Arc<CertifiedKey>>);

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.get(&hello.server_name()?.to_ascii_lowercase()).map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_made_once_and_only_its_owner_reads_the_key() {
        let folder = tempfile::tempdir().expect("a folder");
        // Half an authority is made anew, whoever could read the half.
        fs::write(folder.path().join(KEY), "").expect("a file");
        fs::set_permissions(folder.path().join(KEY), Permissions::from_mode(0o644)).expect("a mode");
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
        let first = Authority::open(folder.path(), now).expect("an authority");
        let pem = fs::read(first.certificate()).expect("its certificate");
        let again = Authority::open(folder.path(), now).expect("the same authority");
        assert_eq!(fs::read(again.certificate()).expect("its certificate"), pem);
        let mode = fs::metadata(folder.path().join(KEY)).expect("the key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mode = fs::metadata(folder.path()).expect("the folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let certificates = again.certify(["demo.localhost".to_owned()], now).expect("a certificate");
        let chain = &certificates.0["demo.localhost"].cert;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(chain[1].clone()).expect("the authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let client = client.build().expect("a verifier");
        let at = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
        let judge = |host: &'static str| {
            use rustls::client::danger::ServerCertVerifier as _;
            let host = host.try_into().expect("a name");
            client.verify_server_cert(&chain[0], &chain[1..], &host, &[], at).is_ok()
        };
        assert!(judge("demo.localhost"));
        assert!(!judge("acme.localhost"));
    }
}
