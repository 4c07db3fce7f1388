//! What deploying a stack would do, as people and programs read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::ResourceChange;
use super::compare::{Difference, differences};
use super::document::{self, widened};
use super::guard::lost;
use super::mask::{masked, unechoed, without};
use super::properties::shown_properties;
use super::{Action, Replacement, Side, Sides, StackChange};
use crate::render::read_template;

/// What deploying one stack would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackPlan {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// What would become of it as a whole.
    pub outcome: Outcome,
    /// Who has worked the changes out.
    pub source: Source,
    /// Its changes.
    pub resources: Vec<Entry>,
    /// Parameters whose values, or without an account whose declarations, change.
    pub parameters: Vec<Shown>,
    /// Tags of the stack that change.
    pub tags: Vec<Shown>,
    /// Outputs that change.
    pub outputs: Vec<Shown>,
    /// Parameters whose values nobody can compare, as they are `NoEcho`.
    pub not_compared: Vec<String>,
    /// Data that would be lost.
    pub losses: Vec<Lost>,
    /// Permissions that would be widened.
    pub permissions: Vec<Widened>,
    /// What policies say.
    pub findings: Vec<Found>,
    /// Resources that change once more when a later stack stands.
    pub later: Vec<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// ARN of the change set, where one is kept.
    pub change_set: Option<String>,
}

/// What would become of a stack as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is as it should be.
    Unchanged,
    /// It would be made.
    Create,
    /// It would be changed.
    Update,
    /// Its first making failed: it would be deleted and made.
    Remake,
    /// It cannot be deployed as it stands now.
    Blocked,
}

/// Who has worked changes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// CloudFormation, in a change set.
    Service,
    /// This tool, from the templates.
    Templates,
}

/// What would happen to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Name in the template.
    pub logical_id: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name or id in its service, where the service says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub physical_id: Option<String>,
    /// `add`, `modify`, `replace`, `may-replace`, `remove`, `import`, `dynamic` or `sync`.
    pub action: String,
    /// `never`, `conditional` or `always`.
    pub replacement: String,
    /// Properties that force the replacement.
    pub forced_by: Vec<String>,
    /// Whether the old resource stays when it is replaced or leaves.
    pub retained: bool,
    /// Changed properties.
    pub properties: Vec<Shown>,
    /// Parameters and resources that it follows.
    pub causes: Vec<String>,
}

/// A changed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Where it stands, below `Properties`.
    pub path: String,
    /// Before; absent where there was none, or nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// After; absent where there is none, or nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// Whether it replaces the resource: `never`, `conditional` or `always`.
    pub replacement: String,
}

/// Data that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Name in the template.
    pub logical_id: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What becomes of it.
    pub how: String,
    /// Whether the resource itself stays, outside of the stack.
    pub retained: bool,
}

/// A permission that would be widened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widened {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Resource that would allow it.
    pub logical_id: String,
    /// Who, what, on what and under which condition; `None`: what it would allow cannot be worked out.
    pub grant: Option<[String; 4]>,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Which of the tenant's stacks; `None` for its settings.
    pub stack: Option<String>,
    /// Name in the template.
    pub resource: Option<String>,
    /// Id of the policy.
    pub policy: String,
    /// `error`, `blocked`, `warning`, `set` or `exempt`.
    pub verdict: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// `file:line:column` behind it.
    pub place: Option<String>,
}

impl Found {
    /// Whether it stops the deployment.
    #[must_use]
    pub fn blocks(&self) -> bool {
        matches!(self.verdict.as_str(), "error" | "blocked")
    }
}

/// Texts by name.
type Texts = BTreeMap<String, String>;
/// Resources by logical id; `None` where they cannot be read.
type Resources<'a> = Option<&'a Map<String, Value>>;

/// What a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Which of the tenant's stacks.
    pub stack: &'a str,
    /// The change.
    pub change: &'a StackChange,
    /// Both templates with their parameters.
    pub sides: Sides<'a>,
    /// Tags before and after; `None` where nobody knows those before.
    pub tags: Option<(&'a Texts, &'a Texts)>,
    /// Who has worked the change out.
    pub source: Source,
    /// Whether parameters have their real values.
    pub values_known: bool,
}

