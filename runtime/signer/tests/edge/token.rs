//! Which tokens pass, case by case.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::edge_config::EdgeConfig;
use serde_json::{Value, json};
use signer::jwks::Jwks;
use signer::refusal::Refusal;
use signer::token::verify;
use testkit::fixture::{self, NOW, claims, good_token, header, jwks, kid, mint, signed, with};

fn keys() -> Jwks {
    Jwks::parse(fixture::ISSUER, jwks(&["id", "access"]).to_string().as_bytes()).expect("keys")
}

fn config(token: Value) -> EdgeConfig {
    serde_json::from_value(with(fixture::config(), "token", token)).expect("a configuration")
}

fn judge(token: &str) -> Result<u64, Refusal> {
    verify(token, &keys(), &config(json!({})), NOW)
}

fn judge_at(token: Value, rules: Value, now: u64) -> Result<u64, Refusal> {
    verify(&mint(&header(), &token), &keys(), &config(rules), now)
}

#[test]
fn a_good_token_passes_with_either_key() {
    assert_eq!(judge(&good_token()), Ok(NOW + 900));
    assert_eq!(judge(&mint(&with(header(), "kid", json!(kid("id"))), &claims())), Ok(NOW + 900));
    // Tokens of a machine have neither user name nor groups.
    let machine = with(with(claims(), "username", None), "cognito:groups", None);
    assert_eq!(judge(&mint(&header(), &machine)), Ok(NOW + 900));
}

#[test]
fn dangerous_headers_are_refused_even_when_they_are_null() {
    for name in ["crit", "jwk", "jku", "x5u", "x5c", "zip", "b64"] {
        for value in [json!(null), json!([]), json!("https://evil.example/keys"), json!(false)] {
            let token = mint(&with(header(), name, value), &claims());
            assert_eq!(judge(&token), Err(Refusal::TokenHeaderRefused), "{name}");
        }
    }
}

#[test]
fn algorithms_other_than_rs256_are_refused() {
    for algorithm in ["none", "None", "HS256", "rs256", "RS384", "RS512", "PS256", "ES256", ""] {
        let token = mint(&with(header(), "alg", json!(algorithm)), &claims());
        assert_eq!(judge(&token), Err(Refusal::TokenAlgorithmRefused), "{algorithm}");
    }
}

#[test]
fn a_key_that_is_not_published_is_refused_by_name() {
    for unknown in [kid("other"), String::new(), "ä".into()] {
        let token = mint(&with(header(), "kid", json!(unknown)), &claims());
        assert_eq!(judge(&token), Err(Refusal::TokenKeyUnknown));
    }
    for malformed in [None, Some(json!(7)), Some(json!(null))] {
        let token = mint(&with(header(), "kid", malformed), &claims());
        assert_eq!(judge(&token), Err(Refusal::TokenMalformed));
    }
}

#[test]
fn forged_signatures_are_refused() {
    let good = good_token();
    let (signed_part, signature) = good.rsplit_once('.').expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let mut forged: Vec<Vec<u8>> = vec![vec![], vec![0; 256], vec![0xff; 256], vec![1], vec![0; 10_000]];
    forged.extend([0, 1, 100, 255].map(|at| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        flipped
    }));
    forged.push(bytes[..255].to_vec());
    forged.push([&bytes[..], &[0]].concat());
    forged.push([&[0], &bytes[..]].concat());
    // The modulus itself, which is zero as a residue.
    forged.push(rsa::traits::PublicKeyParts::n(&fixture::pool_key()).to_bytes_be());
    for signature in forged {
        let token = format!("{signed_part}.{}", URL_SAFE_NO_PAD.encode(&signature));
        let judged = judge(&token);
        assert!(
            matches!(judged, Err(Refusal::TokenSignatureWrong | Refusal::TokenTooLarge)),
            "{judged:?} for {} bytes",
            signature.len()
        );
    }
    let other = mint(&header(), &with(claims(), "sub", json!("u2")));
    let (other, _) = other.rsplit_once('.').expect("three parts");
    assert_eq!(judge(&format!("{other}.{signature}")), Err(Refusal::TokenSignatureWrong));
}

