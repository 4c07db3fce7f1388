//! The workflow of the documentation: its commands, run one after the other as GitHub would.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use super::Project;
use crate::support::{root, text};

#[test]
fn the_workflow_comments_on_a_pull_request() {
    let project = Project::new();
    let folder = project.folder.path();
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "base"]);
    git(folder, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    project.edit("tenants/demo.yaml", |text| format!("{text}cookies:\n  minutes: 90\n"));
    git(folder, &["commit", "--quiet", "--all", "--message", "longer cookies"]);

    // The tool is built already, and GitHub's own command writes down what it is given.
    let programs = tempfile::tempdir().expect("a folder");
    let binary = env!("CARGO_BIN_EXE_generator");
    program(programs.path(), "cargo", &format!("shift 3\nexec {binary} \"$@\""));
    program(programs.path(), "gh", "printf '%s\\n' \"$@\" > \"$RUNNER_TEMP/gh\"");
    let temp = tempfile::tempdir().expect("a folder");

    let workflow = fs::read_to_string(root().join("docs/plan-on-pull-request.yml")).expect("the workflow");
    let workflow: Value = serde_yaml::from_str(&workflow).expect("YAML");
    let job = &workflow["jobs"]["plan"];
    let given = BTreeMap::from([
        ("origin/${{ github.base_ref }}", "origin/main"),
        ("${{ github.event.number }}", "7"),
        ("${{ github.token }}", "none"),
    ]);
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in job["env"].as_mapping().expect("an environment") {
        let value = given[value.as_str().expect("a text")];
        environment.insert(name.as_str().expect("a name").to_string(), value.to_string());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    environment.insert("PATH".into(), format!("{}:{path}", programs.path().display()));
    environment.insert("RUNNER_TEMP".into(), temp.path().display().to_string());
    environment.insert("GENERATOR_CACHE_DIR".into(), temp.path().join("cache").display().to_string());

    let mut commands = 0;
    for step in job["steps"].as_sequence().expect("steps") {
        let Some(script) = step.get("run").and_then(Value::as_str) else { continue };
        assert!(!script.contains("${{"), "an expression within a script: {script}");
        let shell = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", script])
            .env_clear()
            .envs(&environment)
            .current_dir(folder)
            .output();
        let output = shell.expect("bash");
        assert!(output.status.success(), "{script}\n{}{}", text(&output.stdout), text(&output.stderr));
        commands += 1;
    }
    assert_eq!(commands, 3);

    let asked = fs::read_to_string(temp.path().join("gh")).expect("what gh was given");
    assert!(asked.starts_with("pr\ncomment\n7\n") && asked.contains("plan.md"), "{asked}");
    let comment = fs::read_to_string(temp.path().join("plan.md")).expect("the comment");
    assert!(comment.contains("1 of 5 tenants would change, 4 unchanged"), "{comment}");
    assert!(comment.contains("Value.cookie.minutes: 60 -> 90"), "{comment}");
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.invalid"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .current_dir(folder)
        .output()
        .expect("git");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
}

fn program(folder: &Path, name: &str, body: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
}
