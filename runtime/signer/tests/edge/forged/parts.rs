//! Three parts, each in canonical base64 and each there: nothing is put in its place, and nothing is mended.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use serde_json::json;
use signer::refusal::Refusal::{TokenMalformed, TokenSignatureWrong};
use testkit::fixture::{self, NOW, claims, good_token, header, kid, mint, signed, signed_fast, with};

use super::{judge, unsigned};

/// What many readers do: bits that are left over may be anything, and padding may be there or not.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    NO_PAD.with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[test]
fn no_part_and_no_separator_may_be_missing_or_more() {
    let good = good_token();
    let parts: Vec<&str> = good.split('.').collect();
    for mask in 0..7 {
        // Each choice of parts, between the separators and without them.
        let kept = |number: usize| if mask >> number & 1 == 1 { parts[number] } else { "" };
        let (header, claims, signature) = (kept(0), kept(1), kept(2));
        let whole = format!("{header}.{claims}.{signature}");
        let judged = judge(&whole);
        match mask {
            // The header is there: what is wrong is seen when the signature is checked.
            1 | 3 | 5 => assert_eq!(judged, Err(TokenSignatureWrong), "{whole}"),
            _ => assert_eq!(judged, Err(TokenMalformed), "{whole}"),
        }
        let kept: Vec<&str> =
            [header, claims, signature].into_iter().filter(|part| !part.is_empty()).collect();
        assert_eq!(judge(&kept.join(".")), Err(TokenMalformed), "{kept:?}");
        assert_eq!(judge(&kept.concat()), Err(TokenMalformed), "{kept:?}");
    }
    for (part, more) in [("", ""), ("", "e30"), ("e30", "")] {
        for extended in [format!("{part}.{good}{more}."), format!("{good}.{more}"), format!("{part}.{good}")]
        {
            assert_eq!(judge(&extended), Err(TokenMalformed), "{extended}");
        }
    }
}

#[test]
fn parts_of_two_good_tokens_make_no_third() {
    let other = mint(&with(header(), "typ", json!("JWT")), &with(claims(), "sub", json!("u2")));
    let (good, other) = (good_token(), other);
    let parts: Vec<[&str; 2]> = good.split('.').zip(other.split('.')).map(|(a, b)| [a, b]).collect();
    for mask in 1..7_usize {
        let pick = |number: usize| parts[number][mask >> number & 1];
        let mixed = format!("{}.{}.{}", pick(0), pick(1), pick(2));
        assert_eq!(judge(&mixed), Err(TokenSignatureWrong), "{mask}");
    }
}

#[test]
fn a_right_signature_makes_no_claims_of_other_bytes() {
    let header = URL_SAFE_NO_PAD.encode(header().to_string());
    for payload in [&b""[..], b"\0", &[0; 32], b"a", b"{", b"0", b"{}", b"\"access\"", b"true"] {
        let token = signed(&format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload)));
        assert_eq!(judge(&token), Err(TokenMalformed), "{payload:?}");
    }
}

/// Ways to write base64 that a lax reader takes for the same bytes.
fn loosely(part: &str) -> Vec<String> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = part.len() / 2;
    let (front, back) = part.split_at(at);
    let mut all: Vec<String> = ["=", "==", " ", "\t", "\r\n", "\0", "?", "%", "\u{e4}", "+", "/"]
        .iter()
        .flat_map(|extra| {
            [format!("{part}{extra}"), format!("{extra}{part}"), format!("{front}{extra}{back}")]
        })
        .collect();
    // One character more is a length that no bytes have.
    if part.len().is_multiple_of(4) {
        all.push(format!("{part}A"));
    }
    let last = part.bytes().last().and_then(|last| alphabet.iter().position(|known| *known == last));
    let unused = [1, 0, 16, 4][part.len() % 4];
    all.extend(
        last.into_iter()
            .flat_map(|last| (1..unused).map(move |bits| last + bits))
            .map(|loose| format!("{}{}", &part[..part.len() - 1], char::from(alphabet[loose]))),
    );
    all
}

#[test]
fn base64_that_only_a_lax_reader_takes_is_refused_even_where_it_was_signed() {
    // Of each length that leaves bits over.
    for filling in ["", "a", "aa"] {
        let head = with(header(), "x", json!(filling)).to_string();
        let body = with(claims(), "x", json!(filling)).to_string();
        let (head, body) = (URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(body));
        assert_eq!(judge(&signed(&format!("{head}.{body}"))), Ok(NOW + 900));
        for loose in loosely(&head) {
            assert_eq!(judge(&signed_fast(&format!("{loose}.{body}"))), Err(TokenMalformed), "{loose:?}");
        }
        for loose in loosely(&body) {
            assert_eq!(judge(&signed_fast(&format!("{head}.{loose}"))), Err(TokenMalformed), "{loose:?}");
        }
        let good = signed(&format!("{head}.{body}"));
        let (text, signature) = good.rsplit_once('.').expect("three parts");
        for loose in loosely(signature) {
            assert_eq!(judge(&format!("{text}.{loose}")), Err(TokenMalformed), "{loose:?}");
        }
        // The bits that are left over are what the cases above say they are.
        let over = loosely(signature).into_iter().filter(|loose| LAX.decode(loose) == LAX.decode(signature));
        assert!(over.count() >= 15);
    }
}

#[test]
fn a_signature_may_begin_with_any_byte() {
    // A number with zeros before it is written at full length: one token in 256 has one.
    let mut seen = [false; 2];
    for number in 0..4_000 {
        let token = signed_fast(&unsigned(&with(header(), "x", json!(number))));
        let (text, signature) = token.rsplit_once('.').expect("three parts");
        let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        let modulus = rsa::traits::PublicKeyParts::n(&fixture::pool_key()).to_bytes_be();
        let kinds = [bytes[0] == 0, bytes[0] == modulus[0]];
        for (seen, kind) in seen.iter_mut().zip(kinds) {
            if kind && !*seen {
                *seen = true;
                assert_eq!(judge(&token), Ok(NOW + 900));
            }
        }
        if bytes[0] == 0 {
            let short = format!("{text}.{}", URL_SAFE_NO_PAD.encode(&bytes[1..]));
            assert_eq!(judge(&short), Err(TokenSignatureWrong));
        }
        if seen == [true, true] {
            return;
        }
    }
    panic!("no such signature among so many: {seen:?}");
}

#[test]
fn letters_of_every_script_are_claims_like_others() {
    for name in ["Zoë", "Łukasz", "日本語", "\u{1f600}", "a\u{301}", "\u{202e}txt"] {
        let token = mint(&header(), &with(claims(), "username", json!(name)));
        assert_eq!(judge(&token), Ok(NOW + 900), "{name}");
        // The same, written in JSON's own way.
        let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let body = claims().to_string().replace("\"u1\"", &format!("\"{escaped}\""));
        assert_eq!(
            judge(&signed(&fixture::unsigned(&header().to_string(), &body))),
            Ok(NOW + 900),
            "{escaped}"
        );
    }
    // Half a letter is none, and a key has one name.
    let half = claims().to_string().replace("\"u1\"", r#""\ud800""#);
    let half = signed(&fixture::unsigned(&header().to_string(), &half));
    assert_eq!(judge(&half), Ok(NOW + 900), "a claim that nobody asks for is not read");
    let named = format!(r#"{{"alg":"RS256","kid":"{}\ud800"}}"#, kid("access"));
    assert_eq!(judge(&signed(&fixture::unsigned(&named, &claims().to_string()))), Err(TokenMalformed));
}
