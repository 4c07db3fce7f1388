//! No text of a tenant changes the structure of a document, and every text arrives unchanged or is refused.
//!
//! Texts are given to the components directly: a tenant file could not hold most of them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use serde_yaml::Value as Yaml;

use super::{RenderError, Templates, render};
use crate::program::output::{AROUND_MARK, ARTIFACT_MARK, OUTPUT_MARK};
use crate::program::{Deployment, media_cdn};
use crate::tenant::decode::SETTING_MARK;
use crate::tenant::{self, Tenant};

/// Texts that are tried, each in one rendering with all fields at once.
const TEXTS: u32 = 10_000;
const WORKERS: u32 = 4;
/// Every so many texts, one of 64 KB.
const LARGE: usize = 64 << 10;

/// What some reader on the way takes for more than a text.
const FRAGMENTS: [&str; 72] = [
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{0}",
    "\u{7}",
    "\u{1B}[31m",
    "\u{7F}",
    "\u{85}",
    "\u{A0}",
    "\u{2028}",
    "\u{2029}",
    "\u{202E}",
    "\u{200B}",
    "\u{FEFF}",
    "\u{FFFE}",
    "\u{E000}",
    "\u{E001}",
    "\u{E002}",
    "\u{E003}",
    "\u{E010}setting",
    "\u{1F}",
    "\u{1F600}",
    "e\u{301}",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "\\u0041",
    "`",
    ": ",
    " #",
    "#",
    "- ",
    "? ",
    "---\n",
    "...\n",
    "!Ref A",
    "!!binary ",
    "&a",
    "*a",
    "<<",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|\n",
    ">-\n",
    "%YAML 1.1\n",
    "@",
    "=",
    "yes",
    "Off",
    "~",
    "null",
    "1_000",
    "0x1F",
    "0o17",
    "1:30",
    "2012-10-17",
    "1e3",
    ".inf",
    "{{name}}",
    "{{#if x}}",
    "{{{x}}}",
    "{{!",
    "${AWS::Region}",
    "${!x}",
    "${a} ${b}",
    "$",
];

/// Something hostile, alone or within other text.
fn hostile() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(FRAGMENTS.to_vec()).prop_map(str::to_string);
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect());
    prop::collection::vec(prop_oneof![4 => fragment, 1 => any], 1..7).prop_map(|parts| {
        // An empty text takes the blocks that ask for one out of a document, as it should.
        let text: String = if parts.concat().is_empty() { " ".into() } else { parts.concat() };
        // These two are refused, which other tests show.
        let text = text.replace("{{resolve:", "{{resolve");
        if super::values::is_open(&text) { text.replace("${", "$ {") } else { text }
    })
}

/// Arguments that name resources: made by the program of letters and digits, never a tenant's text.
const LOGICAL_IDS: [&str; 3] = ["logical_id", "branding_id", "resource_server_ids"];

/// The free texts of arguments: settings and the program's own, not what marks outputs.
fn texts<'v>(value: &'v mut Value, found: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter_mut().for_each(|item| texts(item, found)),
        Value::Object(map) => {
            let is_marked = |mark: &str| map.contains_key(mark);
            if [OUTPUT_MARK, ARTIFACT_MARK, AROUND_MARK].into_iter().any(is_marked) {
                return;
            }
            let is_free = |key: &str| key != SETTING_MARK && !LOGICAL_IDS.contains(&key);
            for (_, value) in map.iter_mut().filter(|(key, _)| is_free(key)) {
                texts(value, found);
            }
        }
        _ => {}
    }
}

/// Puts another text into every field; `field` is told its number. The number of fields.
fn fill(deployment: &mut Deployment, field: &dyn Fn(usize) -> Option<String>) -> usize {
    let mut found = Vec::new();
    for stack in &mut deployment.stacks {
        stack.components.iter_mut().for_each(|component| texts(&mut component.arguments, &mut found));
    }
    let count = found.len();
    for (index, text) in found.into_iter().enumerate() {
        if let Some(other) = field(index) {
            *text = other;
        }
    }
    count
}