/// Types, beside those of the guard, with which something goes that cannot be made again.
const HOLDING: [&str; 6] = [
    "AWS::S3::Bucket",
    "AWS::Cognito::UserPool",
    "AWS::SecretsManager::Secret",
    "AWS::Logs::LogGroup",
    "AWS::CloudFront::Distribution",
    KEYRING,
];
/// The keyring tells of every change that it might be replaced, and keeps its id.
const KEYRING: &str = "Custom::SigningKeyring";

impl StackPlan {
    /// A stack that is as it should be, or cannot be told more of.
    #[must_use]
    pub fn bare(stack: &str, name: &str, region: &str, outcome: Outcome) -> Self {
        Self {
            stack: stack.to_owned(),
            name: name.to_owned(),
            region: region.to_owned(),
            outcome,
            source: Source::Service,
            resources: Vec::new(),
            parameters: Vec::new(),
            tags: Vec::new(),
            outputs: Vec::new(),
            not_compared: Vec::new(),
            losses: Vec::new(),
            permissions: Vec::new(),
            findings: Vec::new(),
            later: Vec::new(),
            notes: Vec::new(),
            change_set: None,
        }
    }

    /// What a change does, without anything that only moved text.
    #[must_use]
    pub fn of(material: &Material<'_>) -> Self {
        let Material { stack, change, .. } = *material;
        let outcome = if change.creates { Outcome::Create } else { Outcome::Update };
        let mut plan = Self::bare(stack, &change.stack, &change.region, outcome);
        plan.source = material.source;

        let hidden = unechoed(material.sides.after.template);
        let after_values = without(material.sides.after.parameters, &hidden);
        let before_values = material.sides.before.map(|side| without(side.parameters, &hidden));
        let after_side = Side { parameters: &after_values, ..material.sides.after };
        let before_side = match (material.sides.before, &before_values) {
            (Some(side), Some(values)) => Some(Side { parameters: values, ..side }),
            _ => None,
        };
        let after = document::read(&after_side);
        let before = before_side.as_ref().map_or_else(|| Some(Map::new()), document::read);
        for resource in &change.resources {
            let sides = (before.as_ref(), after.as_ref());
            if let Some(entry) = entry(stack, resource, sides) {
                plan.losses.extend(losses(stack, resource, &entry));
                plan.resources.push(entry);
            }
        }
        plan.permissions = permissions(stack, change, &material.sides);
        plan.not_compared = hidden.into_iter().collect();
        if let (Some(before), Some(values)) = (material.sides.before, before_values) {
            let sections = sections(before.template, material.sides.after.template);
            plan.outputs = sections.1;
            plan.parameters = if material.values_known { texts(&values, &after_values) } else { sections.0 };
        }
        if let Some((before, after)) = material.tags {
            plan.tags = texts(before, after);
        }
        if plan.outcome == Outcome::Update && plan.is_empty() {
            plan.outcome = Outcome::Unchanged;
        }
        plan
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty()
            && self.parameters.is_empty()
            && self.tags.is_empty()
            && self.outputs.is_empty()
    }

    /// Whether deploying would change anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        matches!(self.outcome, Outcome::Create | Outcome::Update | Outcome::Remake)
    }
}

fn entry(stack: &str, resource: &ResourceChange, sides: (Resources<'_>, Resources<'_>)) -> Option<Entry> {
    let own: Option<Vec<Difference>> = match (resource.action, sides) {
        (Action::Modify, (Some(before), Some(after))) => {
            match (before.get(&resource.logical_id), after.get(&resource.logical_id)) {
                (Some(before), Some(after)) => Some(differences(Some(before), Some(after))),
                _ => None,
            }
        }
        _ => None,
    };
    let properties = if resource.action == Action::Modify {
        shown_properties(resource, own.as_deref())
    } else {
        Vec::new()
    };
    let moved_text_only = resource.action == Action::Modify
        && resource.replacement != Replacement::Always
        && own.as_ref().is_some_and(Vec::is_empty)
        && properties.is_empty();
    if moved_text_only {
        return None;
    }
    let forcing = |replacement: Replacement| {
        let word = document::replacement(replacement);
        let all = properties.iter().filter(|property| property.replacement == word);
        all.map(|property| property.path.clone()).collect::<Vec<_>>()
    };
    let forced_by = match resource.replacement {
        Replacement::Never => Vec::new(),
        Replacement::Always | Replacement::Conditional => match forcing(Replacement::Always) {
            always if !always.is_empty() => always,
            _ => forcing(Replacement::Conditional),
        },
    };
    Some(Entry {
        stack: stack.to_owned(),
        logical_id: resource.logical_id.clone(),
        kind: resource.kind.clone(),
        physical_id: resource.physical_id.clone(),
        action: resource.verb().to_owned(),
        replacement: document::replacement(resource.replacement).to_owned(),
        forced_by,
        retained: resource.retained,
        properties,
        causes: resource.causes.clone(),
    })
}

