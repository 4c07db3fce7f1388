//! Rendered templates: what reviewers read, and what holds for all of them.

use std::collections::BTreeSet;
use std::fs;

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
