//! Which requests a set of cookies opens.

use std::net::Ipv4Addr;

use contract::edge_config::SignatureHash;
use contract::keyring::PrivateKeyPem;
use signing::{Closed, CookieSet, Policy, PublicKey, SigningKey, TrustedKey, Viewing, open};

const EXPIRES: u64 = 1_000;
const GOOD: Viewing<'_> = Viewing {
    url: "https://media.example.com/a/b.png?v=1",
    now: 500,
    address: Some(Ipv4Addr::new(192, 0, 2, 7)),
};

fn signing_key() -> SigningKey {
    SigningKey::from_pem(&PrivateKeyPem::new(include_str!("data/ecdsa.pem").into())).expect("a test key")
}

fn trusted() -> Vec<TrustedKey> {
    [("K0", include_str!("data/rsa.pub.pem")), ("K1", include_str!("data/ecdsa.pub.pem"))]
        .map(|(id, pem)| TrustedKey { id: id.into(), key: PublicKey::from_pem(pem).expect("a test key") })
        .into()
}

fn cookies(policy: &Policy) -> CookieSet {
    CookieSet::sign(&signing_key(), "K1", policy, SignatureHash::Sha256).expect("a signature")
}

fn policy() -> Policy {
    Policy::of_host("media.example.com", EXPIRES)
}

#[test]
fn the_tenants_own_files_open() {
    let opened = open(&cookies(&policy()), &trusted(), GOOD).expect("an open file");
    assert_eq!((opened.key_id.as_str(), opened.policy), ("K1", policy()));
}

#[test]
fn another_tenants_files_stay_closed() {
    let url = "https://other.example.com/a/b.png";
    assert_eq!(
        open(&cookies(&policy()), &trusted(), Viewing { url, ..GOOD }),
        Err(Closed::Resource { resource: "https://media.example.com/*".into(), url: url.into() })
    );
}

#[test]
fn the_times_of_a_policy_are_kept_to_the_second() {
    let mut policy = policy();
    policy.not_before = Some(400);
    let at = |now| open(&cookies(&policy), &trusted(), Viewing { now, ..GOOD }).map(|_| ());
    assert_eq!(at(400), Err(Closed::Early(400)));
    assert_eq!(at(401), Ok(()));
    assert_eq!(at(EXPIRES - 1), Ok(()));
    assert_eq!(at(EXPIRES), Err(Closed::Expired(EXPIRES)));
}

#[test]
fn a_bound_policy_opens_for_its_address_only() {
    let cookies = cookies(&policy().bound_to(Ipv4Addr::new(192, 0, 2, 7)));
    assert!(open(&cookies, &trusted(), GOOD).is_ok());
    for address in [None, Some(Ipv4Addr::new(192, 0, 2, 8))] {
        assert_eq!(
            open(&cookies, &trusted(), Viewing { address, ..GOOD }),
            Err(Closed::Address("192.0.2.7/32".into()))
        );
    }
}

#[test]
fn a_changed_policy_key_hash_or_signature_stays_closed() {
    let good = cookies(&policy());
    let longer = cookies(&Policy::of_host("media.example.com", EXPIRES + 1));
    let signature = Err(Closed::Signature("K1".into()));
    assert_eq!(open(&CookieSet { policy: longer.policy, ..good.clone() }, &trusted(), GOOD), signature);
    assert_eq!(open(&CookieSet { hash: SignatureHash::Sha1, ..good.clone() }, &trusted(), GOOD), signature);
    assert_eq!(
        open(&CookieSet { key_id: "K0".into(), ..good.clone() }, &trusted(), GOOD),
        Err(Closed::Signature("K0".into()))
    );
    assert_eq!(
        open(&CookieSet { key_id: "K9".into(), ..good.clone() }, &trusted(), GOOD),
        Err(Closed::UnknownKey("K9".into()))
    );
    assert_eq!(
        open(&CookieSet { signature: "=".into(), ..good }, &trusted(), GOOD),
        Err(Closed::Encoding("CloudFront-Signature"))
    );
}

#[test]
fn a_signed_policy_without_a_resource_stays_closed() {
    let text = r#"{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1000}}}]}"#;
    let signature = signing_key().sign(text.as_bytes(), SignatureHash::Sha256).expect("a signature");
    let cookies = CookieSet {
        policy: signing::encode(text.as_bytes()),
        signature: signing::encode(&signature),
        key_id: "K1".into(),
        hash: SignatureHash::Sha256,
    };
    assert!(matches!(open(&cookies, &trusted(), GOOD), Err(Closed::Policy(_))));
}