#[test]
fn a_signature_with_another_hash_or_padding_is_refused() {
    let text = good_token();
    let (text, _) = text.rsplit_once('.').expect("three parts");
    let with_padding = |signature: Vec<u8>| format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
    let digest = <sha2::Sha256 as sha2::Digest>::digest(text);
    let raw = fixture::pool_key().sign(rsa::Pkcs1v15Sign::new_unprefixed(), &digest).expect("a signature");
    let pss = fixture::pool_key()
        .sign_with_rng(&mut rsa::rand_core::OsRng, rsa::Pss::new::<sha2::Sha256>(), &digest)
        .expect("a signature");
    let wide = <sha2::Sha512 as sha2::Digest>::digest(text);
    let sha512 =
        fixture::pool_key().sign(rsa::Pkcs1v15Sign::new::<sha2::Sha512>(), &wide).expect("a signature");
    for signature in [raw, pss, sha512] {
        assert_eq!(judge(&with_padding(signature)), Err(Refusal::TokenSignatureWrong));
    }
}

#[test]
fn texts_that_are_no_token_are_refused() {
    let good = good_token();
    let padded = good.replacen('.', "=.", 1);
    for text in [
        String::new(),
        ".".into(),
        "..".into(),
        "a.b".into(),
        "a.b.c".into(),
        format!("{good}.{good}"),
        format!(".{good}"),
        good.replace('.', ""),
        signed("bnVsbA.bnVsbA"),
        signed("W10.W10"),
        signed(&format!("{}.", URL_SAFE_NO_PAD.encode(header().to_string()))),
        signed(&format!("{}.!!!!", URL_SAFE_NO_PAD.encode(header().to_string()))),
        padded,
    ] {
        assert_eq!(judge(&text), Err(Refusal::TokenMalformed), "{text:.60}");
    }
    assert_eq!(judge(&"a".repeat(20_000)), Err(Refusal::TokenTooLarge));
}

