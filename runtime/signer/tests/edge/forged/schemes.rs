//! Every algorithm by name against every way to sign with the pool's own key: one pair passes.

use aws_lc_rs::hmac;
use rsa::{Pkcs1v15Sign, Pss};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signer::refusal::Refusal::{TokenAlgorithmRefused, TokenKeyUnknown, TokenSignatureWrong};
use testkit::fixture::{NOW, good_token, header, jwk, kid, pool_key, with};

use super::{judge, judge_with, unsigned, with_signature};

const NAMES: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/// A true signature of the pool's key by this algorithm.
fn sign(name: &str, text: &str) -> Vec<u8> {
    let key = pool_key();
    let random = &mut rsa::rand_core::OsRng;
    let signed = match name {
        "RS256" => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text)),
        "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(text)),
        "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(text)),
        "PS256" => key.sign_with_rng(random, Pss::new::<Sha256>(), &Sha256::digest(text)),
        "PS384" => key.sign_with_rng(random, Pss::new::<Sha384>(), &Sha384::digest(text)),
        _ => key.sign_with_rng(random, Pss::new::<Sha512>(), &Sha512::digest(text)),
    };
    signed.expect("a signature")
}

#[test]
fn one_pair_of_name_and_way_passes() {
    for named in NAMES {
        for used in NAMES {
            let text = unsigned(&with(header(), "alg", json!(named)));
            let expected = match (named, used) {
                ("RS256", "RS256") => Ok(NOW + 900),
                ("RS256", _) => Err(TokenSignatureWrong),
                _ => Err(TokenAlgorithmRefused),
            };
            assert_eq!(judge(&with_signature(&text, &sign(used, &text))), expected, "{used} as {named}");
        }
    }
}

#[test]
fn a_key_for_another_purpose_signs_no_tokens() {
    let good = jwk("access", &pool_key().to_public_key());
    let other = jwk("other", &pool_key().to_public_key());
    let judged = |key: serde_json::Value| judge_with(&good_token(), &json!({"keys": [key, other]}));
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("key_ops", json!(["wrapKey", "VERIFY"])),
        ("alg", json!("PS256")),
        ("alg", json!("RSA-OAEP")),
    ] {
        let key = with(good.clone(), name, value.clone());
        assert_eq!(judged(key), Err(TokenKeyUnknown), "{name} {value}");
    }
    for operations in [json!(["verify"]), json!(["sign", "verify"])] {
        assert_eq!(judged(with(good.clone(), "key_ops", operations)), Ok(NOW + 900));
    }
}

#[test]
fn a_secret_among_the_keys_signs_no_tokens() {
    // Were a key set ever to hold one, everybody who reads it could sign with it.
    let secret = b"published by mistake, and long enough for any of them".as_slice();
    let text = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, secret);
    let shared = json!({"kid": kid("secret"), "kty": "oct", "k": text, "use": "sig", "alg": "HS256"});
    let keys = json!({"keys": [shared, jwk("access", &pool_key().to_public_key())]});
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    for (alg, refusal) in [("HS256", TokenAlgorithmRefused), ("RS256", TokenKeyUnknown)] {
        let text = unsigned(&with(with(header(), "kid", json!(kid("secret"))), "alg", json!(alg)));
        let tag = hmac::sign(&key, text.as_bytes());
        assert_eq!(judge_with(&with_signature(&text, tag.as_ref()), &keys), Err(refusal), "{alg}");
    }
    assert_eq!(judge_with(&good_token(), &keys), Ok(NOW + 900));
}
