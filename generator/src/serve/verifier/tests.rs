//! The judge against signatures of AWS's own tools and of OpenSSL, and against everything that is nearly right.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use contract::edge_config::SignatureHash;
use contract::keyring::PrivateKeyPem;
use signing::{CookieSet, Policy, PublicKey, SigningKey, TrustedKey};

use super::*;

pub(super) const HOST: &str = "media.example.com";
pub(super) const URL: &str = "https://media.example.com/a/b.png";
pub(super) const EXPIRES: u64 = 1_767_225_600;
pub(super) const NOW: u64 = EXPIRES - 60;
const VIEWER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
pub(super) const HASHES: [SignatureHash; 2] = [SignatureHash::Sha256, SignatureHash::Sha1];
pub(super) const KINDS: [(&str, &str, &str); 2] = [
    ("RSA", testkit::fixture::RSA, testkit::fixture::RSA_PUBLIC),
    ("EC", testkit::fixture::ECDSA, testkit::fixture::ECDSA_PUBLIC),
];

fn trusted() -> Vec<TrustedKey> {
    let key = |(id, _, public): (&str, &str, &str)| TrustedKey {
        id: id.into(),
        key: PublicKey::from_pem(public).expect("a test key"),
    };
    KINDS.map(key).into()
}

pub(super) fn signing_key(id: &str) -> SigningKey {
    let (.., private, _) = KINDS.into_iter().find(|(kind, ..)| *kind == id).expect("a kind");
    SigningKey::from_pem(&PrivateKeyPem::new(private.into())).expect("a test key")
}

pub(super) fn cookies(id: &str, policy: &Policy, hash: SignatureHash) -> String {
    CookieSet::sign(&signing_key(id), id, policy, hash).expect("a signature").cookie_header()
}

pub(super) fn at(query: Option<&str>, cookies: &str, url: &str, now: u64) -> Result<(), Refusal> {
    let grant = Grant::read(query, &[cookies])?;
    judge(&grant, &trusted(), Seen { url, now, viewer: VIEWER }, &Verified::default())
}

/// The text of a policy in whatever form, signed: as a `Cookie` header.
fn header(id: &str, text: &str, hash: SignatureHash) -> String {
    let signature = signing_key(id).sign(text.as_bytes(), hash).expect("a signature");
    let mut header = format!(
        "CloudFront-Policy={}; CloudFront-Signature={}; CloudFront-Key-Pair-Id={id}",
        signing::encode(text.as_bytes()),
        signing::encode(&signature)
    );
    if hash == SignatureHash::Sha256 {
        header.push_str("; CloudFront-Hash-Algorithm=SHA256");
    }
    header
}

#[test]
fn every_algorithm_and_hash_opens_the_own_host_until_the_end() {
    for (id, ..) in KINDS {
        for hash in HASHES {
            let cookies = cookies(id, &Policy::of_host(HOST, EXPIRES), hash);
            assert_eq!(at(None, &cookies, URL, EXPIRES - 1), Ok(()), "{id} {hash:?}");
            assert_eq!(at(None, &cookies, URL, EXPIRES), Err(Refusal::Denied), "{id} {hash:?}");
            assert_eq!(at(None, &cookies, "https://other.example.com/a", NOW), Err(Refusal::Denied));
            assert_eq!(at(None, &cookies, "http://media.example.com/a/b.png", NOW), Err(Refusal::Denied));
        }
    }
}

#[test]
fn a_start_and_an_address_are_kept_to() {
    let mut policy = Policy::of_host(HOST, EXPIRES);
    policy.not_before = Some(NOW);
    let later = cookies("EC", &policy, SignatureHash::Sha256);
    assert_eq!(at(None, &later, URL, NOW), Err(Refusal::Denied));
    assert_eq!(at(None, &later, URL, NOW + 1), Ok(()));
    for (address, opens) in [([192, 0, 2, 7], true), ([192, 0, 2, 8], false)] {
        let bound = Policy::of_host(HOST, EXPIRES).bound_to(Ipv4Addr::from(address));
        let cookies = cookies("EC", &bound, SignatureHash::Sha256);
        assert_eq!(at(None, &cookies, URL, NOW).is_ok(), opens, "{address:?}");
    }
}