#[test]
fn repeated_parameters_are_refused() {
    let header = format!(r#"{{"alg":"none","alg":"RS256","kid":"{}"}}"#, kid("access"));
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let token = signed(&format!("{}.{}", part(&header), part(&claims().to_string())));
    assert_eq!(judge(&token), Err(Refusal::TokenMalformed));
    let twice = claims().to_string().replacen('{', r#"{"token_use":"id","#, 1);
    let token = signed(&format!("{}.{}", part(&fixture::header().to_string()), part(&twice)));
    assert_eq!(judge(&token), Err(Refusal::TokenMalformed));
}

#[test]
fn claims_of_another_pool_client_or_use_are_refused() {
    let cases = [
        ("iss", json!(fixture::ISSUER.to_owned() + "x"), Refusal::TokenIssuerWrong),
        ("iss", json!(""), Refusal::TokenIssuerWrong),
        ("token_use", json!("id"), Refusal::IdTokenRefused),
        ("token_use", json!("Access"), Refusal::TokenUseWrong),
        ("client_id", json!("client2"), Refusal::TokenClientWrong),
    ];
    for (name, value, refusal) in cases {
        assert_eq!(judge(&mint(&header(), &with(claims(), name, value))), Err(refusal), "{name}");
    }
    assert_eq!(judge(&mint(&header(), &with(claims(), "client_id", None))), Err(Refusal::TokenClientWrong));
    let id = with(with(with(claims(), "token_use", json!("id")), "aud", json!("client1")), "client_id", None);
    assert_eq!(judge(&mint(&header(), &id)), Err(Refusal::IdTokenRefused));
}

#[test]
fn claims_of_a_wrong_type_or_missing_are_refused() {
    for name in ["iss", "token_use", "exp", "iat"] {
        let token = mint(&header(), &with(claims(), name, None));
        assert_eq!(judge(&token), Err(Refusal::TokenMalformed), "no {name}");
    }
    for (name, values) in [
        ("exp", vec![json!("1"), json!(1.5), json!(-1), json!(1e300), json!(null), json!([NOW + 9])]),
        ("iat", vec![json!("1"), json!(true), json!(null)]),
        ("nbf", vec![json!("1"), json!(null)]),
        ("iss", vec![json!([fixture::ISSUER]), json!(null)]),
        ("client_id", vec![json!(["client1"]), json!(null)]),
        ("token_use", vec![json!(["access"]), json!(null)]),
        ("scope", vec![json!(["openid"]), json!(null)]),
        ("cognito:groups", vec![json!("readers"), json!([1]), json!(null)]),
    ] {
        for value in values {
            let token = mint(&header(), &with(claims(), name, value.clone()));
            assert_eq!(judge(&token), Err(Refusal::TokenMalformed), "{name} {value}");
        }
    }
}

#[test]
fn times_are_kept_to_the_second() {
    let until = |exp: u64| with(claims(), "exp", json!(exp));
    assert_eq!(judge_at(until(NOW + 1), json!({}), NOW), Ok(NOW + 1));
    assert_eq!(judge_at(until(NOW), json!({}), NOW), Err(Refusal::TokenExpired));
    assert_eq!(judge_at(until(0), json!({}), NOW), Err(Refusal::TokenExpired));
    for name in ["iat", "nbf"] {
        let from = |start: u64| with(claims(), name, json!(start));
        assert_eq!(judge_at(from(NOW), json!({}), NOW), Ok(NOW + 900));
        assert_eq!(judge_at(from(NOW + 1), json!({}), NOW), Err(Refusal::TokenNotYetValid), "{name}");
    }
}

#[test]
fn a_leeway_is_granted_and_bounded() {
    let (ten, most) = (json!({"leeway_seconds": 10}), json!({"leeway_seconds": 255}));
    let until = |exp: u64| with(claims(), "exp", json!(exp));
    assert_eq!(judge_at(until(NOW - 9), ten.clone(), NOW), Ok(NOW - 9));
    assert_eq!(judge_at(until(NOW - 10), ten.clone(), NOW), Err(Refusal::TokenExpired));
    assert_eq!(judge_at(until(NOW - 60), most.clone(), NOW), Err(Refusal::TokenExpired));
    assert_eq!(judge_at(until(u64::MAX), most, NOW), Ok(u64::MAX));
    assert_eq!(judge_at(with(claims(), "iat", json!(NOW + 10)), ten.clone(), NOW), Ok(NOW + 900));
    assert_eq!(judge_at(with(claims(), "iat", json!(NOW + 11)), ten, NOW), Err(Refusal::TokenNotYetValid));
}

#[test]
fn scopes_and_groups_are_demanded_where_the_tenant_says_so() {
    let scopes = |scopes: Value| json!({ "scopes": scopes });
    assert_eq!(judge_at(claims(), scopes(json!(["media/read"])), NOW), Ok(NOW + 900));
    assert_eq!(judge_at(claims(), scopes(json!(["x", "openid"])), NOW), Ok(NOW + 900));
    assert_eq!(judge_at(claims(), scopes(json!(["media"])), NOW), Err(Refusal::ScopeMissing));
    let bare = with(claims(), "scope", None);
    assert_eq!(judge_at(bare, scopes(json!(["openid"])), NOW), Err(Refusal::ScopeMissing));
    let groups = |groups: Value| json!({ "groups": groups });
    assert_eq!(judge_at(claims(), groups(json!(["writers", "readers"])), NOW), Ok(NOW + 900));
    assert_eq!(judge_at(claims(), groups(json!(["writers"])), NOW), Err(Refusal::GroupMissing));
    let bare = with(claims(), "cognito:groups", None);
    assert_eq!(judge_at(bare, groups(json!(["readers"])), NOW), Err(Refusal::GroupMissing));
}
