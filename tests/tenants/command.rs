//! `generator new` and `generator validate`, as people run them.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::support::{self, root, text};

/// Exit code of a wrong file or argument.
const USAGE: i32 = 2;

fn project() -> TempDir {
    let project = tempfile::tempdir().expect("a folder");
    let tenants = project.path().join("tenants");
    fs::create_dir_all(tenants.join("_tiers")).expect("a folder");
    for file in ["_defaults.yaml", "_tiers/gold.yaml", "demo.yaml"] {
        fs::copy(root().join("tenants").join(file), tenants.join(file)).expect("a copy");
    }
    project
}

fn generator(project: &Path, arguments: &[&str]) -> Output {
    let mut command = support::generator(&project.join("cache"));
    // Beside the tenants there are no policies here.
    command.env_remove("GENERATOR_POLICIES_DIR");
    command.args(arguments).arg("--tenants-dir").arg(project.join("tenants"));
    command.output().expect("the binary runs")
}

#[test]
fn new_writes_a_valid_file_and_never_over_another() {
    let project = project();
    for (name, tier) in [("fresh", None), ("fine", Some("gold"))] {
        let arguments: Vec<&str> =
            ["new", name].into_iter().chain(tier.map(|_| "--tier")).chain(tier).collect();
        let output = generator(project.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let path = project.path().join(format!("tenants/{name}.yaml"));
        let written = fs::read_to_string(&path).expect("the file is written");
        assert_eq!(
            written.lines().next(),
            Some("# yaml-language-server: $schema=../docs/tenant.schema.json")
        );
        assert_eq!(written.contains("tier: gold"), tier.is_some(), "{written}");
        let output = generator(project.path(), &["validate", "--tenant", name]);
        assert_eq!(text(&output.stdout), format!("tenant {name} is valid\n"), "{}", text(&output.stderr));

        let edited = format!("{written}labels: {{edited: yes}}\n");
        fs::write(&path, &edited).expect("the file is edited");
        let output = generator(project.path(), &arguments);
        assert_eq!(output.status.code(), Some(USAGE));
        assert!(text(&output.stderr).contains("is there already"), "{}", text(&output.stderr));
        assert_eq!(fs::read_to_string(&path).expect("the file is there"), edited);
    }
}

#[test]
fn new_writes_nothing_where_name_or_tier_is_wrong() {
    let project = project();
    for arguments in [["new", "Fresh", "--tier", "gold"], ["new", "fresh", "--tier", "glod"]] {
        let output = generator(project.path(), &arguments);
        assert_eq!(output.status.code(), Some(USAGE), "{arguments:?}");
    }
    let output = generator(project.path(), &["new", "fresh", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let names: Vec<_> = fs::read_dir(project.path().join("tenants")).expect("the folder").collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn validate_all_checks_the_tiers_that_nobody_names() {
    let project = project();
    fs::write(project.path().join("tenants/_tiers/silver.yaml"), "edge: {price_clas: x}\n").expect("a file");
    assert_eq!(generator(project.path(), &["validate", "--tenant", "demo"]).status.code(), Some(0));
    let output = generator(project.path(), &["validate", "--all"]);
    assert_eq!(output.status.code(), Some(USAGE));
    assert!(text(&output.stderr).contains("_tiers/silver.yaml:1:8"), "{}", text(&output.stderr));
}

#[test]
fn a_broken_file_beside_the_selected_one_is_warned_of() {
    let project = project();
    fs::write(project.path().join("tenants/odd.yaml"), "edge: [\n").expect("a file");
    let output = generator(project.path(), &["validate", "--tenant", "demo"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("warning:") && stderr.contains("tenants/odd.yaml` is wrong"), "{stderr}");
}
