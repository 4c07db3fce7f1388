//! `cargo bench --bench render`: loading, checking and rendering 1,000 tenants in one process, against
//! cfn-lint over the same output and against a bare Handlebars and YAML round trip of the same bytes.
//!
//! The workload is fixed: tenant `n` follows from `n`. Times are medians of rounds in which both sides take
//! turns, so that a busy machine slows both. With `-- --json`, one JSON object a line.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]

#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use generator::local::{self, Cache};
use generator::program::media_cdn;
use generator::render::{RenderedTenant, Templates, render};
use generator::tenant;
use handlebars::Handlebars;
use serde_json::{Value, json};

use self::support::{Figure, Report, cache_folder, median, timed, workload};

const TENANTS: usize = 1_000;
const ROUNDS: usize = 5;
/// Tenants whose templates cfn-lint reads. It needs about a second a template, so its time for all is
/// scaled up from these; its start is left out by timing it without a template as well.
const LINTED: usize = 10;
const ORGANISATION: &str = "example";
/// Most that rendering may cost, in times of the bare round trip.
const ROUNDTRIP_MAX: f64 = 3.0;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate lies in no project")?;
    let folder = tempfile::tempdir()?;
    let names = workload::write(folder.path(), TENANTS)?;
    let templates = Templates::load(&root.join("templates"))?;

    let rendered = render_all(folder.path(), &names, &templates)?;
    let bare = Bare::new(&rendered)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(|| render_all(folder.path(), &names, &templates).map(|all| all.len()))?);
        theirs.push(timed(|| bare.round_trip())?);
    }
    let (Some(ours), Some(theirs)) = (median(ours), median(theirs)) else { return Err("no rounds".into()) };
    let lint = cfn_lint(&rendered[..LINTED])?.mul_f64(TENANTS as f64 / LINTED as f64);

    let mut report = Report::new("render");
    report.add(Figure::new("tenants_per_second", TENANTS as f64 / ours.as_secs_f64(), "1/s"));
    report.add(Figure::seconds("vs_cfn_lint", ours).against(
        "cfn-lint, which read the 20 templates of 10 tenants; its time is scaled to 1,000",
        lint.as_secs_f64(),
    ));
    let bare = "bare handlebars and serde_yaml over the same bytes";
    let ratio = Figure::seconds("vs_bare_roundtrip", ours).against(bare, theirs.as_secs_f64());
    report.add(ratio.at_most(ROUNDTRIP_MAX));
    let kept = report.all_bounds_hold();
    println!("{}", report.show(std::env::args().any(|argument| argument == "--json")));
    if kept { Ok(()) } else { Err("a figure is over its bound".into()) }
}

/// From files to templates, as `generator validate --all` and `render --all` do it.
fn render_all(
    folder: &Path,
    names: &[String],
    templates: &Templates,
) -> Result<Vec<RenderedTenant>, Box<dyn Error>> {
    let tenants = tenant::load(folder, ORGANISATION, names)?;
    let mut all = Vec::with_capacity(tenants.len());
    for tenant in &tenants {
        all.push(render(templates, tenant, &media_cdn(tenant)?)?);
    }
    Ok(all)
}

/// What cannot be avoided: fill a template, read YAML, write YAML. Each document of the workload is its own
/// template, with a print wherever the tenant's name stood.
struct Bare {
    registry: Handlebars<'static>,
    documents: Vec<(String, Value)>,
}

impl Bare {
    fn new(rendered: &[RenderedTenant]) -> Result<Self, Box<dyn Error>> {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        let mut documents = Vec::new();
        for tenant in rendered {
            for stack in &tenant.stacks {
                let template = stack.template.replace(&tenant.tenant, "{{name}}");
                let data = json!({ "name": tenant.tenant });
                registry.register_template_string(&stack.name, template)?;
                if registry.render(&stack.name, &data)? != stack.template {
                    return Err(format!("the peer does not yield the bytes of `{}`", stack.name).into());
                }
                documents.push((stack.name.clone(), data));
            }
        }
        Ok(Self { registry, documents })
    }

    fn round_trip(&self) -> Result<usize, Box<dyn Error>> {
        let mut bytes = 0;
        for (name, data) in &self.documents {
            let text = self.registry.render(name, data)?;
            let tree: serde_yaml::Value = serde_yaml::from_str(&text)?;
            bytes += serde_yaml::to_string(&tree)?.len();
        }
        Ok(bytes)
    }
}

/// How long cfn-lint reads these tenants' templates, its own start apart.
fn cfn_lint(rendered: &[RenderedTenant]) -> Result<Duration, Box<dyn Error>> {
    let judges = local::judges(&Cache::new(cache_folder()?), &|_| {})?;
    let folder = tempfile::tempdir()?;
    let mut command = judges.cfn_lint();
    command.args(["--format", "json"]);
    for stack in rendered.iter().flat_map(|tenant| &tenant.stacks) {
        let path = folder.path().join(format!("{}.yaml", stack.name));
        fs::write(&path, &stack.template)?;
        command.arg("--template").arg(path);
    }
    let start = timed(|| Ok(judges.cfn_lint().arg("--version").output()?))?;
    let whole = timed(|| Ok(command.output()?))?;
    Ok(whole.saturating_sub(start))
}
