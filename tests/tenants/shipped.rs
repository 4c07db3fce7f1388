//! The tenants of the project, and the schema that their first lines name.

use std::collections::BTreeSet;
use std::fs;

use generator::tenant::{self, scaffold, schema};
use serde_json::Value;

use super::{files, read};
use crate::support::root;

#[test]
fn the_stored_schema_is_the_one_that_the_types_give() {
    let stored = fs::read_to_string(root().join("docs/tenant.schema.json")).expect("the stored schema");
    let fresh = format!("{:#}\n", schema::document());
    assert!(stored == fresh, "run `cargo run -- schema > docs/tenant.schema.json`");
}

#[test]
fn every_tenant_file_names_the_schema_in_its_first_line() {
    for (folder, up) in [("tenants", ".."), ("tenants/_tiers", "../..")] {
        let line = format!("# yaml-language-server: $schema={up}/docs/tenant.schema.json");
        for (name, text) in files(&root().join(folder)) {
            assert_eq!(text.lines().next(), Some(line.as_str()), "{folder}/{name}.yaml");
        }
    }
}

#[test]
fn every_setting_is_set_by_a_shipped_tenant() {
    let mut set = BTreeSet::new();
    for folder in ["tenants", "tenants/_tiers"] {
        for (_, text) in files(&root().join(folder)) {
            collect(&read(&text).expect("a tenant file").to_json(), "", &mut set);
        }
    }
    let unset: Vec<String> =
        schema::paths(&schema::document()).into_iter().filter(|path| !is_set(path, &set)).collect();
    assert_eq!(unset, Vec::<String>::new());
}

/// The dotted path of every value; an item of a list of maps is a `*`.
fn collect(value: &Value, path: &str, set: &mut BTreeSet<String>) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| collect(value, &below(key), set)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| collect(item, &below("*"), set));
        }
        _ => {
            set.insert(path.to_string());
        }
    }
}

/// Whether a path of the schema, in which `*` stands for a key that people choose, is among those set.
fn is_set(path: &str, set: &BTreeSet<String>) -> bool {
    set.iter().any(|own| {
        let (own, path): (Vec<_>, Vec<_>) = (own.split('.').collect(), path.split('.').collect());
        own.len() == path.len() && own.iter().zip(&path).all(|(own, path)| own == path || *path == "*")
    })
}

/// What `generator new` writes is valid, with and without a tier, and where no layer gives a region.
#[test]
fn a_new_tenants_file_is_valid() {
    let shipped = root().join("tenants");
    let project = tempfile::tempdir().expect("a folder");
    let with_defaults = project.path().join("with");
    let bare = project.path().join("bare");
    fs::create_dir_all(with_defaults.join("_tiers")).expect("a folder");
    fs::create_dir(&bare).expect("a folder");
    for file in ["_defaults.yaml", "_tiers/gold.yaml"] {
        fs::copy(shipped.join(file), with_defaults.join(file)).expect("a copy");
    }
    for (folder, tier) in [(&with_defaults, None), (&with_defaults, Some("gold")), (&bare, None)] {
        let text = scaffold::text(folder, "example", "fresh", tier).unwrap_or_else(|error| panic!("{error}"));
        fs::write(folder.join("fresh.yaml"), &text).expect("a file");
        let loaded = tenant::load(folder, "example", &["fresh".to_string()]);
        assert!(loaded.is_ok(), "{}", loaded.expect_err("refused"));
    }
    assert!(scaffold::text(&bare, "example", "fresh", Some("gold")).is_err(), "a tier that is not there");
    assert!(scaffold::text(&bare, "example", "../fresh", None).is_err(), "a name that leads elsewhere");
}
