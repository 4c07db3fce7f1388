//! Every scalar of every rendered template is traced to where it comes from.

use std::collections::BTreeSet;

use generator::program::media_cdn;
use generator::render::{Source, leaves, render, render_traced};
use generator::tenant::schema;

use crate::support::{root, templates, tenants};

#[test]
fn no_scalar_of_any_tenant_is_untraced() {
    let templates = templates();
    let (mut scalars, mut untraced) = (0, Vec::new());
    for tenant in tenants() {
        let deployment = media_cdn(&tenant).expect("the program holds");
        let (_, traces) = render_traced(&templates, &tenant, &deployment).expect("the tenant renders");
        for trace in traces {
            leaves(&trace.document, &mut Vec::new(), &mut |_, _| scalars += 1);
            for path in trace.untraced() {
                untraced.push(format!("{} {}: {}", tenant.name, trace.stack.as_str(), path.join(".")));
            }
            let known = trace.origins.len();
            let mut stale = trace.origins.keys().filter(|path| {
                let pointer: String = path.iter().map(|segment| format!("/{}", escaped(segment))).collect();
                trace.document.pointer(&pointer).is_none()
            });
            assert_eq!(stale.next(), None, "{} of {known} origins lead to nothing", stale.count() + 1);
        }
    }
    assert!(scalars > 1000, "only {scalars} scalars were looked at");
    assert!(untraced.is_empty(), "{} of {scalars} scalars: {untraced:#?}", untraced.len());
}

/// Settings that `generator` itself goes by, and no template: `region` says where a stack is, not what is in it.
const OF_THE_TOOL: [&str; 7] =
    ["name", "tier", "description", "region", "account", "role_arn", "destroy.may_remove"];

/// Whether a setting, or a map or list around it or within it, is one of the schema's path: `*` there is any key.
fn is_of(setting: &str, path: &str) -> bool {
    let pairs = || setting.split('.').zip(path.split('.'));
    pairs().all(|(own, wanted)| own == wanted || wanted == "*")
}

/// Each setting changes some document that is under review: it is the value of a property, or decides about one.
#[test]
fn every_setting_reaches_a_reviewed_document() {
    let templates = templates();
    let mut reached = BTreeSet::new();
    for tenant in tenants() {
        let deployment = media_cdn(&tenant).expect("the program holds");
        let (_, traces) = render_traced(&templates, &tenant, &deployment).expect("the tenant renders");
        for origin in traces.iter().flat_map(|trace| trace.origins.values()) {
            reached.extend(origin.sources.iter().chain(&origin.conditions).filter_map(
                |source| match source {
                    Source::Setting(setting) => Some(setting.clone()),
                    _ => None,
                },
            ));
        }
    }
    let paths = schema::paths(&schema::document());
    let unreached = |path: &&String| !reached.iter().any(|setting| is_of(setting, path));
    let unreached: Vec<&str> = paths.iter().filter(unreached).map(String::as_str).collect();
    let mut of_the_tool = OF_THE_TOOL.to_vec();
    of_the_tool.sort_by_key(|path| paths.iter().position(|known| known == path));
    assert_eq!(unreached, of_the_tool);
}

#[test]
fn tracing_renders_the_same_bytes() {
    let templates = templates();
    for tenant in tenants() {
        let deployment = media_cdn(&tenant).expect("the program holds");
        let plain = render(&templates, &tenant, &deployment).expect("the tenant renders");
        let (traced, _) = render_traced(&templates, &tenant, &deployment).expect("the tenant renders");
        assert_eq!(plain, traced, "{}", tenant.name);
    }
}

/// The line of a template that an origin names says what stands there.
#[test]
fn template_lines_are_those_of_the_templates() {
    let templates = templates();
    let mut looked_at = 0;
    for tenant in tenants() {
        let deployment = media_cdn(&tenant).expect("the program holds");
        let (_, traces) = render_traced(&templates, &tenant, &deployment).expect("the tenant renders");
        for trace in traces {
            for (path, origin) in &trace.origins {
                let Some(at) = &origin.template else { continue };
                let text = std::fs::read_to_string(root().join(&at.file)).expect("the template is there");
                let line = text.lines().nth(at.line - 1).unwrap_or_default();
                let pointer: String = path.iter().map(|segment| format!("/{}", escaped(segment))).collect();
                let value = trace.document.pointer(&pointer).and_then(|value| value.as_str());
                let literal = origin.sources.is_empty().then_some(value).flatten();
                // `!GetAtt A.b` has become two texts, both of which stand on the line.
                if let Some(literal) = literal {
                    assert!(line.contains(literal), "{}:{} {path:?}: {line}", at.file, at.line);
                    looked_at += 1;
                } else if origin.sources.iter().any(|source| matches!(source, Source::Setting(_))) {
                    assert!(line.contains("{{"), "{}:{} {path:?}: {line}", at.file, at.line);
                    looked_at += 1;
                }
            }
        }
    }
    assert!(looked_at > 500, "only {looked_at} lines were looked at");
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
