//! Which tokens of Cognito pass for which tenant: the cases that aws-jwt-verify, AWS's own verifier, tells
//! apart, each with the answer that is ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::edge_config::EdgeConfig;
use rsa::RsaPrivateKey;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use signer::jwks::Jwks;
use signer::refusal::Refusal::{
    self, GroupMissing, IdTokenRefused, ScopeMissing, TokenClientWrong, TokenExpired, TokenIssuerWrong,
    TokenKeyUnknown, TokenMalformed, TokenNotYetValid, TokenUseWrong,
};
use signer::token::verify;
use testkit::fixture::{
    self, CLIENT, ISSUER, NOW, claims, good_token, header, jwk, jwks, kid, mint, pool_key, with,
};

/// The other form of the same pool's issuer.
const UPDATED: &str = "https://issuer-cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Pool";

fn config(fields: &[(&str, Value)]) -> EdgeConfig {
    let all =
        fields.iter().fold(fixture::config(), |config, (name, value)| with(config, name, value.clone()));
    serde_json::from_value(all).expect("a configuration")
}

fn judge(config: &EdgeConfig, changes: &[(&str, Option<Value>)]) -> Result<u64, Refusal> {
    let claims = changes.iter().fold(claims(), |claims, (name, value)| with(claims, name, value.clone()));
    let keys = jwks(&["id", "access"]).to_string();
    let keys = Jwks::parse(&config.issuer, keys.as_bytes()).expect("keys");
    verify(&mint(&header(), &claims), &keys, config, NOW)
}

const PASSES: Result<u64, Refusal> = Ok(NOW + 900);

#[test]
fn only_access_tokens_pass_and_id_tokens_are_refused_by_name() {
    let usual = config(&[]);
    let token_use = |value: Value| judge(&usual, &[("token_use", Some(value))]);
    assert_eq!(token_use(json!("access")), PASSES);
    assert_eq!(token_use(json!("id")), Err(IdTokenRefused));
    for other in ["refresh", "", "ACCESS", "access ", "access,id"] {
        assert_eq!(token_use(json!(other)), Err(TokenUseWrong), "{other}");
    }
    for wrong in [json!(null), json!(1), json!(true), json!(["access", "id"]), json!({"access": true})] {
        assert_eq!(token_use(wrong.clone()), Err(TokenMalformed), "{wrong}");
    }
    assert_eq!(judge(&usual, &[("token_use", None)]), Err(TokenMalformed));
}

#[test]
fn a_client_is_one_of_the_tenants_and_never_the_audience() {
    let both = config(&[("clients", json!([CLIENT, "client2"]))]);
    let none = config(&[("clients", json!([]))]);
    for client in [CLIENT, "client2"] {
        assert_eq!(judge(&both, &[("client_id", Some(json!(client)))]), PASSES);
    }
    for client in ["", "client", "client11", "CLIENT1", "client1 ", "client1,client2", "*"] {
        assert_eq!(judge(&both, &[("client_id", Some(json!(client)))]), Err(TokenClientWrong), "{client}");
    }
    assert_eq!(judge(&none, &[]), Err(TokenClientWrong));
    assert_eq!(judge(&none, &[("client_id", Some(json!("")))]), Err(TokenClientWrong));
    assert_eq!(judge(&both, &[("client_id", None)]), Err(TokenClientWrong));
    // Where a resource is bound an access token has an audience too; it stands in for no client.
    for audience in [json!("https://api.example.com"), json!([CLIENT]), json!(7), json!(null)] {
        assert_eq!(judge(&both, &[("aud", Some(audience.clone()))]), PASSES, "{audience}");
        let without = [("aud", Some(audience.clone())), ("client_id", None)];
        assert_eq!(judge(&both, &without), Err(TokenClientWrong), "{audience}");
    }
}

