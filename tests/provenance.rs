//! Every scalar of every rendered template is traced to where it comes from.

use generator::program::media_cdn;
use generator::render::{Source, leaves, render, render_traced};

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
