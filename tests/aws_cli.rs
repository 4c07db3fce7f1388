//! AWS's own signers of CloudFront policies as live judges of ours.
//!
//! `aws cloudfront sign` signs URLs; a URL carries the same policy and the same signature as the cookies do, in
//! the same alphabet. The CLI of the package index does so with RSA and SHA-1 alone, and newer ones have
//! `sign-cookies` with both kinds of key and SHA-256. That command is asked where the CLI on this machine knows
//! it, and what it is made of, AWS's policies and AWS's cryptography, everywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use contract::edge_config::SignatureHash;
use contract::keyring::{KeyAlgorithm, PrivateKeyPem};
use generator::local::{self, Judges};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, LineEnding};
use signing::{CookieSet, Network, Policy, SigningKey, Viewing, open};
use testkit::fixture;

use crate::support::cache;

const KEY_ID: &str = "K2JCJMDEHXQW5F";
const EXPIRES: u64 = 1_767_225_600;

/// The parameters of the URL that the CLI signs for this policy.
fn signed_by_aws(judges: &Judges, key: &str, policy: &Policy) -> BTreeMap<String, String> {
    let mut command = judges.aws();
    command.args(["cloudfront", "sign", "--key-pair-id", KEY_ID, "--private-key", key]);
    command.args(["--url", &policy.resource, "--date-less-than", &policy.expires.to_string()]);
    if let Some(start) = policy.not_before {
        command.args(["--date-greater-than", &start.to_string()]);
    }
    if let Some(network) = policy.network {
        command.args(["--ip-address", &network.to_string()]);
    }
    let output = command.output().expect("the AWS CLI runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = String::from_utf8(output.stdout).expect("text");
    let (resource, query) = url.rsplit_once('?').expect("parameters");
    assert_eq!(resource, policy.resource);
    query
        .trim()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.into(), v.into()))
        .collect()
}

fn policies() -> Vec<Policy> {
    let host = Policy::of_host("media.example.com", EXPIRES);
    let network = Network::parse("198.51.100.0/24");
    let start = Some(1_764_547_200);
    vec![
        host.clone(),
        host.clone().bound_to([192, 0, 2, 7].into()),
        Policy { not_before: start, ..host.clone() },
        Policy { network, ..host.clone() },
        Policy { network, not_before: start, ..host.clone() },
        Policy { resource: "https://media.example.com/films/part-*.ts".into(), ..host.clone() },
        Policy { resource: "http://media.example.com/a b/\"c\"\\d".into(), expires: 4_294_967_296, ..host },
    ]
}

#[test]
fn the_aws_cli_makes_the_policies_and_signatures_that_we_make() {
    let judges = local::judges(&cache(), &|step| println!("{step}")).expect("the judges");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key.pem");
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(fixture::RSA).expect("a test key");
    fs::write(&file, key.to_pkcs1_pem(LineEnding::LF).expect("PEM").as_bytes()).expect("a file");
    let key = format!("file://{}", file.display());
    let ours = SigningKey::from_pem(&PrivateKeyPem::new(fixture::RSA.into())).expect("a test key");
    for policy in policies() {
        let theirs = signed_by_aws(&judges, &key, &policy);
        let cookies = CookieSet::sign(&ours, KEY_ID, &policy, SignatureHash::Sha1).expect("a signature");
        assert_eq!(theirs["Key-Pair-Id"], KEY_ID);
        // Where a start and an address are both there the CLI writes them the other way round; CloudFront
        // reads either. The signer issues neither of these policies.
        let same_order = policy.not_before.is_none() || policy.network.is_none();
        match theirs.get("Policy") {
            Some(text) if same_order => assert_eq!(*text, cookies.policy, "{policy:?}"),
            Some(_) => {}
            None => assert_eq!(theirs["Expires"], policy.expires.to_string(), "{policy:?}"),
        }
        if same_order {
            assert_eq!(theirs["Signature"], cookies.signature, "{policy:?}");
        }
        // What the CLI has signed opens by our reading of it.
        let from_aws = CookieSet {
            policy: theirs.get("Policy").unwrap_or(&cookies.policy).clone(),
            signature: theirs["Signature"].clone(),
            ..cookies
        };
        let url = policy.resource.replace('*', "1");
        let viewing = Viewing { url: &url, now: policy.expires - 1, address: address_within(&policy) };
        let opened = open(&from_aws, &[fixture::trusted(KEY_ID, "rsa-2048")], viewing);
        assert_eq!(opened.map(|opened| opened.policy), Ok(policy));
    }
}

/// The CLI on this machine, where it has `sign-cookies`. It sees no configuration and no credentials.
fn installed_cli() -> Option<Command> {
    let command = || {
        let mut command = Command::new("aws");
        command.envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
        command.envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", ""), ("AWS_REGION", "us-east-1")]);
        command.args(["cloudfront", "sign-cookies"]);
        command
    };
    // Without its arguments the command names them; a CLI that does not have it names other commands.
    let complaint = command().output().ok()?.stderr;
    String::from_utf8_lossy(&complaint).contains("--key-pair-id").then(command)
}

