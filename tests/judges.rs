//! Outside judges of the rendered templates: cfn-lint, and AWS's own cloudformation-validate.

use std::fs;
use std::path::PathBuf;

use generator::local;
use generator::render::RenderedStack;
use serde_json::Value;

use crate::support::{cache, rendered};

/// Rules that warn and that the templates break on purpose, with the reason.
const JUSTIFIED: [(&str, &str); 0] = [];

/// Rules of cloudformation-validate that only inform: what a property's change would do, or that an optional
/// description is missing.
const INFORMS: &str = "info";

fn written() -> (tempfile::TempDir, Vec<(PathBuf, RenderedStack)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let stacks = rendered()
        .into_iter()
        .flat_map(|tenant| tenant.stacks)
        .map(|stack| {
            let path = folder.path().join(format!("{}.yaml", stack.name));
            fs::write(&path, &stack.template).expect("a template can be written");
            (path, stack)
        })
        .collect();
    (folder, stacks)
}

#[test]
fn cfn_lint_finds_nothing() {
    let judges = local::judges(&cache(), &|step| println!("{step}")).expect("the judges");
    let (_folder, stacks) = written();
    let mut findings = Vec::new();
    let regions: std::collections::BTreeSet<_> =
        stacks.iter().map(|(_, stack)| stack.region.clone()).collect();
    for region in regions {
        let files = stacks.iter().filter(|(_, stack)| stack.region == region).map(|(path, _)| path);
        let output = judges
            .cfn_lint()
            .args(["--format", "json", "--regions", &region, "--template"])
            .args(files)
            .output()
            .expect("cfn-lint runs");
        let found: Vec<Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        findings.extend(found.into_iter().map(|finding| {
            let rule = finding["Rule"]["Id"].as_str().unwrap_or_default().to_string();
            (rule, format!("{} {} {}", finding["Filename"], finding["Message"], finding["Location"]["Start"]))
        }));
    }
    unjustified(findings);
}

#[test]
fn cloudformation_validate_finds_nothing() {
    let judges = local::judges(&cache(), &|step| println!("{step}")).expect("the judges");
    let (_folder, stacks) = written();
    let output = judges
        .cloudformation_validate()
        .args(stacks.iter().map(|(path, _)| path))
        .output()
        .expect("cloudformation-validate runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    // The judge always has something to say of these templates: silence would mean that it read nothing.
    assert!(text.lines().count() > stacks.len(), "{text}");
    let findings = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a JSON object a line"))
        .filter(|finding| finding["severity"] != INFORMS)
        .map(|finding| (finding["rule"].as_str().unwrap_or_default().to_string(), finding.to_string()))
        .collect();
    unjustified(findings);
}

/// What plans without an account say of replacements.
#[test]
fn the_properties_that_replace_a_resource_are_those_of_the_schemas() {
    let judges = local::judges(&cache(), &|step| println!("{step}")).expect("the judges");
    let mut types = std::collections::BTreeSet::new();
    for stack in rendered().into_iter().flat_map(|tenant| tenant.stacks) {
        let document = generator::render::read_template(&stack.template).expect("a template");
        let resources = document["Resources"].as_object().expect("resources").values();
        types.extend(resources.filter_map(|one| one["Type"].as_str()).map(str::to_string));
    }
    types.retain(|kind| kind.starts_with("AWS::"));
    let output = judges.create_only().args(&types).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let schemas: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for kind in &types {
        assert_eq!(serde_json::json!(generator::plan::create_only(kind)), schemas[kind], "{kind}");
    }
    assert!(types.len() > 15, "{types:?}");
}

fn unjustified(findings: Vec<(String, String)>) {
    let left: Vec<_> =
        findings.iter().filter(|(rule, _)| !JUSTIFIED.iter().any(|(known, _)| known == rule)).collect();
    assert!(left.is_empty(), "{left:#?}");
    for (rule, reason) in JUSTIFIED {
        assert!(
            findings.iter().any(|(found, _)| found == rule),
            "no template breaks {rule} ({reason}) any more"
        );
    }
}
