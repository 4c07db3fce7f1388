//! AWS's own signer of CloudFront policies, the command `aws cloudfront sign`, as a live judge of ours. The CLI
//! of the package index signs URLs, with RSA and SHA-1; a URL carries the same policy and the same signature as
//! the cookies do, in the same alphabet.

use std::collections::BTreeMap;
use std::fs;

use contract::edge_config::SignatureHash;
use contract::keyring::PrivateKeyPem;
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
        let address = policy.network.map(|network| match network.to_string().split('/').next() {
            Some(address) => address.parse().expect("an address"),
            None => unreachable!("a network begins with an address"),
        });
        let viewing = Viewing { url: &url, now: policy.expires - 1, address };
        let opened = open(&from_aws, &[fixture::trusted(KEY_ID, "rsa-2048")], viewing);
        assert_eq!(opened.map(|opened| opened.policy), Ok(policy));
    }
}
