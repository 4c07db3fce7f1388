//! `generator explain`: where a value comes from, and where it goes.

use serde_json::{Value, json};

use super::support::table;
use crate::cli::args::{ExplainArgs, Output};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::reference::reference;
use crate::cli::select;
use crate::deploy::StackStatus;
use crate::explain::{
    ExplainError, Explainer, Explanation, LayerValue, PropertyReport, Reach, ScalarReport, SettingReport,
    SourceReport,
};
use crate::render::Templates;
use crate::report::{self, codes};

/// Words that explain a whole document.
const CODES: &str = "codes";
const COMMANDS: &str = "commands";
const SCHEMA: &str = "event-schema";
const STACK_STATES: &str = "stack-states";

pub(super) fn run(context: &Context, args: &ExplainArgs) -> Result<Answer, Failure> {
    if let [what] = args.what.as_slice()
        && let Some(answer) = code(what)
    {
        return answer;
    }
    let tenants = select::load(context, &args.selection)?;
    let templates = Templates::load(&context.settings.templates)?;
    let (mut human, mut all) = (String::new(), Vec::new());
    for tenant in &tenants {
        let explainer = Explainer::new(&context.settings.tenants, tenant, &templates)?;
        for what in &args.what {
            let explanation = explainer.explain(what)?;
            if !human.is_empty() {
                human.push('\n');
            }
            if tenants.len() > 1 {
                human.push_str(&format!("tenant {}: ", tenant.name));
            }
            human.push_str(&match &explanation {
                Explanation::Setting(report) => setting(report),
                Explanation::Property(report) => property(report),
            });
            all.push(json!({ "tenant": tenant.name, "explanation": explanation }));
        }
    }
    Ok(Answer::new(human, json!(all)))
}

/// The explanation of a code, a stack's status, or of all of them; `None` where it is about a tenant.
fn code(what: &str) -> Option<Result<Answer, Failure>> {
    let whole = |text: String, json: Value| {
        Some(Ok(Answer::new(text.clone(), json).own_form(Output::Markdown, text)))
    };
    match what {
        CODES => {
            return whole(
                codes::table(),
                json!(codes::EVENTS.iter().map(|code| code.code).collect::<Vec<_>>()),
            );
        }
        COMMANDS => return whole(reference(), json!(reference())),
        SCHEMA => return whole(format!("{:#}\n", report::schema()), report::schema()),
        STACK_STATES => {
            return whole(
                StackStatus::table(),
                json!(StackStatus::all().map(StackStatus::as_str).collect::<Vec<_>>()),
            );
        }
        _ => {}
    }
    let is_code = what.contains(|c: char| c.is_ascii_uppercase())
        && what.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if !is_code {
        return None;
    }
    let (mut text, mut all) = (String::new(), Vec::new());
    for (kind, known) in codes::explain(what) {
        let rows = [["means".to_owned(), known.means.to_owned()], ["to do".into(), known.next.into()]];
        let rows: Vec<_> = rows.into_iter().filter(|[_, value]| !value.is_empty()).collect();
        text.push_str(&format!(
            "{what}, {} {kind}\n{}",
            if kind == "event" { "an" } else { "a" },
            table(&rows)
        ));
        all.push(json!({ "code": what, "kind": kind, "means": known.means, "next": known.next }));
    }
    if let Ok(status) = what.parse::<StackStatus>() {
        let rows = [
            ["means".to_owned(), status.meaning().to_owned()],
            ["deploy".into(), status.when_deploying()],
            ["destroy".into(), status.when_destroying().into()],
        ];
        text.push_str(&format!("{what}, a status of a stack\n{}", table(&rows)));
        all.push(json!({ "code": what, "kind": "stack status", "means": status.meaning(), "next": status.when_deploying() }));
    }
    if all.is_empty() {
        let failure = Failure::new(Exit::NotFound, format!("there is no code `{what}`"));
        return Some(Err(failure.help("`generator explain codes` lists them all")));
    }
    Some(Ok(Answer::new(text, json!(all))))
}

fn setting(report: &SettingReport) -> String {
    let mut rows: Vec<[String; 3]> = vec![["allowed".into(), report.allowed.clone(), String::new()]];
    match &report.set_by {
        Some(said) => rows.push(["set in".into(), place(said), String::new()]),
        None => rows.push(["set in".into(), "no layer".into(), String::new()]),
    }
    let overridden = report.overrides.iter().map(|said| [place(said), said.value.to_string()]);
    rows.extend(labelled("overrides", overridden));
    let reach = |reach: &Reach| [reach.property.clone(), reach.template.clone().unwrap_or_default()];
    rows.extend(labelled("reaches", report.reaches.iter().map(reach)));
    rows.extend(labelled("decides about", report.decides.iter().map(reach)));
    if report.reaches.is_empty() && report.decides.is_empty() {
        rows.push([
            "reaches".into(),
            "no property: generator itself goes by it, or a template that this \
            tenant does not use"
                .into(),
            String::new(),
        ]);
    }
    format!("{} = {}\n  {}\n{}", report.setting, report.value, report.description, table(&rows))
}

fn property(report: &PropertyReport) -> String {
    let mut text = format!("{}\n", report.property);
    for scalar in &report.scalars {
        let name = if scalar.path.is_empty() { String::new() } else { format!("{} ", scalar.path) };
        text.push_str(&format!("{name}= {}\n{}", scalar.value, table(&origin(scalar))));
    }
    text
}

fn origin(scalar: &ScalarReport) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    if let Some(template) = &scalar.template {
        let says = if scalar.sources.is_empty() { "which says it" } else { "" };
        rows.push(["template".into(), template.clone(), says.into()]);
    }
    rows.extend(labelled("from", scalar.sources.iter().map(source)));
    rows.extend(labelled("because of", scalar.because_of.iter().map(source)));
    rows
}

fn source(source: &SourceReport) -> [String; 2] {
    match source {
        SourceReport::Setting { setting, set_by } => {
            let by = set_by.as_ref().map_or_else(|| "set in no layer".into(), place);
            [format!("setting {setting}"), by]
        }
        SourceReport::Output { output } => [format!("output {output}"), String::new()],
        SourceReport::Artifact { artifact, fact } => {
            [format!("artifact {artifact}, its {fact}"), String::new()]
        }
        SourceReport::Program { component, argument } => {
            [format!("program, `{argument}` of {component}"), "from the names, or a constant".into()]
        }
        SourceReport::Generator { what } => [format!("generator, {what}"), String::new()],
    }
}

fn place(said: &LayerValue) -> String {
    format!("{} ({})", said.place, said.layer)
}

/// Rows of which only the first carries the label.
fn labelled(label: &str, rows: impl Iterator<Item = [String; 2]>) -> impl Iterator<Item = [String; 3]> {
    let label = label.to_string();
    rows.enumerate()
        .map(move |(index, [a, b])| [if index == 0 { label.clone() } else { String::new() }, a, b])
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Unknown { message, help } => Failure::new(Exit::NotFound, message).help(help),
            ExplainError::Load(error) => error.into(),
            ExplainError::Program(error) => error.into(),
            ExplainError::Render(error) => error.into(),
        }
    }
}
