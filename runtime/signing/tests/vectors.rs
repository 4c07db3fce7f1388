//! Fixed keys and texts, judged by implementations other than the one that signs: `OpenSSL` made the
//! signatures below, and the `rsa` crate checks ours.

use std::fs;
use std::path::PathBuf;

use contract::edge_config::SignatureHash;
use contract::keyring::{KeyAlgorithm, PrivateKeyPem};
use rsa::pkcs8::DecodePublicKey as _;
use signing::{CookieSet, KeyError, Policy, PublicKey, SigningKey};

/// What `openssl base64` makes of the policy text for this host and time, with the alphabet replaced.
const HOST: &str = "media.example.com";
const EXPIRES: u64 = 1_767_225_600;
const POLICY: &str = concat!(
    "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiaHR0cHM6Ly9tZWRpYS5leGFtcGxlLmNvbS8qIiwiQ29uZGl0aW9uIjp7",
    "IkRhdGVMZXNzVGhhbiI6eyJBV1M6RXBvY2hUaW1lIjoxNzY3MjI1NjAwfX19XX0_",
);

/// `openssl dgst -sha256 -sign rsa.pem` of the same text.
const RSA_SHA256: &str = concat!(
    "X-FH~Z4auWUrONOSW1OoayrpjZXp5nH8Hpucm9cdy3oB0eOxzIdRlLLnInqyOHYvVcTiZezPvnQlfVcimp37XdeAGyc4",
    "qM6kHSknGvvAnl7hSgM2INuhcUkbNR5Mxneck5ebwneRN-r7~U0T-7iQgXsGS6vOe6RmlXkfV36ItCbUeF6pIMr1BL1W",
    "Gr7d2ltFu3vkTK5DC5pAd~cXLgAqhu~-1PlYMedja8J8bRb~vxfowbb3sCkX05UM6ZnZ1CLV2CbsWi3U~LmEgN6VTYXu",
    "2wLmBAlryz7hp8uAP4IaWecXKapLdI7azNraavZ3IKl-hoApDE7Njpz8TlIGqKyqbA__",
);

/// `openssl dgst -sha1 -sign rsa.pem`.
const RSA_SHA1: &str = concat!(
    "x834bt6ZlVA~8jCdMUA8eI3GyX8ozL98bO5TpQiT2uB0JwS59fwattfHEL1BjUB-vpfJstY2Ka4PEEkCk-tO948i5Es8",
    "WGw6tW4Q~1csSqqAhRZ~32TfXbDI5YerqQfzR55MNAGHsoAa4Gn22sNv6WwJQPMJ7NYHMtR3C9I4rrp9-upwlVV7mUKW",
    "vCy0uBwqFl9UTWTDkyW8SjcQX1hXB24DAVEHFmcyE7L0q5Akzcj9wLDYvwMKEP8B5gmtSfpaT~e36eJpmzzjJJHP04up",
    "krqR3oQ6q105NkyheiyhEslwy-eOGuKTkG6kDBR~g02SMZdD8DBWVZUdrRIX02ZHvg__",
);

/// `openssl dgst -sha256 -sign ecdsa.pem`: one of many signatures that are good.
const ECDSA_SHA256: &str = concat!(
    "MEUCIQDpXp5vzk58wh9rUU2TF-UGShtlPZEYptVt2RYhaqzRFgIgbPNluQpFeho3SvrMI0rZQJ6L~t45GdT4BVfydZb3",
    "e3Q_",
);

/// `openssl dgst -sha1 -sign ecdsa.pem`.
const ECDSA_SHA1: &str = concat!(
    "MEUCIFSlIupE31JxczvloFK92pVL-rWi7ScZfsdc6ahGV716AiEA~XDLyZ9YgMNoWx148R~j58u05cn7Lor~gMX7teoW",
    "pgk_",
);

const HASHES: [SignatureHash; 2] = [SignatureHash::Sha256, SignatureHash::Sha1];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).expect("a file of test data")
}

fn private_key(name: &str) -> SigningKey {
    SigningKey::from_pem(&PrivateKeyPem::new(read(name))).expect("a test key")
}

fn public_key(name: &str) -> PublicKey {
    PublicKey::from_pem(&read(name)).expect("a test key")
}

fn cookies(key: &str, hash: SignatureHash) -> CookieSet {
    CookieSet::sign(&private_key(key), "K1", &Policy::of_host(HOST, EXPIRES), hash).expect("a signature")
}

#[test]
fn rsa_signatures_are_those_of_openssl() {
    let sha256 = cookies("rsa.pem", SignatureHash::Sha256);
    assert_eq!((sha256.policy.as_str(), sha256.signature.as_str()), (POLICY, RSA_SHA256));
    let sha1 = cookies("rsa.pem", SignatureHash::Sha1);
    assert_eq!((sha1.policy.as_str(), sha1.signature.as_str()), (POLICY, RSA_SHA1));
}

