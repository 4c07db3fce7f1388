//! The one HTTP client that all services share, so that connections are reused.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Without TLS, for a local cloud on this computer: no certificate store is read.
pub(super) fn plain() -> SharedHttpClient {
    Builder::new().build_http()
}

/// With the certificate authorities of the system.
pub(super) fn https() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

/// With the certificate authorities in `pem` and no others. The error is the reason as text.
pub(super) fn trusting(pem: &[u8]) -> Result<SharedHttpClient, String> {
    let text = std::str::from_utf8(pem).map_err(|error| error.to_string())?;
    let certificates = certificates(text)?;
    if certificates.is_empty() {
        return Err(format!("there is no `{BEGIN}` in it"));
    }
    let mut store = TrustStore::empty();
    for certificate in certificates {
        store.add_pem_certificate(certificate);
    }
    let context = TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https())
}

/// The certificate blocks of a PEM text. Each is checked here, because the TLS library ends the process
/// on one that it cannot read.
fn certificates(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let body = &rest[start + BEGIN.len()..];
        let end = body.find(END).ok_or_else(|| format!("certificate {} has no end", found.len() + 1))?;
        let base64: String = body[..end].chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der =
            STANDARD.decode(&base64).map_err(|error| format!("certificate {}: {error}", found.len() + 1))?;
        if !is_whole_sequence(&der) {
            return Err(format!("certificate {} is not an X.509 certificate", found.len() + 1));
        }
        found.push(format!("{BEGIN}{}{END}\n", &body[..end]));
        rest = &body[end + END.len()..];
    }
    Ok(found)
}

/// Whether `der` is one DER sequence of the length that its header says.
fn is_whole_sequence(der: &[u8]) -> bool {
    let (Some(0x30), Some(&first)) = (der.first(), der.get(1)) else { return false };
    let extra = if first & 0x80 == 0 { 0 } else { usize::from(first & 0x7f) };
    if extra > 4 || der.len() < 2 + extra {
        return false;
    }
    let length = match extra {
        0 => usize::from(first),
        _ => der[2..2 + extra].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
    };
    der.len() == 2 + extra + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_certificates_are_taken() {
        let whole = format!("# comment\n{BEGIN}\nMAMCAQE=\n{END}\n{BEGIN}\nMAMCAQE=\n{END}\n");
        assert_eq!(certificates(&whole).map(|found| found.len()), Ok(2));
        assert!(certificates(&format!("{BEGIN}\nMAMCAQ==\n{END}")).is_err());
        assert!(certificates(&format!("{BEGIN}\nMAMCAQE=")).is_err());
        assert_eq!(certificates("nothing"), Ok(vec![]));
    }
}
