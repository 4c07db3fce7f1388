//! The algorithm and the hash within a signature, in every encoding but the right one. A reader that parses
//! them where it should compare finds them in bytes that an attacker may choose.

use aws_lc_rs::digest::{self, digest};
use sha2::{Digest as _, Sha256};
use signer::refusal::Refusal::TokenSignatureWrong;
use testkit::fixture::{NOW, header};

use super::padding::{K, padded, raw_signature};
use super::{judge, unsigned, with_signature};

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;
const NULL: u8 = 0x05;
const OCTETS: u8 = 0x04;

/// NIST's arc of hash algorithms, and SHA-256 within it.
const HASHES: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const SHA256: u8 = 1;

/// The parts of what is signed, from the outside to the inside, as they stand in it.
const PARTS: [&str; 5] = ["the whole", "the algorithm", "its name", "its parameters", "the hash"];

/// An element of DER, with a length of whatever size it takes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        Ok(long) => vec![tag, 0x81, long],
        Err(_) => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&head, content].concat()
}

/// Name of a hash algorithm in NIST's arc.
fn named(last: u8) -> Vec<u8> {
    [&HASHES[..], &[last]].concat()
}

/// What PKCS#1 signs for a hash under this name, with one part written by `change` from its tag and content.
fn info(name: &[u8], hash: &[u8], changed: usize, change: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let part = |number: usize, tag: u8, content: &[u8]| match number == changed {
        true => change(tag, content),
        false => element(tag, content),
    };
    let algorithm = part(1, SEQUENCE, &[part(2, OBJECT, name), part(3, NULL, &[])].concat());
    part(0, SEQUENCE, &[algorithm, part(4, OCTETS, hash)].concat())
}