#[test]
fn signatures_of_openssl_are_accepted_with_their_own_hash_and_key_only() {
    let text = Policy::of_host(HOST, EXPIRES).text();
    let vectors = [
        ("rsa.pub.pem", SignatureHash::Sha256, RSA_SHA256),
        ("rsa.pub.pem", SignatureHash::Sha1, RSA_SHA1),
        ("ecdsa.pub.pem", SignatureHash::Sha256, ECDSA_SHA256),
        ("ecdsa.pub.pem", SignatureHash::Sha1, ECDSA_SHA1),
    ];
    for (key, hash, signature) in vectors {
        let signature = signing::decode(signature).expect("CloudFront's base64");
        for (other_key, ..) in vectors {
            for other_hash in HASHES {
                let right = other_key == key && other_hash == hash;
                let verifies = public_key(other_key).verifies(text.as_bytes(), &signature, other_hash);
                assert_eq!(verifies, right, "{key} {hash:?} checked as {other_key} {other_hash:?}");
            }
        }
        assert!(!public_key(key).verifies(b"another text", &signature, hash), "{key} {hash:?}");
    }
}

#[test]
fn the_rsa_crate_accepts_our_signatures() {
    let key = rsa::RsaPublicKey::from_public_key_pem(&read("rsa.pub.pem")).expect("a public key");
    let text = Policy::of_host(HOST, EXPIRES).text();
    for hash in HASHES {
        let signature = signing::decode(&cookies("rsa.pem", hash).signature).expect("CloudFront's base64");
        let (padding, digest) = match hash {
            SignatureHash::Sha256 => {
                use sha2::Digest as _;
                (rsa::Pkcs1v15Sign::new::<sha2::Sha256>(), sha2::Sha256::digest(&text).to_vec())
            }
            SignatureHash::Sha1 => {
                use sha1::Digest as _;
                (rsa::Pkcs1v15Sign::new::<sha1::Sha1>(), sha1::Sha1::digest(&text).to_vec())
            }
        };
        assert!(key.verify(padding, &digest, &signature).is_ok(), "{hash:?}");
    }
}

#[test]
fn every_signature_of_ours_is_accepted_by_our_public_key() {
    let text = Policy::of_host(HOST, EXPIRES).text();
    for kind in ["rsa", "ecdsa"] {
        for hash in HASHES {
            for _ in 0..20 {
                let signature = private_key(&format!("{kind}.pem")).sign(text.as_bytes(), hash);
                let key = public_key(&format!("{kind}.pub.pem"));
                assert!(key.verifies(text.as_bytes(), &signature.expect("a signature"), hash));
            }
        }
    }
}

#[test]
fn the_public_half_is_that_of_openssl() {
    for (kind, algorithm) in [("rsa", KeyAlgorithm::Rsa2048), ("ecdsa", KeyAlgorithm::EcdsaP256)] {
        let key = private_key(&format!("{kind}.pem"));
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.public_key_pem().expect("a public key"), read(&format!("{kind}.pub.pem")));
        assert_eq!(public_key(&format!("{kind}.pub.pem")).algorithm(), algorithm);
    }
}

#[test]
fn keys_that_cloudfront_refuses_are_refused() {
    let refusal = |text: String| SigningKey::from_pem(&PrivateKeyPem::new(text)).map(|_| ());
    assert_eq!(refusal(read("rsa-3072.pem")), Err(KeyError::Kind));
    assert_eq!(refusal(read("rsa.pub.pem")), Err(KeyError::Pem("PRIVATE KEY")));
    assert_eq!(refusal(String::new()), Err(KeyError::Pem("PRIVATE KEY")));
    assert_eq!(refusal(read("rsa.pem").replace("MII", "AAA")), Err(KeyError::Kind));
    assert_eq!(PublicKey::from_pem(&read("rsa.pem")).map(|_| ()), Err(KeyError::Pem("PUBLIC KEY")));
    let large = rsa::pkcs8::EncodePublicKey::to_public_key_pem(
        &rsa::RsaPublicKey::from(
            &<rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_pem(&read("rsa-3072.pem"))
                .expect("a test key"),
        ),
        rsa::pkcs8::LineEnding::LF,
    )
    .expect("a public key");
    assert_eq!(PublicKey::from_pem(&large).map(|_| ()), Err(KeyError::Kind));
}

#[test]
fn a_key_shows_itself_nowhere() {
    assert_eq!(format!("{:?}", private_key("ecdsa.pem")), "SigningKey(ecdsa-p256, redacted)");
}