#[test]
fn an_issuer_is_the_configured_form_of_the_configured_pool() {
    let (original, updated) = (config(&[]), config(&[("issuer", json!(UPDATED))]));
    assert_eq!(judge(&original, &[]), PASSES);
    assert_eq!(judge(&updated, &[("iss", Some(json!(UPDATED)))]), PASSES);
    assert_eq!(judge(&original, &[("iss", Some(json!(UPDATED)))]), Err(TokenIssuerWrong));
    assert_eq!(judge(&updated, &[]), Err(TokenIssuerWrong));
    for issuer in [
        ISSUER.replace("eu-north-1_Pool", "eu-north-1_Pool2"),
        ISSUER.replace("eu-north-1", "us-east-1"),
        ISSUER.replace("https", "http"),
        ISSUER.replace("cognito", "COGNITO"),
        ISSUER.replace("amazonaws.com", "amazonaws.com.evil.example"),
        format!("{ISSUER}/"),
        format!("{ISSUER}/../eu-north-1_Other"),
        format!(" {ISSUER}"),
        "accounts.google.com".into(),
        String::new(),
    ] {
        assert_eq!(judge(&original, &[("iss", Some(json!(issuer)))]), Err(TokenIssuerWrong), "{issuer}");
    }
    for wrong in [json!(null), json!([ISSUER]), json!(1)] {
        assert_eq!(judge(&original, &[("iss", Some(wrong.clone()))]), Err(TokenMalformed), "{wrong}");
    }
}

#[test]
fn one_of_the_demanded_scopes_is_enough_and_must_stand_whole() {
    let rules = config(&[("token", json!({"scopes": ["media/read", "media/write"]}))]);
    let scope = |text: &str| judge(&rules, &[("scope", Some(json!(text)))]);
    for good in ["media/read", "media/write", "a media/write b", "media/read media/read", " media/read"] {
        assert_eq!(scope(good), PASSES, "{good}");
    }
    for bad in [
        "",
        " ",
        "media",
        "media/reader",
        "xmedia/read",
        "MEDIA/READ",
        "media/read,x",
        "media/\tread",
        "media/*",
    ] {
        assert_eq!(scope(bad), Err(ScopeMissing), "{bad}");
    }
    // A user who signed in without the hosted pages has this scope alone.
    assert_eq!(scope("aws.cognito.signin.user.admin"), Err(ScopeMissing));
    assert_eq!(judge(&rules, &[("scope", None)]), Err(ScopeMissing));
    for wrong in [json!(["media/read"]), json!(null), json!(1)] {
        assert_eq!(judge(&rules, &[("scope", Some(wrong.clone()))]), Err(TokenMalformed), "{wrong}");
    }
    assert_eq!(judge(&config(&[]), &[("scope", None)]), PASSES);
}

#[test]
fn one_of_the_demanded_groups_is_enough_and_is_no_text() {
    let rules = config(&[("token", json!({"groups": ["readers", "editors"]}))]);
    let groups = |value: Value| judge(&rules, &[("cognito:groups", Some(value))]);
    for good in [json!(["editors"]), json!(["x", "readers"]), json!(["readers", "readers"])] {
        assert_eq!(groups(good.clone()), PASSES, "{good}");
    }
    for bad in
        [json!([]), json!(["Readers"]), json!(["readers "]), json!(["reader"]), json!(["readers,editors"])]
    {
        assert_eq!(groups(bad.clone()), Err(GroupMissing), "{bad}");
    }
    for wrong in [
        json!("readers"),
        json!(["readers", 1]),
        json!(["readers", null]),
        json!({"readers": 1}),
        json!(null),
    ] {
        assert_eq!(groups(wrong.clone()), Err(TokenMalformed), "{wrong}");
    }
    assert_eq!(judge(&rules, &[("cognito:groups", None)]), Err(GroupMissing));
    // Groups of a claim that a user may write for themselves do not count.
    let custom = [
        ("cognito:groups", None),
        ("custom:groups", Some(json!(["readers"]))),
        ("groups", Some(json!(["readers"]))),
    ];
    assert_eq!(judge(&rules, &custom), Err(GroupMissing));
    assert_eq!(judge(&config(&[]), &[("cognito:groups", None)]), PASSES);
}

#[test]
fn rules_hold_together_and_the_first_that_breaks_is_named() {
    let all =
        config(&[("token", json!({"scopes": ["media/read"], "groups": ["readers"], "leeway_seconds": 60}))]);
    assert_eq!(judge(&all, &[]), PASSES);
    let broken = [
        ("iss", json!("x"), TokenIssuerWrong),
        ("token_use", json!("id"), IdTokenRefused),
        ("client_id", json!("x"), TokenClientWrong),
        ("exp", json!(NOW - 60), TokenExpired),
        ("iat", json!(NOW + 61), TokenNotYetValid),
        ("scope", json!("x"), ScopeMissing),
        ("cognito:groups", json!(["x"]), GroupMissing),
    ];
    for (index, (_, _, refusal)) in broken.iter().enumerate() {
        let rest: Vec<(&str, Option<Value>)> =
            broken[index..].iter().map(|(name, value, _)| (*name, Some(value.clone()))).collect();
        assert_eq!(judge(&all, &rest), Err(*refusal));
    }
    // 403 says who may ask again with more: only a token that is good otherwise may learn it.
    assert_eq!(
        judge(&all, &[("scope", Some(json!("x"))), ("exp", Some(json!(NOW - 61)))]),
        Err(TokenExpired)
    );
}