#[test]
fn policies_are_read_as_cloudfront_reads_them() {
    let end = format!(r#""Condition":{{"DateLessThan":{{"AWS:EpochTime":{EXPIRES}}}}}"#);
    let opens = [
        format!(r#"{{"Statement":[{{"Resource":"http*://*/a/?.png",{end}}}]}}"#),
        format!(r#"{{ "Statement": [ {{ "Resource": "https://media.example.com/*.png", {end} }} ] }}"#),
        // Without a resource: every file that the key guards.
        format!(r#"{{"Statement":[{{{end}}}]}}"#),
    ];
    for text in &opens {
        assert_eq!(at(None, &header("EC", text, SignatureHash::Sha256), URL, NOW), Ok(()), "{text}");
    }
    let closed = [
        format!(r#"{{"Statement":[{{"Resource":"https://media.example.com/*.jpg",{end}}}]}}"#),
        r#"{"Statement":[{"Resource":"https://media.example.com/*","Condition":{}}]}"#.to_owned(),
        format!(r#"{{"Statement":[{{{end}}},{{{end}}}]}}"#),
        r#"{"Statement":[]}"#.to_owned(),
        String::new(),
    ];
    for text in &closed {
        assert!(at(None, &header("EC", text, SignatureHash::Sha256), URL, NOW).is_err(), "{text}");
    }
}

#[test]
fn a_canned_policy_opens_its_one_url_as_cookies_and_as_a_signed_url() {
    for url in [URL, "https://media.example.com/a/b.png?size=1&v=2"] {
        for hash in HASHES {
            let text = policy::canned_text(url, EXPIRES);
            let signature =
                signing::encode(&signing_key("RSA").sign(text.as_bytes(), hash).expect("a signature"));
            let name = if hash == SignatureHash::Sha256 { "SHA256" } else { "SHA1" };
            let cookies = format!(
                "CloudFront-Expires={EXPIRES}; CloudFront-Signature={signature}; CloudFront-Key-Pair-Id=RSA; \
                 CloudFront-Hash-Algorithm={name}"
            );
            assert_eq!(at(None, &cookies, url, NOW), Ok(()), "{url}");
            assert_eq!(at(None, &cookies, &format!("{url}x"), NOW), Err(Refusal::Denied));
            assert_eq!(at(None, &cookies.replace("600;", "601;"), url, NOW), Err(Refusal::Denied));
            let signed =
                format!("Expires={EXPIRES}&Signature={signature}&Key-Pair-Id=RSA&Hash-Algorithm={name}");
            let query = match url.split_once('?') {
                Some((_, own)) => format!("{own}&{signed}"),
                None => signed,
            };
            assert_eq!(at(Some(&query), "", url, NOW), Ok(()), "{query}");
            assert_eq!(at(Some(&query), "", url, EXPIRES), Err(Refusal::Denied));
            assert_eq!(own_query(Some(&query)), url.split_once('?').map(|(_, own)| own.to_owned()));
        }
    }
}

/// A custom policy with wildcards, as parameters of a URL: good for every URL that it names, whose own parameters stay.
#[test]
fn a_custom_policy_opens_signed_urls() {
    let end = format!(r#""Condition":{{"DateLessThan":{{"AWS:EpochTime":{EXPIRES}}}}}"#);
    let text = format!(r#"{{"Statement":[{{"Resource":"https://media.example.com/a/*",{end}}}]}}"#);
    for (id, ..) in KINDS {
        for hash in HASHES {
            let query = header(id, &text, hash).replace("CloudFront-", "").replace("; ", "&");
            for url in [URL.to_owned(), format!("{URL}?size=1")] {
                let query = url.split_once('?').map_or(query.clone(), |(_, own)| format!("{own}&{query}"));
                assert_eq!(at(Some(&query), "", &url, NOW), Ok(()), "{id} {hash:?} {query}");
                assert_eq!(at(Some(&query), "", &url, EXPIRES), Err(Refusal::Denied));
                assert_eq!(own_query(Some(&query)), url.split_once('?').map(|(_, own)| own.to_owned()));
            }
            let other = "https://media.example.com/b/a.png";
            assert_eq!(at(Some(&query), "", other, NOW), Err(Refusal::Denied));
        }
    }
}

#[test]
fn a_network_opens_for_its_own_addresses() {
    for (network, viewer, opens) in [
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.4/30", "192.0.2.7", true),
        ("192.0.2.4/30", "192.0.2.8", false),
        ("0.0.0.0/0", "198.51.100.1", true),
        ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
    ] {
        let text = format!(
            r#"{{"Statement":[{{"Resource":"https://*","Condition":{{"DateLessThan":{{"AWS:EpochTime":{EXPIRES}}},"IpAddress":{{"AWS:SourceIp":"{network}"}}}}}}]}}"#
        );
        let header = header("EC", &text, SignatureHash::Sha256);
        let grant = Grant::read(None, &[&header]).expect("a grant");
        let seen = Seen { url: URL, now: NOW, viewer: viewer.parse().expect("an address") };
        assert_eq!(
            judge(&grant, &trusted(), seen, &Verified::default()).is_ok(),
            opens,
            "{network} {viewer}"
        );
    }
}

#[test]
fn a_signed_url_counts_alone_whatever_the_cookies_say() {
    let good = cookies("EC", &Policy::of_host(HOST, EXPIRES), SignatureHash::Sha256);
    assert_eq!(at(Some("size=1"), &good, URL, NOW), Ok(()));
    let bad = format!("Expires={EXPIRES}&Signature=AAAA&Key-Pair-Id=EC");
    assert_eq!(at(Some(&bad), &good, URL, NOW), Err(Refusal::Denied));
}

#[test]
fn what_is_missing_or_there_twice_opens_nothing() {
    let good = cookies("EC", &Policy::of_host(HOST, EXPIRES), SignatureHash::Sha256);
    let parts: Vec<&str> = good.split("; ").collect();
    for left_out in 0..parts.len() {
        let mut rest = parts.clone();
        rest.remove(left_out);
        assert!(at(None, &rest.join("; "), URL, NOW).is_err(), "without {}", parts[left_out]);
        let twice = format!("{good}; {}", parts[left_out]);
        assert!(at(None, &twice, URL, NOW).is_err(), "twice {}", parts[left_out]);
    }
    assert_eq!(at(None, "", URL, NOW), Err(Refusal::MissingKey));
    assert_eq!(at(None, &good.replace("=EC", "=NONE"), URL, NOW), Err(Refusal::UnknownKey));
    assert_eq!(at(None, &good.replace("=EC", "=RSA"), URL, NOW), Err(Refusal::Denied));
}

/// Policies of every kind that CloudFront's documentation and AWS's SDKs know, signed by OpenSSL beforehand: see
/// `runtime/signing/tests/data/README.md`.
#[test]
fn every_published_kind_of_policy_opens_what_it_names_and_nothing_else() {
    let cases = include_str!("../../../../runtime/signing/tests/data/policies.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(cases).expect("a list");
    assert!(cases.len() > 10);
    for case in &cases {
        let text = |field: &str| case[field].as_str().expect("text");
        let network = case["network"].as_str().map(|network| network.split('/').next().expect("an address"));
        let viewer = network.map_or(VIEWER, |address| address.parse().expect("an address"));
        // A wildcard covers itself, so every resource is also a URL that it opens.
        let (url, expires) = (text("resource"), case["expires"].as_u64().expect("a time"));
        for (id, kind) in [("RSA", "rsa"), ("EC", "ecdsa")] {
            for (hash, cookie) in [("sha1", ""), ("sha256", "; CloudFront-Hash-Algorithm=SHA256")] {
                let signature = text(&format!("{kind}_{hash}"));
                let cookies = format!(
                    "CloudFront-Policy={}; CloudFront-Signature={signature}; CloudFront-Key-Pair-Id={id}{cookie}",
                    text("policy")
                );
                let grant = Grant::read(None, &[&cookies]).expect("a grant");
                let seen = Seen { url, now: expires - 1, viewer };
                let judged = |seen| judge(&grant, &trusted(), seen, &Verified::default());
                assert_eq!(judged(seen), Ok(()), "{} {kind} {hash}", text("name"));
                assert_eq!(judged(Seen { now: expires, ..seen }), Err(Refusal::Denied));
                assert_eq!(judged(Seen { url: "https://other.test/", ..seen }), Err(Refusal::Denied));
            }
        }
    }
}

#[test]
fn signatures_of_openssl_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        r#"{{"Statement":[{{"Resource":"https://{HOST}/*","Condition":{{"DateLessThan":{{"AWS:EpochTime":{EXPIRES}}}}}}}]}}"#
    );
    let (key, message) = (folder.path().join("key.pem"), folder.path().join("policy"));
    std::fs::write(&message, &text).expect("a file");
    for (id, private, _) in KINDS {
        std::fs::write(&key, private).expect("a file");
        for (digest, cookie) in [("-sha1", ""), ("-sha256", "; CloudFront-Hash-Algorithm=SHA256")] {
            let made =
                Command::new("openssl").args(["dgst", digest, "-sign"]).arg(&key).arg(&message).output();
            let made = made.expect("openssl runs");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let cookies = format!(
                "CloudFront-Policy={}; CloudFront-Signature={}; CloudFront-Key-Pair-Id={id}{cookie}",
                signing::encode(text.as_bytes()),
                signing::encode(&made.stdout)
            );
            assert_eq!(at(None, &cookies, URL, NOW), Ok(()), "{id} {digest}");
        }
    }
}

#[test]
fn a_remembered_signature_gives_nothing_more_than_it_did() {
    let verified = Verified::default();
    let header = cookies("EC", &Policy::of_host(HOST, EXPIRES), SignatureHash::Sha256);
    let grant = Grant::read(None, &[&header]).expect("a grant");
    let seen = Seen { url: URL, now: NOW, viewer: VIEWER };
    assert_eq!(judge(&grant, &trusted(), seen, &verified), Ok(()));
    assert_eq!(judge(&grant, &trusted(), seen, &verified), Ok(()));
    assert_eq!(judge(&grant, &trusted(), Seen { now: EXPIRES, ..seen }, &verified), Err(Refusal::Denied));
    assert_eq!(judge(&grant, &trusted()[..1], seen, &verified), Err(Refusal::UnknownKey));
    let other = Grant { hash: SignatureHash::Sha1, ..grant };
    assert_eq!(judge(&other, &trusted(), seen, &verified), Err(Refusal::Denied));
}
