//! What is looked at beside the tenants that are asked for: tiers that nobody names, and the names of others.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use generator::tenant::{Loaded, Request, load_with};
use tempfile::TempDir;

const DEFAULTS: &str = "region: eu-north-1\nsign_in:\n  callback_urls: [https://app.example.com/]\n";
const CERTIFICATE: &str = "arn:aws:acm:us-east-1:111122223333:certificate/6f1d9a9e-8f0b-4a57";

/// A folder of tenant files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("_tiers")).expect("a folder");
    for (name, text) in [("_defaults", DEFAULTS)].iter().chain(files) {
        fs::write(folder.path().join(format!("{name}.yaml")), text).expect("a file");
    }
    folder
}

fn with_alias(alias: &str) -> String {
    format!("edge:\n  aliases: [{alias}]\n  certificate_arn: {CERTIFICATE}\n")
}

fn load(folder: &Path, selected: &[&str], every_tier: bool) -> Result<Loaded, String> {
    let selected: Vec<String> = selected.iter().map(ToString::to_string).collect();
    let request = Request { organisation: "example", selected: &selected, with_others: true, every_tier };
    load_with(folder, &request).map_err(|error| error.to_string())
}

#[test]
fn a_name_that_a_tenant_beside_takes_is_refused() {
    let alias = with_alias("media.example.com");
    for (other, what) in [
        (alias.as_str(), "the alias `media.example.com`"),
        ("bucket: {existing_name: example-a-content-111122223333}\n", "the bucket"),
        ("sign_in: {domain_prefix: films}\n", "the sign-in domain `films`"),
    ] {
        let own = format!("account: \"111122223333\"\n{alias}sign_in: {{domain_prefix: films}}\n");
        let folder = folder(&[("a", own.as_str()), ("b", other)]);
        let told = load(folder.path(), &["a"], false).expect_err(what);
        assert!(told.contains(what) && told.contains("a.yaml") && told.contains("b.yaml"), "{told}");
        assert_eq!(told.matches("error:").count(), 1, "{told}");
    }
}

#[test]
fn a_name_of_another_comes_from_all_of_its_layers() {
    let tier = with_alias("gold.example.com");
    let own = with_alias("gold.example.com");
    let folder = folder(&[("_tiers/gold", &tier), ("a", &own), ("b", "tier: gold\n")]);
    let told = load(folder.path(), &["a"], false).expect_err("the tier's alias");
    assert!(told.contains("_tiers/gold.yaml:2:12") || told.contains("_tiers/gold.yaml"), "{told}");
    // What the upper layer takes away is not taken.
    fs::write(folder.path().join("b.yaml"), "tier: gold\nedge: {aliases: [], certificate_arn: null}\n")
        .expect("a file");
    load(folder.path(), &["a"], false).unwrap_or_else(|told| panic!("{told}"));
}

#[test]
fn a_broken_file_beside_is_named_and_stops_nobody() {
    let folder = folder(&[("a", ""), ("b", "edge:\n\taliases: []\n"), ("c", "tier: none\n"), ("d", "")]);
    let loaded = load(folder.path(), &["a"], false).unwrap_or_else(|told| panic!("{told}"));
    let names: Vec<_> = loaded.unread.iter().filter_map(|path| Path::new(path).file_name()).collect();
    assert_eq!(names, ["b.yaml", "c.yaml"]);
    assert_eq!(loaded.tenants.len(), 1);
}

#[test]
fn two_tenants_beside_that_meet_are_for_whoever_loads_them() {
    let alias = with_alias("media.example.com");
    let folder = folder(&[("a", ""), ("b", &alias), ("c", &alias)]);
    load(folder.path(), &["a"], false).unwrap_or_else(|told| panic!("{told}"));
    load(folder.path(), &["b"], false).expect_err("it meets another");
}

#[test]
fn a_tier_that_nobody_names_is_checked_on_demand() {
    let tier = "edge:\n  price_clas: PriceClass_All\ncookies:\n  minutes: 0\n";
    let folder = folder(&[
        ("_tiers/unused", tier),
        ("_tiers/Odd", ""),
        ("_tiers/nested", "tier: unused\n"),
        ("a", ""),
    ]);
    load(folder.path(), &["a"], false).unwrap_or_else(|told| panic!("{told}"));
    let told = load(folder.path(), &["a"], true).expect_err("three tiers are wrong");
    for part in
        ["unknown key `edge.price_clas`", "`cookies.minutes` must be", "Odd.yaml", "a tier cannot say `tier`"]
    {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    assert!(!told.contains("is not set"), "a tier need not say all:\n{told}");
}

/// The others cost a reading of their YAML and no more.
#[test]
fn a_thousand_tenants_beside_take_no_time() {
    let folder = folder(&[("a", "")]);
    for number in 0..1000 {
        let text = format!(
            "{}sign_in: {{domain_prefix: films-{number}}}\n",
            with_alias(&format!("m{number}.example.com"))
        );
        fs::write(folder.path().join(format!("t{number}.yaml")), text).expect("a file");
    }
    let start = Instant::now();
    load(folder.path(), &["a"], false).unwrap_or_else(|told| panic!("{told}"));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
