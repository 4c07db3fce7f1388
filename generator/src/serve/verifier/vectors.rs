//! Signed URLs and cookies that AWS has published with its own signers, judged here.
//!
//! `vectors.json` has the cases and the public keys of AWS's specification of these signers as they stand in the tests
//! of aws-cli (`tests/functional/cloudfront/testdata`) and of aws-sdk-ruby (`url_signer_spec.rb`), and the older cases
//! of aws-cli (`test_sign.py`) and aws-sdk-ruby (`cookie_signer_spec.rb`). Both are under the Apache License 2.0. Cases
//! of ECDSA have no fixed signature there; OpenSSL's are judged in `tests.rs`.

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::edge_config::SignatureHash;
use serde_json::Value;
use signing::{PublicKey, TrustedKey};

use super::judge::opens;
use super::{Grant, Refusal, Seen, Verified, judge, own_query};

/// A published case.
struct Case<'a>(&'a Value);

impl Case<'_> {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_else(|| panic!("no `{field}`"))
    }

    fn query(&self) -> Option<&str> {
        self.0["query"].as_str()
    }

    fn expires(&self) -> u64 {
        self.0["expires"].as_u64().expect("a time")
    }

    /// What becomes of a request with this query and these cookies, a second before the end.
    fn judged(&self, pem: &str, query: Option<&str>, cookies: &str) -> Result<(), Refusal> {
        let url = match query {
            // What is left of the query belongs to the URL.
            Some(_) => {
                let path = self.text("url").split('?').next().unwrap_or_default();
                own_query(query).map_or(path.to_owned(), |own| format!("{path}?{own}"))
            }
            None => self.text("url").to_owned(),
        };
        self.at(pem, query, cookies, &url, self.expires() - 1)
    }

    fn at(&self, pem: &str, query: Option<&str>, cookies: &str, url: &str, now: u64) -> Result<(), Refusal> {
        let grant = Grant::read(query, &[cookies])?;
        if grant.key_id() != self.text("key") {
            return Err(Refusal::UnknownKey);
        }
        let seen = Seen { url, now, viewer: self.text("viewer").parse().expect("an address") };
        opens(&grant, seen, |text, signature| verifies(pem, text, signature, grant.hash))
    }
}

/// Most of AWS's test keys have 1,024 bits, which CloudFront would not take.
fn verifies(pem: &str, text: &[u8], signature: &[u8], hash: SignatureHash) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match hash {
        SignatureHash::Sha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureHash::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    };
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("base64");
    UnparsedPublicKey::new(algorithm, &der).verify(text, signature).is_ok()
}

fn each(check: impl Fn(&Case<'_>, &str)) {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).expect("JSON");
    let cases = vectors["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 19);
    for case in cases.iter().map(Case) {
        check(&case, vectors["keys"][case.text("key")].as_str().expect("a key"));
    }
}

#[test]
fn what_aws_has_signed_opens_its_url_until_its_end() {
    each(|case, pem| {
        let (name, query, cookies) = (case.text("name"), case.query(), case.text("cookies"));
        assert_eq!(case.judged(pem, query, cookies), Ok(()), "{name}");
        let late = case.at(pem, query, cookies, case.text("url"), case.expires());
        assert_eq!(late, Err(Refusal::Denied), "{name}");
        let other = case.at(pem, query, cookies, "https://other.example/image.jpg", case.expires() - 1);
        assert_eq!(other, Err(Refusal::Denied), "{name}");
    });
}

/// Keys of a size that CloudFront takes: by the judge as a whole.
#[test]
fn what_aws_has_signed_with_2048_bits_opens_with_the_trusted_key() {
    let judged = std::cell::Cell::new(0);
    each(|case, pem| {
        let Ok(key) = PublicKey::from_pem(pem) else { return };
        let trusted = [TrustedKey { id: case.text("key").into(), key }];
        let grant = Grant::read(case.query(), &[case.text("cookies")]).expect("a grant");
        let viewer = case.text("viewer").parse().expect("an address");
        let seen = Seen { url: case.text("url"), now: case.expires() - 1, viewer };
        assert_eq!(judge(&grant, &trusted, seen, &Verified::default()), Ok(()), "{}", case.text("name"));
        judged.set(judged.get() + 1);
    });
    assert_eq!(judged.get(), 2);
}

/// Of the cookies, or of the query of a signed URL.
#[test]
fn every_single_bit_of_what_aws_has_signed_counts() {
    each(|case, pem| {
        let cookies = case.text("cookies");
        let shown = case.query().unwrap_or(cookies);
        for (byte, bit) in (0..shown.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut bytes = shown.as_bytes().to_vec();
            bytes[byte] ^= 1 << bit;
            let Ok(turned) = String::from_utf8(bytes) else { continue };
            let judged = match case.query() {
                Some(_) => case.judged(pem, Some(&turned), cookies),
                None => case.judged(pem, None, &turned),
            };
            assert!(judged.is_err(), "{}: bit {bit} of byte {byte}: {turned}", case.text("name"));
        }
    });
}