/// A text that stands for a field and for nothing else.
fn stand_in(field: usize) -> String {
    format!("qx{field:05}xq")
}

/// A text with each stand-in replaced.
fn replaced(text: &str, field: &dyn Fn(usize) -> String) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("qx") {
        out.push_str(before);
        match (after[..5].parse(), after[5..].strip_prefix("xq")) {
            (Ok(number), Some(left)) => {
                out.push_str(&field(number));
                rest = left;
            }
            _ => {
                out.push_str("qx");
                rest = after;
            }
        }
    }
    out + rest
}

/// What CloudFormation makes of the text of an `Fn::Sub`; variables become visible marks.
fn substituted(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, left) = after.split_once('}').unwrap_or_else(|| panic!("an open variable: {text}"));
        match name.strip_prefix('!') {
            Some(literal) => out.push_str(&format!("${{{literal}}}")),
            None => out.push_str(&format!("«{name}»")),
        }
        rest = left;
    }
    out + rest
}

/// Compares two documents: the same structure, and each text that of its field.
fn compare(plain: &Yaml, hostile: &Yaml, in_sub: bool, field: &dyn Fn(usize) -> String) {
    match (plain, hostile) {
        (Yaml::Mapping(a), Yaml::Mapping(b)) => {
            assert_eq!(a.len(), b.len());
            // Keys of maps hold no free text, so that their order is the same.
            for ((key, a), (other, b)) in a.iter().zip(b) {
                assert_eq!(key, other);
                compare(a, b, key.as_str() == Some("Fn::Sub"), field);
            }
        }
        (Yaml::Sequence(a), Yaml::Sequence(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| compare(a, b, in_sub, field));
        }
        (Yaml::Tagged(a), Yaml::Tagged(b)) => {
            assert_eq!(a.tag, b.tag);
            compare(&a.value, &b.value, a.tag == "Sub", field);
        }
        (Yaml::String(a), Yaml::String(b)) => {
            let (a, b) = if in_sub { (substituted(a), substituted(b)) } else { (a.clone(), b.clone()) };
            if !a.starts_with('{') {
                assert_eq!(replaced(&a, field), b);
                return;
            }
            match (serde_json::from_str::<Value>(&a), serde_json::from_str::<Value>(&b)) {
                (Ok(a), Ok(b)) => compare_json(&a, &b, field),
                _ => assert_eq!(replaced(&a, field), b),
            }
        }
        // A text that was one stays one, however much it looks like a number.
        (a, b) => assert_eq!(a, b),
    }
}

fn compare_json(plain: &Value, hostile: &Value, field: &dyn Fn(usize) -> String) {
    match (plain, hostile) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()));
            a.values().zip(b.values()).for_each(|(a, b)| compare_json(a, b, field));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| compare_json(a, b, field));
        }
        (Value::String(a), Value::String(b)) => assert_eq!(&replaced(a, field), b),
        (a, b) => assert_eq!(a, b),
    }
}

fn project() -> (Templates, Vec<Tenant>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project");
    let names = tenant::list(&root.join("tenants")).expect("the tenants can be listed");
    let tenants = tenant::load(&root.join("tenants"), "example", &names).expect("the tenants are valid");
    (Templates::load(&root.join("templates")).expect("the templates are valid"), tenants)
}

/// A tenant's program with a stand-in in every field, and the documents that come of it.
struct Subject {
    tenant: Tenant,
    deployment: Deployment,
    fields: usize,
    plain: Vec<Yaml>,
}

fn documents(
    templates: &Templates,
    tenant: &Tenant,
    deployment: &Deployment,
) -> Result<Vec<Yaml>, RenderError> {
    let rendered = render(templates, tenant, deployment)?;
    let read = |template: &str| {
        // A reader of another family must agree that it is YAML at all.
        serde_yaml::from_str(template).unwrap_or_else(|error| panic!("{error}\n{template}"))
    };
    Ok(rendered.stacks.iter().map(|stack| read(&stack.template)).collect())
}