#[test]
fn claims_that_nobody_asks_for_are_passed_over() {
    let extra = [
        ("sub", Some(json!("not-a-uuid"))),
        ("jti", Some(json!(7))),
        ("origin_jti", None),
        ("event_id", Some(json!("e"))),
        ("auth_time", Some(json!("never"))),
        ("version", Some(json!(2))),
        ("username", None),
        ("device_key", Some(json!({"deep": [1, {"deeper": null}]}))),
        ("cognito:roles", Some(json!("r"))),
        ("iss_", Some(json!("https://evil.example"))),
    ];
    assert_eq!(judge(&config(&[]), &extra), PASSES);
}

fn with_keys(keys: &Value, token: &str) -> Option<Result<u64, Refusal>> {
    let keys = Jwks::parse(ISSUER, keys.to_string().as_bytes())?;
    Some(verify(token, &keys, &config(&[]), NOW))
}

#[test]
fn a_key_set_gives_the_keys_that_can_sign_tokens_and_no_others() {
    let good = jwk("access", &pool_key().to_public_key());
    let taken = |key: Value| {
        with_keys(&json!({"keys": [key, jwk("other", &pool_key().to_public_key())]}), &good_token())
    };
    for (name, value) in
        [("use", None), ("alg", None), ("x5c", Some(json!(["a"]))), ("key_ops", Some(json!(["verify"])))]
    {
        assert_eq!(taken(with(good.clone(), name, value)), Some(PASSES), "{name}");
    }
    // Some writers put a zero before a number whose first bit is set.
    let longer = [vec![0], pool_key().n().to_bytes_be()].concat();
    let longer = with(good.clone(), "n", json!(URL_SAFE_NO_PAD.encode(longer)));
    assert_eq!(taken(longer), Some(PASSES));
    for (name, value) in [
        ("kty", json!("EC")),
        ("kty", json!("oct")),
        ("kty", json!("OKP")),
        ("kty", json!("rsa")),
        ("kty", json!(null)),
        ("use", json!("enc")),
        ("alg", json!("RS384")),
        ("alg", json!("PS256")),
        ("alg", json!("HS256")),
        ("n", json!("")),
        ("n", json!("AQAB")),
        ("n", json!("not base64!")),
        ("n", json!(65_537)),
        ("e", json!("")),
        ("e", json!("AQABAQABAQAB")),
        ("kid", json!(null)),
        ("kid", json!(["access"])),
    ] {
        assert_eq!(
            taken(with(good.clone(), name, value.clone())),
            Some(Err(TokenKeyUnknown)),
            "{name} {value}"
        );
    }
    for name in ["kid", "kty", "n", "e"] {
        assert_eq!(taken(with(good.clone(), name, None)), Some(Err(TokenKeyUnknown)), "no {name}");
    }
    let small = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1_024).expect("a key");
    assert_eq!(taken(jwk("access", &small.to_public_key())), Some(Err(TokenKeyUnknown)));
}

#[test]
fn what_is_no_key_set_is_not_taken() {
    let good = jwk("access", &pool_key().to_public_key());
    for document in [
        json!(null),
        json!([]),
        json!([good]),
        json!("keys"),
        json!({}),
        json!({"keys": null}),
        json!({"keys": {}}),
        json!({"keys": good}),
        json!({"keys": []}),
        json!({"keys": [null, 1, "a", []]}),
        json!({"Keys": [good]}),
        json!({"message": "Not Found"}),
    ] {
        assert!(with_keys(&document, &good_token()).is_none(), "{document}");
    }
    for text in ["", "<html>", "{\"keys\":[", "\u{feff}{\"keys\":[]}"] {
        assert!(Jwks::parse(ISSUER, text.as_bytes()).is_none(), "{text}");
    }
    let token = mint(&with(header(), "kid", json!(kid("gone"))), &claims());
    assert_eq!(with_keys(&jwks(&["id", "access"]), &token), Some(Err(TokenKeyUnknown)));
}
