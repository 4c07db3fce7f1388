//! The command line as scripts and people meet it: exit codes, what stands on which stream, help.

use std::process::Output;

use crate::support::{self, root, text};

/// Runs the binary with an empty environment, in the project's root.
fn generator(arguments: &[&str]) -> Output {
    let cache = tempfile::tempdir().expect("a folder");
    support::generator(cache.path()).args(arguments).output().expect("the binary runs")
}

#[test]
fn no_selection_is_an_error_that_lists_the_tenants() {
    let output = generator(&["render"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("no tenant is selected") && stderr.contains("`demo`"), "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn an_unknown_tenant_is_not_found() {
    let output = generator(&["render", "--tenant", "nobody"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(text(&output.stderr).contains("no tenant matches `nobody`"));
}

#[test]
fn labels_and_exclusions_select() {
    let output = generator(&["validate", "--label", "environment=production", "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains("\"demo\""));
    let output = generator(&["validate", "--all", "--exclude", "*", "--output", "json"]);
    assert_eq!(output.status.code(), Some(6));
}

#[test]
fn render_writes_the_bytes_of_the_snapshots() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let output = generator(&["render", "--tenant", "demo", "--out", folder]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let written = std::fs::read_to_string(out.path().join("example-demo-edge.yaml")).expect("a template");
    let snapshot =
        std::fs::read_to_string(root().join("tests/snapshots/demo.edge.snap")).expect("a snapshot");
    let reviewed = snapshot.splitn(3, "---\n").nth(2).expect("a header");
    assert_eq!(written.trim_end(), reviewed.trim_end());
}

#[test]
fn render_says_in_json_where_each_parameter_comes_from() {
    let output = generator(&["render", "--tenant", "demo", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let edge = &json[0]["stacks"][1];
    assert_eq!(edge["id"], "edge");
    let sources: Vec<_> =
        edge["parameters"].as_array().expect("parameters").iter().map(|p| &p["source"]["from"]).collect();
    assert!(sources.iter().any(|from| *from == "artifact") && sources.iter().any(|from| *from == "output"));
    let later = &json[0]["stacks"][0]["parameters"][0];
    assert_eq!(
        (&later["name"], &later["source"]["from"]),
        (&"DistributionId".into(), &"later-output".into())
    );
    assert_eq!(edge["template"]["Resources"]["Distribution"]["Type"], "AWS::CloudFront::Distribution");
}

#[test]
fn without_anybody_to_ask_a_question_ends_the_run_at_once() {
    let output = generator(&["local", "reset"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--yes"));
}

#[test]
fn completion_needs_no_project() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut command = support::generator(elsewhere.path());
    let output =
        command.args(["completion", "bash"]).current_dir(&elsewhere).output().expect("the binary runs");
    let script = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(script.contains("_generator") && script.contains("--changed-since"), "{script}");
}

#[test]
fn help_has_examples_and_every_exit_code() {
    let output = generator(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("Examples:") && help.contains("70 a bug"), "{help}");
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    assert_eq!(generator(&["deploy", "--frobnicate"]).status.code(), Some(2));
}
