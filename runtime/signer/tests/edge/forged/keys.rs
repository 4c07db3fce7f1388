//! Which key judges, and by which algorithm: never what the token says of itself.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signer::refusal::Refusal::{
    TokenAlgorithmRefused, TokenHeaderRefused, TokenKeyUnknown, TokenMalformed, TokenSignatureWrong,
};
use testkit::fixture::{self, NOW, claims, good_token, header, jwk, kid, mint, pool_key, with};

use super::{judge, judge_with, unsigned, with_signature};

/// A key that the user pool does not own.
fn attacker() -> &'static RsaPrivateKey {
    static KEY: std::sync::LazyLock<RsaPrivateKey> =
        std::sync::LazyLock::new(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).expect("a key"));
    &KEY
}

fn attacked(header: &Value) -> String {
    let text = unsigned(header);
    let signature =
        attacker().sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).expect("a signature");
    with_signature(&text, &signature)
}

#[test]
fn a_token_without_a_signature_is_refused_however_it_spells_none() {
    let good = good_token();
    let (_, signature) = good.rsplit_once('.').expect("three parts");
    for name in ["none", "None", "NONE", "nOnE", "none ", "", "null"] {
        let text = unsigned(&with(header(), "alg", json!(name)));
        for signature in ["", signature] {
            assert_eq!(judge(&format!("{text}.{signature}")), Err(TokenAlgorithmRefused), "{name}");
        }
    }
    for alg in [None, Some(json!(null)), Some(json!(["RS256"])), Some(json!({"RS256": 1})), Some(json!(256))]
    {
        let text = unsigned(&with(header(), "alg", alg));
        assert_eq!(judge(&format!("{text}.{signature}")), Err(TokenMalformed));
    }
    assert_eq!(judge(&format!("{}.", unsigned(&header()))), Err(TokenSignatureWrong));
    assert_eq!(judge(&unsigned(&header())), Err(TokenMalformed));
}

#[test]
fn the_public_key_is_no_password() {
    let public = pool_key().to_public_key();
    let (pem, pkcs1) = (public.to_public_key_pem(LineEnding::LF), public.to_pkcs1_pem(LineEnding::LF));
    let (pem, pkcs1) = (pem.expect("PEM"), pkcs1.expect("PEM"));
    let jwk = jwk("access", &public);
    let secrets: [Vec<u8>; 10] = [
        pem.clone().into_bytes(),
        pem.trim_end().into(),
        pem.replace('\n', "\r\n").into(),
        pkcs1.into_bytes(),
        public.to_public_key_der().expect("DER").into_vec(),
        public.n().to_bytes_be(),
        jwk["n"].as_str().expect("text").into(),
        jwk.to_string().into(),
        kid("access").into(),
        vec![],
    ];
    for secret in secrets {
        for (name, algorithm) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            let key = hmac::Key::new(algorithm, &secret);
            for (claimed, refusal) in [(name, TokenAlgorithmRefused), ("RS256", TokenSignatureWrong)] {
                let text = unsigned(&with(header(), "alg", json!(claimed)));
                let tag = hmac::sign(&key, text.as_bytes());
                assert_eq!(judge(&with_signature(&text, tag.as_ref())), Err(refusal), "{claimed}");
            }
        }
    }
}

#[test]
fn a_token_brings_no_key_of_its_own() {
    let own = jwk("access", &attacker().to_public_key());
    let der = attacker().to_public_key().to_public_key_der().expect("DER").into_vec();
    assert_eq!(judge(&attacked(&header())), Err(TokenSignatureWrong));
    for (name, value) in [
        ("jwk", own.clone()),
        ("jku", json!("https://evil.example/jwks.json")),
        ("jku", json!(format!("{}/.well-known/jwks.json", fixture::ISSUER))),
        ("x5c", json!([STANDARD.encode(&der)])),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("crit", json!(["exp"])),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
    ] {
        assert_eq!(judge(&attacked(&with(header(), name, value))), Err(TokenHeaderRefused), "{name}");
    }
    // A thumbprint says which certificate, but brings none: as any unknown parameter it is passed over.
    for name in ["x5t", "x5t#S256", "typ", "cty", "x-unknown"] {
        let header = with(header(), name, json!("a"));
        assert_eq!(judge(&mint(&header, &claims())), Ok(NOW + 900), "{name}");
        assert_eq!(judge(&attacked(&header)), Err(TokenSignatureWrong), "{name}");
    }
}

#[test]
fn a_key_is_named_exactly() {
    let name = kid("access");
    let names = [
        name.to_lowercase(),
        name.trim_end_matches('=').to_owned(),
        format!(" {name}"),
        format!("{name}\n"),
        format!("{name}\0"),
        URL_SAFE.encode(Sha256::digest("access")) + "=",
        "../../dev/null".into(),
        "' OR 1=1 --".into(),
        "0".into(),
    ];
    for other in names {
        assert_eq!(
            judge(&mint(&with(header(), "kid", json!(other)), &claims())),
            Err(TokenKeyUnknown),
            "{other}"
        );
    }
    // Two keys of the pool: what one has signed is not good under the other's name.
    let two =
        json!({"keys": [jwk("id", &attacker().to_public_key()), jwk("access", &pool_key().to_public_key())]});
    assert_eq!(judge_with(&good_token(), &two), Ok(NOW + 900));
    let confused = mint(&with(header(), "kid", json!(kid("id"))), &claims());
    assert_eq!(judge_with(&confused, &two), Err(TokenSignatureWrong));
    assert_eq!(judge_with(&attacked(&header()), &two), Err(TokenSignatureWrong));
    // Where a name stands twice, the first key is the one.
    let twice = json!({"keys": [jwk("access", &pool_key().to_public_key()), jwk("access", &attacker().to_public_key())]});
    assert_eq!(judge_with(&good_token(), &twice), Ok(NOW + 900));
    assert_eq!(judge_with(&attacked(&header()), &twice), Err(TokenSignatureWrong));
}