fn subjects(templates: &Templates, tenants: Vec<Tenant>) -> Vec<Subject> {
    let subject = |tenant: Tenant| {
        let mut deployment = media_cdn(&tenant).expect("the program holds");
        let fields = fill(&mut deployment, &|field| Some(stand_in(field)));
        let plain = documents(templates, &tenant, &deployment).expect("it renders");
        Subject { tenant, deployment, fields, plain }
    };
    tenants.into_iter().map(subject).collect()
}

impl Subject {
    /// Renders with these texts, and compares. `text` is told the number of a field.
    fn try_texts(&self, templates: &Templates, text: &dyn Fn(usize) -> String) -> Result<(), RenderError> {
        let mut deployment = self.deployment.clone();
        fill(&mut deployment, &|field| Some(text(field)));
        let hostile = documents(templates, &self.tenant, &deployment)?;
        assert_eq!(self.plain.len(), hostile.len());
        self.plain.iter().zip(&hostile).for_each(|(plain, hostile)| compare(plain, hostile, false, text));
        Ok(())
    }
}

#[test]
fn hostile_texts_change_no_structure_and_arrive_unchanged() {
    let (templates, tenants) = project();
    let subjects = subjects(&templates, tenants);
    // All fields of one tenant at once; the tenants take turns.
    let turn = AtomicUsize::new(0);
    let work = || {
        let cases = TEXTS / WORKERS;
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        runner.run(&hostile(), |text| {
            let subject = &subjects[turn.fetch_add(1, Ordering::Relaxed) % subjects.len()];
            let outcome = subject.try_texts(&templates, &|_| text.clone());
            outcome.map_err(|error| TestCaseError::fail(error.to_string()))
        })
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let outcome = worker.join().expect("a worker ends by itself");
            outcome.unwrap_or_else(|failure| panic!("{failure}"));
        }
    });
}

#[test]
fn a_large_text_in_any_one_field_arrives_unchanged() {
    let (templates, tenants) = project();
    let mut runner = TestRunner::deterministic();
    let (mut arrived, mut too_large) = (0, 0);
    for subject in subjects(&templates, tenants) {
        for chosen in (0..subject.fields).step_by(7) {
            let part = hostile().new_tree(&mut runner).expect("a text").current();
            let large = part.repeat(LARGE / part.len());
            let text = |field: usize| if field == chosen { large.clone() } else { stand_in(field) };
            match subject.try_texts(&templates, &text) {
                Ok(()) => arrived += 1,
                // A name that stands in many places makes a template of more than a megabyte.
                Err(RenderError::Document { message, .. }) if message.contains("bytes") => too_large += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(arrived > 10 * too_large, "{arrived} arrived, {too_large} were too large");
}

/// What CloudFormation would act upon, and no mark can stop, is refused under the name of its field.
#[test]
fn a_text_that_cannot_be_made_harmless_is_refused_by_name() {
    let (templates, tenants) = project();
    let mut refused = 0;
    for subject in subjects(&templates, tenants) {
        for chosen in 0..subject.fields {
            for text in ["a {{resolve:ssm:x}}", "${open"] {
                let mut deployment = subject.deployment.clone();
                fill(&mut deployment, &|field| (field == chosen).then(|| text.to_string()));
                let field = |field: usize| if field == chosen { text.to_string() } else { stand_in(field) };
                match documents(&templates, &subject.tenant, &deployment) {
                    Err(RenderError::DynamicReference { setting }) => {
                        assert!(text.contains("{{resolve:") && !setting.is_empty());
                        refused += 1;
                    }
                    Err(RenderError::OpenVariable { setting }) => {
                        assert!(text == "${open" && !setting.is_empty());
                        refused += 1;
                    }
                    Err(other) => panic!("{other}"),
                    // A text that no template prints, or one that CloudFormation does not read.
                    Ok(documents) => {
                        let pairs = subject.plain.iter().zip(&documents);
                        pairs.for_each(|(plain, hostile)| compare(plain, hostile, false, &field));
                        let shown = documents.iter().any(|document| {
                            serde_yaml::to_string(document).expect("it is YAML").contains("{{resolve:")
                        });
                        assert!(!shown, "{text} has arrived");
                    }
                }
            }
        }
    }
    assert!(refused > 50, "only {refused} texts were refused");
}
