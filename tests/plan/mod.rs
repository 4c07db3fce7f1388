//! `generator plan` without an account: what it tells of a change, for one tenant and for a thousand.

mod workflow;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{self, root, text};

/// The project's own tenants, templates, policies and snapshots, to be changed.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["tenants", "templates", "policies", "tests/snapshots"] {
            copy(&root().join(part), &folder.path().join(part));
        }
        fs::copy(root().join("generator.yaml"), folder.path().join("generator.yaml")).expect("the settings");
        Self { folder }
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn edit(&self, path: &str, edit: impl FnOnce(String) -> String) {
        let path = self.path(path);
        let before = fs::read_to_string(&path).expect("a file");
        let after = edit(before.clone());
        assert_ne!(before, after, "{}: the edit changes nothing", path.display());
        fs::write(path, after).expect("a file");
    }

    fn plan(&self, arguments: &[&str]) -> Output {
        let cache = tempfile::tempdir().expect("a folder");
        let mut command = support::generator(cache.path());
        command.current_dir(self.folder.path()).args(["plan", "--offline"]).args(arguments);
        command.output().expect("the binary runs")
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = self.plan(arguments);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).expect("a copy");
        }
    }
}

#[test]
fn nothing_differs_from_the_snapshots_that_were_reviewed() {
    let told = Project::new().told(&["--all"]);
    assert!(told.starts_with("no changes in 5 tenants\n"), "{told}");
}

#[test]
fn text_that_was_only_moved_shows_nothing() {
    let project = Project::new();
    project.edit("tests/snapshots/demo.edge.snap", |text| {
        let moved = text
            .replace("!GetAtt SigningKeyring.KeyGroupId", "{ 'Fn::GetAtt': [ SigningKeyring, KeyGroupId ] }");
        let moved = moved.replace(
            "- GET\n          - HEAD\n          - OPTIONS",
            "- OPTIONS\n          - HEAD\n          - GET",
        );
        moved.replace("\"minutes\":60,\"same_site\":\"lax\"", "\"same_site\": \"lax\", \"minutes\": 60")
    });
    let told = project.told(&["--tenant", "demo"]);
    assert!(told.starts_with("no changes in 1 tenant\n"), "{told}");
}

#[test]
fn a_change_is_told_with_both_values_and_what_it_replaces() {
    let project = Project::new();
    project.edit("tenants/demo.yaml", |text| format!("{text}cookies:\n  minutes: 90\n"));
    project.edit("templates/signer.yaml.hbs", |text| {
        text.replace("Issues signed cookies", "Makes signed cookies")
    });
    project.edit("templates/signing_keyring.yaml.hbs", |text| {
        text.replace(
            "secretsmanager:DescribeSecret",
            "secretsmanager:DescribeSecret\n                  - secretsmanager:ListSecrets",
        )
    });
    let output = project.plan(&["--all", "--exit-code"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    insta::with_settings!({ omit_expression => true, snapshot_path => root().join("tests/snapshots/plan"), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("offline", text(&output.stdout));
        insta::assert_snapshot!("offline.markdown", text(&project.plan(&["--all", "--output", "markdown"]).stdout));
    });
    let lax = project.plan(&["--all", "--exit-code", "--allow-broadening"]);
    assert_eq!(lax.status.code(), Some(7), "{}", text(&lax.stdout));
}

#[test]
fn a_renamed_bucket_is_data_that_would_be_lost() {
    let project = Project::new();
    project.edit("templates/content_bucket.yaml.hbs", |text| {
        text.replace("{{name}}-${AWS::AccountId}", "{{name}}-${AWS::AccountId}-b")
    });
    let output = project.plan(&["--tenant", "demo"]);
    assert_eq!(output.status.code(), Some(5));
    let told = text(&output.stdout);
    for line in [
        "-/+ ContentBucket (AWS::S3::Bucket) replaced, forced by BucketName; the old one stays outside of the stack",
        "regional/ContentBucket (AWS::S3::Bucket) would be replaced; the old one stays outside of the stack",
        "follows ContentBucket",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn a_new_tenant_is_told_and_one_without_a_file_is_not_forgotten() {
    let project = Project::new();
    fs::remove_file(project.path("tests/snapshots/demo.edge.snap")).expect("a snapshot");
    fs::remove_file(project.path("tests/snapshots/demo.regional.snap")).expect("a snapshot");
    fs::write(project.path("tests/snapshots/gone.edge.snap"), "---\n---\n").expect("a snapshot");
    let output = project.plan(&["--all", "--output", "json"]);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let overview = &json["overview"];
    assert_eq!(overview["changed"], serde_json::json!(["demo"]));
    assert_eq!(overview["failed"][0]["tenants"], serde_json::json!(["gone"]));
    assert!(overview["totals"]["add"].as_u64().is_some_and(|added| added > 15), "{overview:#}");
}

/// A fleet of which one tenant is odd; the folder of `render --out` is what it is compared with. What a thousand
/// tenants make of a comment is tested where comments are written.
#[test]
fn a_fleet_with_one_difference_makes_one_short_comment() {
    let project = Project::new();
    let demo = fs::read_to_string(project.path("tenants/demo.yaml")).expect("a file");
    for number in 0..20 {
        fs::write(project.path(&format!("tenants/t{number:03}.yaml")), &demo).expect("a file");
    }
    let cache = tempfile::tempdir().expect("a folder");
    let mut render = support::generator(cache.path());
    render.current_dir(project.folder.path()).args(["render", "--all", "--out", "before"]);
    let rendered = render.output().expect("the binary runs");
    assert!(rendered.status.success(), "{}", text(&rendered.stderr));
    project.edit("templates/signer.yaml.hbs", |text| {
        text.replace("Issues signed cookies", "Makes signed cookies")
    });
    project.edit("tenants/t010.yaml", |text| format!("{text}cookies:\n  minutes: 90\n"));
    let told = project.told(&["--all", "--snapshots", "before", "--output", "markdown"]);
    assert!(told.len() < 4_000, "{}", told.len());
    for line in
        ["**25 of 25 tenants would change.**", "### In 25 tenants: ", "and 5 more", "### Only in `t010`"]
    {
        assert!(told.contains(line), "{line}\n{told}");
    }
}