/// One part, written wrongly in every way that a lax reader may read.
fn disturbed(tag: u8, content: &[u8]) -> Vec<Vec<u8>> {
    let length = u8::try_from(content.len()).expect("a short part");
    let right = element(tag, content);
    let headed = |head: &[u8]| [&[tag], head, content].concat();
    let around = |front: &[u8], back: &[u8]| element(tag, &[front, content, back].concat());
    let beside = |front: &[u8], back: &[u8]| [front, &right, back].concat();
    let constructed = |tag: u8, end: &[u8]| [&[tag | 0x20, 0x80], &right[..], end].concat();
    let mut all = vec![
        // Lengths in more bytes than they need, that overflow, and that are wrong.
        headed(&[0x81, length]),
        headed(&[0x82, 0, length]),
        headed(&[0x85, 1, 0, 0, 0, length]),
        headed(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, length]),
        headed(&[0x84, 0x7f, 0xff, 0xff, 0xff]),
        headed(&[0x84, 0x80, 0, 0, 0]),
        headed(&[0x84, 0xff, 0xff, 0xff, 0xff]),
        headed(&[0x85, 0xff, 0xff, 0xff, 0xff, 0xff]),
        headed(&[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        headed(&[0xff]),
        headed(&[length + 1]),
        headed(&[length.wrapping_sub(1)]),
        vec![tag, 0x81],
        // No length at all, which needs an end.
        headed(&[0x80]),
        [headed(&[0x80]), vec![0]].concat(),
        [headed(&[0x80]), vec![0, 0]].concat(),
        [headed(&[0x80]), vec![NULL, 0, 0, 0]].concat(),
        [headed(&[0x80]), vec![6, 0x81, 0, 0]].concat(),
        [headed(&[0x80]), vec![0xfe, 0, 0]].concat(),
        [headed(&[0x80]), vec![0, 2, 5, 0]].concat(),
        // Less than the part.
        vec![],
        vec![tag],
        vec![tag, 0],
        vec![NULL, 0],
        // More than the part: within it, before and behind it.
        around(&[], &[0, 0]),
        around(&[0, 0], &[]),
        around(&[], &[NULL, 0]),
        around(&[0x49, 0x80], &[]),
        around(&[], &[0x25, 0]),
        around(&[0xaa, 0, 0xbb, 0, 0xcd, 0], &[]),
        around(&[SEQUENCE, 0], &[]),
        around(&[], &[SEQUENCE, 0]),
        around(&[], &[0xbf, 0x7f, 0]),
        around(&[], &[0xa0, 2, NULL, 0]),
        around(&[], &[0xa0, 0]),
        beside(&[], &[0, 0]),
        beside(&[], &[NULL, 0]),
        beside(&[0x49, 0x80], &[]),
        beside(&[0xaa, 0, 0xbb, 0, 0xcd, 0], &[]),
        beside(&[], &right),
        // Other forms of it.
        constructed(tag, &[0, 0]),
        constructed(tag ^ 1, &[0, 0]),
        element(tag | 0x20, &right),
        element(SEQUENCE, &right),
    ];
    all.extend([0x00, 0x02, 0x0c, 0x31, 0xff, tag ^ 0x80, tag ^ 0x40].map(|other| element(other, content)));
    if let (Some(last), Some(first)) = (content.split_last(), content.split_first()) {
        all.extend([element(tag, last.1), element(tag, first.1)]);
        all.push(element(tag, &[last.1, &[last.0 ^ 1]].concat()));
        all.push(element(tag, &[&[first.0 ^ 1], first.1].concat()));
        all.push(around(&content[content.len() - 1..], &[]));
    }
    all.retain(|bytes| *bytes != right);
    all
}

#[test]
fn only_the_canonical_encoding_passes() {
    let text = unsigned(&header());
    let hash = Sha256::digest(&text);
    let name = named(SHA256);
    let sign = |info: &[u8]| judge(&with_signature(&text, &raw_signature(&padded(info))));
    assert_eq!(sign(&info(&name, &hash, PARTS.len(), |_, _| vec![])), Ok(NOW + 900));
    let mut forged = 0;
    for (number, part) in PARTS.iter().enumerate() {
        let kinds = std::cell::Cell::new(0);
        info(&name, &hash, number, |tag, content| {
            kinds.set(disturbed(tag, content).len());
            vec![]
        });
        for kind in 0..kinds.get() {
            let changed = info(&name, &hash, number, |tag, content| disturbed(tag, content)[kind].clone());
            assert_eq!(sign(&changed), Err(TokenSignatureWrong), "{part}, kind {kind}: {changed:02x?}");
            forged += 1;
        }
    }
    assert!(forged > 200, "{forged}");
}

#[test]
fn an_algorithm_has_one_name() {
    let text = unsigned(&header());
    let hash = Sha256::digest(&text);
    let names: [&[u8]; 8] = [
        &[&HASHES[..], &[SHA256, 1]].concat(),
        &[&HASHES[..7], &[0x82, SHA256]].concat(),
        &[&HASHES[..7], &[0x80, 2, SHA256]].concat(),
        &[&HASHES[..], &[0x80]].concat(),
        &[&HASHES[..], &[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, SHA256]].concat(),
        &[&[0x60], &HASHES[2..], &[SHA256]].concat(),
        &HASHES[..7],
        &[SHA256],
    ];
    for name in names {
        let info = info(name, &hash, PARTS.len(), |_, _| vec![]);
        let token = with_signature(&text, &raw_signature(&padded(&info)));
        assert_eq!(judge(&token), Err(TokenSignatureWrong), "{name:02x?}");
    }
}

#[test]
fn another_hash_is_none_by_its_own_name_or_by_that_of_sha_256() {
    let text = unsigned(&header());
    let whole = PARTS.len();
    let right = Sha256::digest(&text);
    let sha1 = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let md5 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05];
    let names: Vec<Vec<u8>> =
        (2..=12).map(named).chain([sha1.to_vec(), md5.to_vec(), md5[..7].to_vec()]).collect();
    for name in &names {
        let token = with_signature(&text, &raw_signature(&padded(&info(name, &right, whole, |_, _| vec![]))));
        assert_eq!(judge(&token), Err(TokenSignatureWrong), "{name:02x?} for SHA-256");
    }
    let others = [
        (&digest::SHA1_FOR_LEGACY_USE_ONLY, sha1.to_vec()),
        (&digest::SHA224, named(4)),
        (&digest::SHA384, named(2)),
        (&digest::SHA512, named(3)),
        (&digest::SHA512_256, named(6)),
        (&digest::SHA3_256, named(8)),
        (&digest::SHA3_384, named(9)),
        (&digest::SHA3_512, named(10)),
    ];
    for (algorithm, name) in others {
        let hash = digest(algorithm, text.as_bytes());
        for name in [name, named(SHA256)] {
            let info = info(&name, hash.as_ref(), whole, |_, _| vec![]);
            let token = with_signature(&text, &raw_signature(&padded(&info)));
            assert_eq!(judge(&token), Err(TokenSignatureWrong), "{algorithm:?} as {name:02x?}");
        }
    }
}

#[test]
fn a_text_that_is_not_hashed_is_not_signed() {
    let text = unsigned(&header());
    let start = |length: usize| &text.as_bytes()[..length];
    let info = |part: &[u8]| info(&named(SHA256), part, PARTS.len(), |_, _| vec![]);
    let whole = K - 11;
    for message in [
        padded(&info(start(32))),
        padded(&info(start(180))),
        padded(start(whole)),
        padded(start(32)),
        [&[0], start(K - 1)].concat(),
        // The padding of encryption, around the hash and around the text.
        [&[0, 2][..], &[0xff; K - 35], &[0], &Sha256::digest(&text)].concat(),
        [&[0, 2][..], &[0xff; 8], &[0], start(whole)].concat(),
    ] {
        assert_eq!(message.len(), K);
        assert_eq!(judge(&with_signature(&text, &raw_signature(&message))), Err(TokenSignatureWrong));
    }
}
