//! Each mistake has a file of its name, and each text that is told about it has been read.

use std::collections::BTreeSet;

use generator::tenant;

use crate::support::root;

/// A good tenant that is loaded beside each broken one, as some collide with it.
const PARTNER: &str = "partner";

fn broken() -> Vec<String> {
    let folder = root().join("tests/fixtures/broken");
    let names = tenant::list(&folder).expect("the broken files");
    names.into_iter().filter(|name| name != PARTNER).collect()
}

#[test]
fn every_mistake_is_told_as_reviewed() {
    let root = root();
    let folder = root.join("tests/fixtures/broken");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root.join("tests/snapshots/errors"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for name in broken() {
        let loaded = tenant::load(&folder, "example", &[PARTNER.to_string(), name.clone()]);
        let Err(error) = loaded else { panic!("`{name}` is accepted") };
        let text = error.to_string().replace(&format!("{}/", root.display()), "");
        settings.set_description(format!("tests/fixtures/broken/{name}.yaml"));
        settings.bind(|| insta::assert_snapshot!(name.clone(), text));
    }
}

#[test]
fn the_good_neighbour_of_the_broken_files_is_good() {
    let folder = root().join("tests/fixtures/broken");
    let loaded = tenant::load(&folder, "example", &[PARTNER.to_string()]);
    assert!(loaded.is_ok(), "{}", loaded.expect_err("refused"));
}

#[test]
fn no_error_snapshot_is_left_over() {
    let wanted: BTreeSet<String> = broken().into_iter().map(|name| format!("{name}.snap")).collect();
    let found: BTreeSet<String> = std::fs::read_dir(root().join("tests/snapshots/errors"))
        .expect("the error snapshots")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".snap"))
        .collect();
    assert_eq!(found, wanted);
}