fn losses(stack: &str, resource: &ResourceChange, entry: &Entry) -> Vec<Lost> {
    if !HOLDING.contains(&resource.kind.as_str()) {
        return Vec::new();
    }
    let certain = resource.action == Action::Remove || resource.replacement == Replacement::Always;
    let mut found: Vec<String> = Vec::new();
    if resource.kind != KEYRING || certain {
        found.extend(lost(stack, resource).map(|loss| loss.how.to_owned()));
    }
    let unkept = |property: &&Shown| {
        ["DeletionPolicy", "UpdateReplacePolicy"].contains(&property.path.as_str())
            && property.before.as_ref().and_then(Value::as_str).is_some_and(|word| word.starts_with("Retain"))
    };
    if entry.properties.iter().any(|property| unkept(&property)) {
        found.push("would no longer be kept when it leaves the stack or is replaced".into());
    }
    let of = |how: String| Lost {
        stack: stack.to_owned(),
        logical_id: resource.logical_id.clone(),
        kind: resource.kind.clone(),
        how,
        retained: resource.retained,
    };
    found.into_iter().map(of).collect()
}

fn permissions(stack: &str, change: &StackChange, sides: &Sides<'_>) -> Vec<Widened> {
    let mut found = Vec::new();
    for (resource, grants) in change.resources.iter().zip(widened(change, sides)) {
        let of = |grant| Widened { stack: stack.to_owned(), logical_id: resource.logical_id.clone(), grant };
        match grants {
            Some(grants) => found.extend(
                grants
                    .into_iter()
                    .map(|grant| of(Some([grant.principal, grant.action, grant.resource, grant.condition]))),
            ),
            None => found.push(of(None)),
        }
    }
    found
}

/// Declarations of parameters, and outputs, that two templates do not have in common.
fn sections(before: &str, after: &str) -> (Vec<Shown>, Vec<Shown>) {
    let (Ok(before), Ok(after)) = (read_template(before), read_template(after)) else {
        return (Vec::new(), Vec::new());
    };
    let of = |section: &str| {
        let words = |document: &Value| {
            let mut all = document.get(section).cloned().unwrap_or_else(|| Value::Object(Map::new()));
            // A description is for people who read the template.
            for (_, one) in all.as_object_mut().into_iter().flatten() {
                one.as_object_mut().map(|fields| fields.remove("Description"));
            }
            all
        };
        let found = differences(Some(&words(&before)), Some(&words(&after)));
        found.iter().map(|difference| shown(difference, &[], "never")).collect()
    };
    (of("Parameters"), of("Outputs"))
}

fn texts(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Shown> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let value = |side: &BTreeMap<String, String>, name: &String| {
        side.get(name).map(|text| masked(std::slice::from_ref(name), &Value::from(text.as_str())))
    };
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Shown {
            path: name.clone(),
            before: value(before, name),
            after: value(after, name),
            replacement: "never".into(),
        })
        .collect()
}

/// A difference as it is shown: `prefix` goes before its path.
pub(super) fn shown(difference: &Difference, prefix: &[String], replacement: &str) -> Shown {
    let mut path = prefix.to_vec();
    path.extend_from_slice(&difference.path);
    let visible = |value: &Option<Value>| value.as_ref().map(|value| masked(&path, value));
    let (before, after) = (visible(&difference.before), visible(&difference.after));
    let below = path.strip_prefix(&["Properties".to_string()]).unwrap_or(&path).to_vec();
    let path = Difference { path: below, before: None, after: None }.shown_path();
    Shown { path, before, after, replacement: replacement.to_owned() }
}
