//! Rendered templates: what reviewers read, and what holds for all of them.

use std::collections::BTreeSet;
use std::fs;

use serde_yaml::Value;

use crate::support::{rendered, root};

/// One named snapshot per tenant and stack. A new tenant file needs no test code.
#[test]
fn every_stack_of_every_tenant_is_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for tenant in rendered() {
            for stack in &tenant.stacks {
                let mut settings = insta::Settings::clone_current();
                settings.set_description(format!("tenants/{}.yaml, stack {}", tenant.tenant, stack.name));
                let name = format!("{}.{}", tenant.tenant, stack.id.as_str());
                settings.bind(|| insta::assert_snapshot!(name, stack.template));
            }
        }
    });
}

#[test]
fn no_snapshot_is_left_over() {
    let wanted: BTreeSet<String> = rendered()
        .iter()
        .flat_map(|tenant| {
            tenant.stacks.iter().map(|stack| format!("{}.{}.snap", tenant.tenant, stack.id.as_str()))
        })
        .collect();
    let folder = root().join("tests/snapshots");
    let found: BTreeSet<String> = fs::read_dir(&folder)
        .expect("the snapshots can be listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".snap"))
        .collect();
    assert_eq!(found, wanted);
}

/// Every resource of every rendered stack, by logical id.
fn resources() -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for tenant in rendered() {
        for stack in tenant.stacks {
            let document: Value = serde_yaml::from_str(&stack.template).expect("YAML");
            let section = document.get("Resources").and_then(Value::as_mapping).expect("resources").clone();
            for (id, resource) in section {
                all.push((stack.name.clone(), id.as_str().expect("a logical id").to_string(), resource));
            }
        }
    }
    all
}

/// Statements that allow something, wherever they stand in a resource.
fn allowing(value: &Value, found: &mut Vec<Value>) {
    let value = if let Value::Tagged(tagged) = value { &tagged.value } else { value };
    if value.get("Effect").and_then(Value::as_str) == Some("Allow") {
        found.push(value.clone());
    }
    match value {
        Value::Mapping(map) => map.values().for_each(|inner| allowing(inner, found)),
        Value::Sequence(items) => items.iter().for_each(|inner| allowing(inner, found)),
        _ => {}
    }
}

#[test]
fn only_cloudfronts_key_actions_name_every_resource() {
    let mut starred = BTreeSet::new();
    for (_, id, resource) in resources() {
        let mut statements = Vec::new();
        allowing(&resource, &mut statements);
        for statement in statements {
            let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or_default();
            if let Some(Value::String(text)) = statement.get("Resource")
                && text == "*"
            {
                starred.insert(format!("{id}.{sid}"));
            }
            let actions = match statement.get("Action") {
                Some(Value::Sequence(all)) => all.clone(),
                Some(one) => vec![one.clone()],
                None => vec![],
            };
            for action in actions.iter().filter_map(Value::as_str) {
                assert!(!action.contains('*'), "{id}.{sid} allows `{action}`");
            }
        }
    }
    assert_eq!(starred, BTreeSet::from(["RotatorRole.Keys".to_string()]));
}

#[test]
fn what_holds_data_is_retained() {
    for (stack, id, resource) in resources() {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        if ["AWS::S3::Bucket", "AWS::Cognito::UserPool", "AWS::Lambda::Version"].contains(&kind) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                assert_eq!(
                    resource.get(policy).and_then(Value::as_str),
                    Some("Retain"),
                    "{stack}/{id} {policy}"
                );
            }
        }
    }
}

#[test]
fn the_signers_parameter_is_what_the_signer_reads() {
    let mut seen = 0;
    for (stack, id, resource) in resources().into_iter().filter(|(_, id, _)| id == "SignerConfig") {
        let value =
            resource.get("Properties").and_then(|properties| properties.get("Value")).expect("a value");
        let Value::Tagged(sub) = value else { panic!("{stack}/{id} has no Fn::Sub") };
        let text = sub.value.as_str().expect("a text");
        let mut filled = String::new();
        for (index, part) in text.split("${").enumerate() {
            let rest = part.split_once('}').filter(|_| index > 0).map_or(part, |(_, rest)| rest);
            filled.push_str(if index > 0 { "known-later" } else { "" });
            filled.push_str(rest);
        }
        let config: contract::edge_config::EdgeConfig =
            serde_json::from_str(&filled).unwrap_or_else(|error| panic!("{stack}: {error}\n{filled}"));
        assert!(config.issuer.starts_with("https://") && !config.hosts.is_empty(), "{config:?}");
        seen += 1;
    }
    assert!(seen >= 2);
}

#[test]
fn every_resource_takes_its_tenants_name_as_a_tag_where_it_takes_tags() {
    let mut tagged = 0;
    for (stack, id, resource) in resources() {
        let properties = resource.get("Properties").expect("properties");
        for property in ["Tags", "UserPoolTags", "IdentityPoolTags"] {
            if let Some(tags) = properties.get(property) {
                let text = serde_yaml::to_string(tags).expect("YAML");
                assert!(text.contains("generator:tenant"), "{stack}/{id}");
                tagged += 1;
            }
        }
    }
    assert!(tagged >= 20, "{tagged}");
}

#[test]
fn the_table_of_the_architecture_names_every_resource() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the document");
    let known: BTreeSet<String> = resources().into_iter().map(|(_, id, _)| id).collect();
    let rows = text
        .lines()
        .filter(|line| line.split('|').nth(1).is_some_and(|cell| cell.trim().parse::<u32>().is_ok()));
    let mut named = BTreeSet::new();
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let words = last.split('`').skip(1).step_by(2);
        named
            .extend(words.filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric())).map(str::to_string));
    }
    assert_eq!(
        named.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "named, but in no template"
    );
    assert_eq!(
        known.difference(&named).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "in a template, but not named"
    );
}
