//! RSA signatures that are nearly right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, Pkcs1v15Sign};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use signer::refusal::Refusal::{TokenAlgorithmRefused, TokenKeyUnknown, TokenSignatureWrong};
use testkit::fixture::{NOW, good_token, header, jwk, pool_key, with};

use super::{judge, judge_with, unsigned, with_signature};

/// What stands before a SHA-256 in a signature: the algorithm and the length, in DER (RFC 8017, section 9.2).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Length of the modulus, in bytes.
pub(super) const K: usize = 256;

/// Raises an encoded message to the private exponent, whatever it is.
pub(super) fn raw_signature(message: &[u8]) -> Vec<u8> {
    let key = pool_key();
    let number = BigUint::from_bytes_be(message).modpow(key.d(), key.n()).to_bytes_be();
    [vec![0; K - number.len()], number].concat()
}

/// `00 01 FF … FF 00` and `info`, at the full length of the modulus.
pub(super) fn padded(info: &[u8]) -> Vec<u8> {
    [&[0, 1][..], &vec![0xff; K - 3 - info.len()], &[0], info].concat()
}

#[test]
fn only_the_one_right_padding_passes() {
    let text = unsigned(&header());
    let hash = Sha256::digest(&text);
    let info = |prefix: &[u8]| [prefix, &hash].concat();
    let right = padded(&info(&SHA256_PREFIX));
    assert_eq!(judge(&with_signature(&text, &raw_signature(&right))), Ok(NOW + 900));
    let changed = |at: usize, byte: u8| {
        let mut message = right.clone();
        message[at] = byte;
        message
    };
    let separator = K - 1 - SHA256_PREFIX.len() - 32;
    // The hash not at the end, and anything behind it: what a reader that does not count takes.
    let trailing = |filling: usize| {
        let front = [&[0, 1][..], &vec![0xff; filling], &[0], &info(&SHA256_PREFIX)].concat();
        [front.clone(), vec![0; K - front.len()]].concat()
    };
    let without_null = [&[0x30, 0x2f, 0x30, 0x0b], &SHA256_PREFIX[4..15], &[0x04, 0x20]].concat();
    let long_length = [&[0x30, 0x81, 0x31], &SHA256_PREFIX[2..]].concat();
    let long_inner = [&[0x30, 0x32, 0x30, 0x81, 0x0d], &SHA256_PREFIX[4..]].concat();
    let oid = |last: u8| {
        let mut prefix = SHA256_PREFIX;
        prefix[14] = last;
        prefix.to_vec()
    };
    let sha1 = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let extended = [&info(&SHA256_PREFIX)[..], &[0, 0]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("encryption padding", changed(1, 2)),
        ("block type 0", changed(1, 0)),
        ("a first byte", changed(0, 0x7f & right[2])),
        ("filling that is not all ones", changed(100, 0xfe)),
        ("a zero in the filling", changed(50, 0)),
        ("no separator", changed(separator, 0xff)),
        ("a wrong last byte", changed(K - 1, right[K - 1] ^ 1)),
        ("no filling", trailing(0)),
        ("eight bytes of filling", trailing(8)),
        ("one byte behind the hash", trailing(K - 3 - SHA256_PREFIX.len() - 32 - 1)),
        ("no algorithm", padded(&hash)),
        ("no NULL", padded(&info(&without_null))),
        ("a long outer length", padded(&info(&long_length))),
        ("a long inner length", padded(&info(&long_inner))),
        ("SHA-384 by name", padded(&info(&oid(2)))),
        ("SHA-512 by name", padded(&info(&oid(3)))),
        ("SHA-224 by name", padded(&info(&oid(4)))),
        ("SHA-1 by name", padded(&[&sha1[..], &hash[..20]].concat())),
        ("bytes behind the hash", padded(&extended)),
        ("half a hash", padded(&info(&SHA256_PREFIX)[..35])),
        ("a hash of nothing", padded(&[&SHA256_PREFIX[..], &Sha256::digest("")].concat())),
        ("another separator", changed(separator, 0xee)),
        ("all filling", [&[0, 1][..], &[0xff; K - 2]].concat()),
        ("a padding that begins late", [&[0], &right[..K - 1]].concat()),
        ("zero", vec![0; K]),
        ("one", [vec![0; K - 1], vec![1]].concat()),
        ("two", [vec![0; K - 1], vec![2]].concat()),
    ];
    for (name, message) in cases {
        let token = with_signature(&text, &raw_signature(&message));
        assert_eq!(judge(&token), Err(TokenSignatureWrong), "{name}");
    }
}

