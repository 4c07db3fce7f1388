//! The right signature around a text in a form that nobody agreed on.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use signer::refusal::Refusal::{self, TokenMalformed, TokenSignatureWrong};
use testkit::fixture::{NOW, claims, good_token, header, kid, mint, signed, with};

use super::judge;

#[test]
fn only_the_compact_form_in_canonical_base64_is_read() {
    let good = good_token();
    let parts: Vec<&str> = good.split('.').collect();
    let (protected, payload, signature) = (parts[0], parts[1], parts[2]);
    let flattened = json!({"payload": payload, "protected": protected, "signature": signature});
    let general =
        json!({"payload": payload, "signatures": [{"protected": protected, "signature": signature}]});
    // 256 bytes leave four bits of the last character unused.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = signature.bytes().last().and_then(|last| alphabet.iter().position(|known| *known == last));
    let last = last.expect("a character of base64");
    assert_eq!(last % 16, 0);
    let loose = char::from(alphabet[last + 1]);
    let texts = [
        flattened.to_string(),
        general.to_string(),
        format!("{protected}.{payload}.{signature}."),
        format!(".{protected}.{payload}.{signature}"),
        format!("{protected}.{payload}.{signature}.{signature}.{signature}"),
        format!("{protected}.{payload}.{}{loose}", &signature[..signature.len() - 1]),
        format!("{good}="),
        format!("{good}=="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}\0"),
        good.replace('.', ". "),
        good.replace('.', ".\n"),
        format!("{}.{payload}.{signature}", &protected[..protected.len() - 1]),
        format!("{protected}\n.{payload}.{signature}"),
        format!(
            "{protected}.{payload}.{}",
            STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).expect("base64"))
        ),
        format!("\"{good}\""),
        format!("%{good}"),
        good.replace('.', "%2E"),
    ];
    for text in texts {
        assert_eq!(judge(&text), Err(TokenMalformed), "{text}");
    }
    // The signature of a detached payload is over the payload that is not there.
    assert_eq!(judge(&format!("{protected}..{signature}")), Err(TokenSignatureWrong));
}

#[test]
fn header_and_claims_are_read_one_way_only() {
    let name = kid("access");
    let body = claims().to_string();
    let token = |header: &str, claims: &[u8]| {
        signed(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)))
    };
    let usual = header().to_string();
    // Other ways to write the same JSON are the user pool's own business, as long as it signs them.
    let spaced = format!("\n{{ \"alg\" : \"RS256\",\t\"kid\":\"{name}\" }} ");
    assert_eq!(judge(&token(&spaced, body.as_bytes())), Ok(NOW + 900));
    let headers = [
        format!(r#"{{"alg":"RS256","\u0061lg":"none","kid":"{name}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"other","kid":"{name}"}}"#),
        format!(r#"{{"ALG":"RS256","kid":"{name}"}}"#),
        format!("\u{feff}{usual}"),
        format!("{usual}{usual}"),
        format!("{usual}\0"),
        format!("[{usual}]"),
        usual.replace('"', "'"),
        usual.replace('}', ",}"),
        format!(r#"{{"alg":"RS256","kid":"{name}","a":{}}}"#, "[".repeat(2_000)),
        format!(r#"{{"alg":"RS256","kid":"{name}","a":NaN}}"#),
        String::new(),
        "null".into(),
        "\"RS256\"".into(),
    ];
    for header in headers {
        assert_eq!(judge(&token(&header, body.as_bytes())), Err(TokenMalformed), "{header:.80}");
    }
    let doubled =
        |name: &str, value: &str| body.replacen('{', &format!("{{\"{name}\":{value},"), 1).into_bytes();
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bodies = [
        doubled("iss", "\"https://evil.example\""),
        doubled("exp", "1"),
        doubled("\\u0065xp", "99999999999"),
        doubled("client_id", "\"evil\""),
        doubled("scope", "\"admin\""),
        doubled("cognito:groups", "[\"admin\"]"),
        utf16,
        [&[0xef, 0xbb, 0xbf], body.as_bytes()].concat(),
        [body.as_bytes(), b"{}"].concat(),
        body.replace("u1", "\u{1}").into_bytes(),
        [&[0xff], body.as_bytes()].concat(),
        body.replace(r#""u1""#, "\"\u{0}\"").into_bytes(),
    ];
    for claims in bodies {
        let shown = String::from_utf8_lossy(&claims).into_owned();
        assert_eq!(judge(&token(&usual, &claims)), Err(TokenMalformed), "{shown:.80}");
    }
}

#[test]
fn a_long_token_is_refused_before_it_is_read() {
    let filled = |length: usize| mint(&header(), &with(claims(), "x", json!("a".repeat(length))));
    // Three bytes become four characters.
    let spare = (16 * 1_024 - good_token().len()) / 4 * 3 - 16;
    assert_eq!(judge(&filled(spare)), Ok(NOW + 900));
    assert_eq!(judge(&filled(spare + 64)), Err(Refusal::TokenTooLarge));
}
