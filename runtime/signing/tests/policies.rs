//! Policies of every kind that CloudFront's documentation and AWS's SDKs know, against the texts and signatures
//! that `OpenSSL` made of them: see `data/README.md`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use contract::edge_config::SignatureHash;
use contract::keyring::PrivateKeyPem;
use serde_json::Value;
use signing::{CookieSet, Network, Policy, PublicKey, SigningKey, TrustedKey, Viewing, matches, open};

const HASHES: [(SignatureHash, &str); 2] = [(SignatureHash::Sha1, "sha1"), (SignatureHash::Sha256, "sha256")];

fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read_to_string(path).expect("a file of test data")
}

struct Case {
    name: String,
    policy: Policy,
    fields: Value,
}

impl Case {
    fn field(&self, name: &str) -> &str {
        self.fields[name].as_str().expect("text")
    }
}

fn cases() -> Vec<Case> {
    let list: Vec<Value> = serde_json::from_str(&data("policies.json")).expect("a list");
    list.into_iter()
        .map(|fields| Case {
            name: fields["name"].as_str().expect("a name").to_owned(),
            policy: Policy {
                resource: fields["resource"].as_str().expect("a resource").to_owned(),
                expires: fields["expires"].as_u64().expect("a time"),
                not_before: fields["not_before"].as_u64(),
                network: fields["network"].as_str().map(|text| Network::parse(text).expect("a network")),
            },
            fields,
        })
        .collect()
}

fn key(kind: &str) -> SigningKey {
    SigningKey::from_pem(&PrivateKeyPem::new(data(&format!("{kind}.pem")))).expect("a test key")
}

fn trusted(kind: &str) -> TrustedKey {
    let key = PublicKey::from_pem(&data(&format!("{kind}.pub.pem"))).expect("a test key");
    TrustedKey { id: "K1".into(), key }
}

#[test]
fn texts_are_those_of_the_documentation() {
    for case in cases() {
        assert_eq!(case.policy.text(), case.field("text"), "{}", case.name);
        assert_eq!(signing::encode(case.policy.text().as_bytes()), case.field("policy"), "{}", case.name);
        assert_eq!(Policy::parse(case.field("text")), Ok(case.policy.clone()), "{}", case.name);
    }
}

#[test]
fn rsa_signatures_are_those_of_openssl() {
    for case in cases() {
        for (hash, name) in HASHES {
            let signed = CookieSet::sign(&key("rsa"), "K1", &case.policy, hash).expect("a signature");
            assert_eq!(signed.signature, case.field(&format!("rsa_{name}")), "{} {name}", case.name);
            assert_eq!(signed.policy, case.field("policy"), "{} {name}", case.name);
        }
    }
}

/// A URL that the resource covers, and whether a viewer may see it at this time from this address.
fn viewing<'a>(case: &'a Case, url: &'a str) -> Viewing<'a> {
    let policy = &case.policy;
    let address = case.fields["network"].as_str().and_then(|network| network.split('/').next()?.parse().ok());
    Viewing { url, now: policy.expires - 1, address }
}

#[test]
fn cookies_of_openssl_open_what_their_policy_says_and_nothing_else() {
    for case in cases() {
        let url = case.policy.resource.replace('*', "a").replace("??", "07");
        for kind in ["rsa", "ecdsa"] {
            for (hash, name) in HASHES {
                let cookies = CookieSet {
                    policy: case.field("policy").to_owned(),
                    signature: case.field(&format!("{kind}_{name}")).to_owned(),
                    key_id: "K1".into(),
                    hash,
                };
                let opens = |viewing| open(&cookies, &[trusted(kind)], viewing).is_ok();
                let good = viewing(&case, &url);
                assert!(opens(good), "{} {kind} {name}", case.name);
                assert!(!opens(Viewing { now: case.policy.expires, ..good }), "{} {kind} {name}", case.name);
                assert!(!opens(Viewing { url: "https://other.example.org/", ..good }), "{}", case.name);
                if let Some(start) = case.policy.not_before {
                    assert!(!opens(Viewing { now: start, ..good }), "{} {kind} {name}", case.name);
                }
                if case.policy.network.is_some() {
                    assert!(!opens(Viewing { address: None, ..good }), "{} {kind} {name}", case.name);
                }
                // With the other hash's name, or as the other key's, the same signature is none.
                let (other_hash, _) = HASHES.into_iter().find(|(other, _)| *other != hash).expect("another");
                let renamed = CookieSet { hash: other_hash, ..cookies.clone() };
                assert!(open(&renamed, &[trusted(kind)], good).is_err(), "{} {kind} {name}", case.name);
                let other_kind = if kind == "rsa" { "ecdsa" } else { "rsa" };
                assert!(open(&cookies, &[trusted(other_kind)], good).is_err(), "{} {kind} {name}", case.name);
            }
        }
    }
}

#[test]
fn the_signature_of_one_policy_opens_no_other() {
    let cases = cases();
    for (case, other) in cases.iter().zip(cases.iter().cycle().skip(1)) {
        let cookies = CookieSet {
            policy: other.field("policy").to_owned(),
            signature: case.field("rsa_sha256").to_owned(),
            key_id: "K1".into(),
            hash: SignatureHash::Sha256,
        };
        let url = other.policy.resource.replace('*', "a").replace("??", "07");
        assert!(matches(&other.policy.resource, &url));
        assert!(open(&cookies, &[trusted("rsa")], viewing(other, &url)).is_err(), "{}", other.name);
    }
}

/// Passes with a note where there is no `openssl`: the fixed vectors hold without it.
#[test]
fn a_live_openssl_judges_every_policy_both_ways() {
    let openssl = |arguments: &[&std::ffi::OsStr]| Command::new("openssl").args(arguments).output();
    if openssl(&["version".as_ref()]).is_err() {
        println!("no `openssl` binary: not judged by it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let (message, signature) = (folder.path().join("policy"), folder.path().join("signature"));
    for case in cases() {
        fs::write(&message, case.policy.text()).expect("a file");
        for kind in ["rsa", "ecdsa"] {
            let (private, public) = (path(&format!("{kind}.pem")), path(&format!("{kind}.pub.pem")));
            for (hash, name) in HASHES {
                let option = format!("-{name}");
                let ours = key(kind).sign(case.policy.text().as_bytes(), hash).expect("a signature");
                fs::write(&signature, ours).expect("a file");
                let verify = [
                    "dgst".as_ref(),
                    option.as_ref(),
                    "-verify".as_ref(),
                    public.as_os_str(),
                    "-signature".as_ref(),
                ];
                let verify = [&verify[..], &[signature.as_os_str(), message.as_os_str()]].concat();
                let judged = openssl(&verify).expect("openssl runs");
                assert!(judged.status.success(), "{} {kind} {name}", case.name);
                let sign = [
                    "dgst".as_ref(),
                    option.as_ref(),
                    "-sign".as_ref(),
                    private.as_os_str(),
                    message.as_os_str(),
                ];
                let theirs = openssl(&sign).expect("openssl runs").stdout;
                let public = trusted(kind).key;
                assert!(
                    public.verifies(case.policy.text().as_bytes(), &theirs, hash),
                    "{} {kind} {name}",
                    case.name
                );
            }
        }
    }
}