/// The cookies that AWS makes for this policy, by name.
fn cookies_by_aws(mut command: Command, key: &Path, policy: &Policy, hash: &str) -> BTreeMap<String, String> {
    command.args(["--resource", &policy.resource, "--key-pair-id", KEY_ID]);
    command.args(["--private-key", &format!("file://{}", key.display())]);
    command.args(["--date-less-than", &policy.expires.to_string(), "--hash-algorithm", hash]);
    if let Some(start) = policy.not_before {
        command.args(["--date-greater-than", &start.to_string()]);
    }
    if let Some(network) = policy.network {
        command.args(["--ip-address", &network.to_string()]);
    }
    let output = command.args(["--output", "json"]).output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Policies of a resource that `sign-cookies` takes, each kind of them: with a star or the limits beyond a time it
/// is a custom one, else a canned one, which goes without its text.
fn policies_for_cookies() -> Vec<Policy> {
    let film = Policy { resource: "https://media.example.com/films/one.mp4".into(), ..policies()[0].clone() };
    policies().into_iter().filter(|policy| !policy.resource.contains('"')).chain([film]).collect()
}

#[test]
fn aws_makes_the_cookies_that_we_make_with_each_key_and_hash() {
    let judges = local::judges(&cache(), &|step| println!("{step}")).expect("the judges");
    let folder = tempfile::tempdir().expect("a folder");
    if installed_cli().is_none() {
        println!("no AWS CLI with `sign-cookies` here: its libraries judge alone");
    }
    for (pem, algorithm) in [(fixture::RSA, KeyAlgorithm::Rsa2048), (fixture::ECDSA, KeyAlgorithm::EcdsaP256)]
    {
        let file = folder.path().join(algorithm.as_str());
        fs::write(&file, pem).expect("a file");
        let ours = SigningKey::from_pem(&PrivateKeyPem::new(pem.into())).expect("a test key");
        for (hash, name) in [(SignatureHash::Sha1, "SHA1"), (SignatureHash::Sha256, "SHA256")] {
            // The command takes ECDSA with SHA-256 alone.
            let refused = (algorithm, hash) == (KeyAlgorithm::EcdsaP256, SignatureHash::Sha1);
            for policy in policies_for_cookies() {
                let cookies = CookieSet::sign(&ours, KEY_ID, &policy, hash).expect("a signature");
                let signers = [Some(judges.sign_cookies()), installed_cli().filter(|_| !refused)];
                for signer in signers.into_iter().flatten() {
                    compare(&cookies_by_aws(signer, &file, &policy, name), &cookies, &policy, algorithm);
                }
            }
        }
    }
}

/// Holds AWS's cookies for a policy against ours.
fn compare(theirs: &BTreeMap<String, String>, ours: &CookieSet, policy: &Policy, algorithm: KeyAlgorithm) {
    let named = theirs.get("CloudFront-Hash-Algorithm").map(String::as_str);
    let expected = (ours.hash == SignatureHash::Sha256).then_some("SHA256");
    assert_eq!(named, expected, "{policy:?}");
    assert_eq!(theirs["CloudFront-Key-Pair-Id"], ours.key_id);
    let canned = theirs.get("CloudFront-Expires");
    let custom = policy.resource.contains('*') || policy.not_before.is_some() || policy.network.is_some();
    assert_eq!(canned.map(String::as_str), (!custom).then_some(policy.expires.to_string()).as_deref());
    let same_order = policy.not_before.is_none() || policy.network.is_none();
    if custom && same_order {
        assert_eq!(theirs["CloudFront-Policy"], ours.policy, "{policy:?}");
    }
    // An RSA signature of a text is one; a signature of ECDSA is one of many.
    if same_order && algorithm == KeyAlgorithm::Rsa2048 {
        assert_eq!(theirs["CloudFront-Signature"], ours.signature, "{policy:?}");
    }
    let from_aws = CookieSet {
        policy: theirs.get("CloudFront-Policy").unwrap_or(&ours.policy).clone(),
        signature: theirs["CloudFront-Signature"].clone(),
        ..ours.clone()
    };
    let url = policy.resource.replace('*', "1");
    let viewing = Viewing { url: &url, now: policy.expires - 1, address: address_within(policy) };
    let opened = open(&from_aws, &[fixture::trusted(KEY_ID, algorithm.as_str())], viewing);
    assert_eq!(opened.map(|opened| opened.policy).as_ref(), Ok(policy));
}

/// An address that a policy lets in, where it names any.
fn address_within(policy: &Policy) -> Option<std::net::Ipv4Addr> {
    let network = policy.network?.to_string();
    Some(network.split('/').next()?.parse().expect("an address"))
}