#[test]
fn a_signature_is_one_number_of_one_length() {
    let good = good_token();
    let (text, signature) = good.rsplit_once('.').expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let (n, s) = (pool_key().n().clone(), BigUint::from_bytes_be(&bytes));
    let one = BigUint::from(1_u8);
    let fixed = |number: u8| [vec![0; K - 1], vec![number]].concat();
    let mut forged = vec![
        vec![],
        fixed(0),
        fixed(1),
        fixed(2),
        n.to_bytes_be(),
        // Minus one, in the two ways of writing it.
        vec![0xff; K],
        vec![0xff],
        [vec![0, 0], bytes.clone()].concat(),
        [bytes.clone(), vec![0, 0]].concat(),
        (&s + &n + &n).to_bytes_be(),
        (&s + &n).to_bytes_be(),
        (&n - &s).to_bytes_be(),
        (&n - &one).to_bytes_be(),
        (&n + &one).to_bytes_be(),
        bytes.iter().rev().copied().collect(),
        bytes.repeat(2),
        [vec![0; 256], bytes.clone()].concat(),
        bytes.iter().map(|byte| !byte).collect(),
    ];
    forged.extend((0..bytes.len()).step_by(5).map(|at| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        flipped
    }));
    forged.extend([1, 2, 128, 255].map(|length| bytes[..length].to_vec()));
    for signature in forged {
        assert_eq!(judge(&with_signature(text, &signature)), Err(TokenSignatureWrong));
    }
}

/// The smallest number whose cube is not below `target`.
fn cube_root(target: &BigUint) -> BigUint {
    let mut root = BigUint::from(0_u8);
    for bit in (0..=target.bits() / 3 + 1).rev() {
        let tried = &root | (BigUint::from(1_u8) << bit);
        if &tried * &tried * &tried < *target {
            root = tried;
        }
    }
    root + BigUint::from(1_u8)
}

#[test]
fn a_cube_root_is_no_signature_under_a_key_with_exponent_three() {
    let text = unsigned(&header());
    let small = with(jwk("access", &pool_key().to_public_key()), "e", json!("Aw"));
    let keys = json!({ "keys": [small] });
    let front = [
        &[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0][..],
        &SHA256_PREFIX,
        &Sha256::digest(&text),
    ]
    .concat();
    let mut target = front.clone();
    target.resize(K, 0);
    let root = cube_root(&BigUint::from_bytes_be(&target));
    let cube = (&root * &root * &root).to_bytes_be();
    // The forgery is what it should be: a message that begins rightly, with rubbish behind the hash.
    assert_eq!(cube[..front.len() - 1], front[1..]);
    let root = root.to_bytes_be();
    let signature = [vec![0; K - root.len()], root].concat();
    assert_eq!(judge_with(&with_signature(&text, &signature), &keys), Err(TokenSignatureWrong));
    // Exponents under which anything, or the message itself, would be a signature.
    for e in ["AQ", "AA", "Ag", "AQAA", ""] {
        let key = with(jwk("access", &pool_key().to_public_key()), "e", json!(e));
        let set = json!({ "keys": [key, jwk("id", &pool_key().to_public_key())] });
        let message = padded(&[&SHA256_PREFIX[..], &Sha256::digest(&text)].concat());
        let judged = judge_with(&with_signature(&text, &message), &set);
        assert!(matches!(judged, Err(TokenSignatureWrong | TokenKeyUnknown)), "e = {e}: {judged:?}");
    }
}

#[test]
fn other_schemes_with_the_right_key_are_refused() {
    let text = unsigned(&header());
    let digest = Sha256::digest(&text);
    let random = &mut rsa::rand_core::OsRng;
    let pss = pool_key().sign_with_rng(random, rsa::Pss::new::<Sha256>(), &digest).expect("a signature");
    let salted =
        pool_key().sign_with_rng(random, rsa::Pss::new_with_salt::<Sha256>(0), &digest).expect("a signature");
    let twice = pool_key().sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(digest)).expect("a signature");
    let encrypted =
        pool_key().to_public_key().encrypt(random, rsa::Pkcs1v15Encrypt, &digest).expect("a message");
    for signature in [pss.clone(), salted, twice, encrypted] {
        assert_eq!(judge(&with_signature(&text, &signature)), Err(TokenSignatureWrong));
    }
    let text = unsigned(&with(header(), "alg", json!("PS256")));
    assert_eq!(judge(&with_signature(&text, &pss)), Err(TokenAlgorithmRefused));
}
