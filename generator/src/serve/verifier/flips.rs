//! Cookies with one bit turned over: none opens anything.

use std::sync::OnceLock;

use contract::edge_config::SignatureHash;
use proptest::prelude::*;
use signing::Policy;

use super::policy::canned_text;
use super::tests::{EXPIRES, HASHES, HOST, KINDS, NOW, URL, at, cookies, signing_key};

/// Cookies of every kind of policy, key and hash. Signed once: to sign anew for every bit would take minutes.
fn every_kind() -> &'static [String] {
    static KEPT: OnceLock<Vec<String>> = OnceLock::new();
    KEPT.get_or_init(|| {
        let each = KINDS.iter().flat_map(|(id, ..)| HASHES.map(|hash| (*id, hash)));
        each.flat_map(|(id, hash)| [cookies(id, &Policy::of_host(HOST, EXPIRES), hash), canned(id, hash)])
            .collect()
    })
}

/// Cookies of a canned policy.
fn canned(id: &str, hash: SignatureHash) -> String {
    let signature = signing_key(id).sign(canned_text(URL, EXPIRES).as_bytes(), hash).expect("a signature");
    let name = if hash == SignatureHash::Sha256 { "; CloudFront-Hash-Algorithm=SHA256" } else { "" };
    let signature = signing::encode(&signature);
    format!(
        "CloudFront-Expires={EXPIRES}; CloudFront-Signature={signature}; CloudFront-Key-Pair-Id={id}{name}"
    )
}

/// The header with one bit turned over; `None` where that is no text, and so no header that CloudFront reads.
fn turned(header: &str, byte: usize, bit: u8) -> Option<String> {
    let mut bytes = header.as_bytes().to_vec();
    bytes[byte] ^= 1 << bit;
    String::from_utf8(bytes).ok()
}

/// Of names, values and what stands between them.
#[test]
fn every_single_bit_of_every_kind_of_cookies_counts() {
    let mut tried = 0;
    for good in every_kind() {
        assert_eq!(at(None, good, URL, NOW), Ok(()), "{good}");
        for (byte, bit) in (0..good.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let Some(header) = turned(good, byte, bit) else { continue };
            assert!(at(None, &header, URL, NOW).is_err(), "bit {bit} of byte {byte}: {header}");
            tried += 1;
        }
    }
    assert!(tried > 15_000, "{tried}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Whatever the policy says: host, path, end, start and address.
    #[test]
    fn a_flipped_bit_closes_any_cookies(
        host in "[a-z]{1,12}\\.example\\.com",
        path in "[a-z0-9/*?]{0,20}",
        life in 1..100_000_u64,
        not_before in prop::option::of(1..NOW),
        bound in any::<bool>(),
        kind in 0..2_usize,
        sha1 in any::<bool>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let hash = if sha1 { SignatureHash::Sha1 } else { SignatureHash::Sha256 };
        let mut policy = Policy { resource: format!("https://{host}/{path}"), not_before, ..Policy::of_host(&host, NOW + life) };
        if bound {
            policy = policy.bound_to([192, 0, 2, 7].into());
        }
        // A wildcard covers itself, so the resource is also a URL that it opens.
        let (good, url) = (cookies(KINDS[kind].0, &policy, hash), policy.resource);
        prop_assert_eq!(at(None, &good, &url, NOW), Ok(()));
        if let Some(header) = turned(&good, place.index(good.len()), bit) {
            prop_assert!(at(None, &header, &url, NOW).is_err(), "{}", header);
        }
    }
}
