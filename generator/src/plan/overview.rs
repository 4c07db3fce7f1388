//! The plans of many tenants as one: what is the same in several is told once, with the list of them.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::PageChange;
use super::preview::{Entry, Found, Lost, Outcome, Shown, StackPlan, Widened};

/// What deploying one tenant would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantPlan {
    /// Tenant.
    pub tenant: String,
    /// Account, where one was asked.
    pub account: Option<String>,
    /// Its stacks, in the order of deployment.
    pub stacks: Vec<StackPlan>,
    /// What policies say of its settings and templates.
    pub findings: Vec<Found>,
    /// What must be mended before anything is written.
    pub hindrances: Vec<String>,
    /// Everything that was looked at before the first write, each with its verdict.
    pub checks: Vec<Value>,
    /// What would be done to the files of its page, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageChange>,
    /// Why there is no plan.
    pub error: Option<String>,
}

impl TenantPlan {
    /// Whether deploying would change anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.stacks.iter().any(StackPlan::changes) || self.page.as_ref().is_some_and(PageChange::is_change)
    }

    /// Whether a policy would stop the deployment.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.findings.iter().chain(self.stacks.iter().flat_map(|stack| &stack.findings)).any(Found::blocks)
    }

    /// Whether it has no plan, or something must be mended before anything is written.
    #[must_use]
    pub fn is_hindered(&self) -> bool {
        self.has_failed() || !self.hindrances.is_empty()
    }

    fn has_failed(&self) -> bool {
        self.error.is_some() || self.stacks.iter().any(|stack| stack.outcome == Outcome::Blocked)
    }
}

/// Something that holds for several tenants. In texts, `{tenant}` stands for the name of each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shared<T> {
    /// What.
    pub what: T,
    /// For whom.
    pub tenants: Vec<String>,
}

/// One thing that would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Item {
    /// A stack as a whole, where it is not merely changed.
    Stack {
        /// Which.
        stack: String,
        /// What becomes of it.
        outcome: Outcome,
    },
    /// A resource.
    Resource(Entry),
    /// A parameter.
    Parameter {
        /// Of which stack.
        stack: String,
        /// What changes.
        shown: Shown,
    },
    /// A tag of the stack.
    Tag {
        /// Of which stack.
        stack: String,
        /// What changes.
        shown: Shown,
    },
    /// An output.
    Output {
        /// Of which stack.
        stack: String,
        /// What changes.
        shown: Shown,
    },
    /// What follows, or is to be known.
    Note {
        /// Of which stack.
        stack: String,
        /// What.
        text: String,
    },
}

impl Item {
    /// The stack that it is about.
    #[must_use]
    pub fn stack(&self) -> &str {
        match self {
            Self::Resource(entry) => &entry.stack,
            Self::Stack { stack, .. }
            | Self::Parameter { stack, .. }
            | Self::Tag { stack, .. }
            | Self::Output { stack, .. }
            | Self::Note { stack, .. } => stack,
        }
    }
}

/// Things that change in the same tenants.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Block {
    /// The tenants.
    pub tenants: Vec<String>,
    /// What changes in each of them.
    pub items: Vec<Item>,
}

/// How many resources, over all tenants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Made or taken in.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Replaced, or perhaps.
    pub replace: usize,
    /// Removed.
    pub remove: usize,
}

/// The plans of many tenants as one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// Number of tenants.
    pub tenants: usize,
    /// Those that would change.
    pub changed: Vec<String>,
    /// Number of those that would not.
    pub unchanged: usize,
    /// Those without a plan, with the reason.
    pub failed: Vec<Shared<String>>,
    /// What must be mended before anything is written.
    pub hindrances: Vec<Shared<String>>,
    /// How many resources.
    pub totals: Totals,
    /// Data that would be lost.
    pub losses: Vec<Shared<Lost>>,
    /// Permissions that would be widened.
    pub permissions: Vec<Shared<Widened>>,
    /// What policies say.
    pub findings: Vec<Shared<Found>>,
    /// Files of pages that would be written or removed.
    pub pages: Vec<Shared<PageChange>>,
    /// The changes, those of the most tenants first.
    pub blocks: Vec<Block>,
}

impl Overview {
    /// Puts plans together.
    #[must_use]
    pub fn of(plans: &[TenantPlan]) -> Self {
        let (mut failed, mut hindrances) = (Known::default(), Known::default());
        let (mut items, mut losses, mut permissions, mut findings) =
            (Known::default(), Known::default(), Known::default(), Known::default());
        let mut pages = Known::default();
        let mut totals = Totals::default();
        for plan in plans {
            let name = plan.tenant.as_str();
            note(&mut failed, name, plan.error.iter());
            note(&mut hindrances, name, plan.hindrances.iter());
            note(&mut findings, name, plan.findings.iter());
            note(&mut pages, name, plan.page.iter().filter(|page| page.is_change()));
            for stack in &plan.stacks {
                note(&mut losses, name, stack.losses.iter());
                note(&mut permissions, name, stack.permissions.iter());
                note(&mut findings, name, stack.findings.iter());
                if stack.outcome == Outcome::Blocked {
                    note(&mut failed, name, stack.notes.iter());
                } else {
                    note(&mut items, name, things(stack).iter());
                }
                stack.resources.iter().for_each(|entry| totals.count(entry));
            }
        }
        let changed: Vec<String> =
            plans.iter().filter(|plan| plan.changes()).map(|plan| plan.tenant.clone()).collect();
        let idle = plans.iter().filter(|plan| !plan.changes() && !plan.has_failed());
        Self {
            tenants: plans.len(),
            unchanged: idle.count(),
            changed,
            failed: shared(failed),
            hindrances: shared(hindrances),
            totals,
            losses: shared(losses),
            permissions: shared(permissions),
            findings: shared(findings),
            pages: shared(pages),
            blocks: blocks(shared(items)),
        }
    }
}

impl Totals {
    fn count(&mut self, entry: &Entry) {
        match entry.action.as_str() {
            "add" | "import" => self.add += 1,
            "remove" => self.remove += 1,
            "replace" | "may-replace" | "dynamic" => self.replace += 1,
            _ => self.change += 1,
        }
    }
}

/// Everything that changes in a stack.
fn things(stack: &StackPlan) -> Vec<Item> {
    if !stack.changes() {
        return Vec::new();
    }
    let name = || stack.stack.clone();
    let mut items = Vec::new();
    if stack.outcome != Outcome::Update {
        items.push(Item::Stack { stack: name(), outcome: stack.outcome.clone() });
    }
    // Ids are each tenant's own.
    items.extend(
        stack.resources.iter().map(|entry| Item::Resource(Entry { physical_id: None, ..entry.clone() })),
    );
    let shown = |all: &[Shown]| all.to_vec();
    items.extend(shown(&stack.parameters).into_iter().map(|shown| Item::Parameter { stack: name(), shown }));
    items.extend(shown(&stack.tags).into_iter().map(|shown| Item::Tag { stack: name(), shown }));
    items.extend(shown(&stack.outputs).into_iter().map(|shown| Item::Output { stack: name(), shown }));
    items.extend(stack.not_compared.iter().map(|parameter| Item::Note {
        stack: name(),
        text: format!("parameter `{parameter}` is not echoed: whether its value changes is not known"),
    }));
    if !stack.later.is_empty() {
        let names: Vec<_> = stack.later.iter().map(|name| format!("`{name}`")).collect();
        let text = format!("changed once more when the stacks behind it stand: {}", names.join(", "));
        items.push(Item::Note { stack: name(), text });
    }
    items.extend(stack.notes.iter().map(|text| Item::Note { stack: name(), text: text.clone() }));
    items
}

/// What was found so far, by its general form.
struct Known<T> {
    places: HashMap<String, usize>,
    /// Its form where it was found first, its general form, and the tenants in which it was found.
    all: Vec<(T, T, Vec<String>)>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { places: HashMap::new(), all: Vec::new() }
    }
}

fn note<'a, T>(known: &mut Known<T>, tenant: &str, all: impl Iterator<Item = &'a T>)
where
    T: Serialize + DeserializeOwned + Clone + 'a,
{
    for own in all {
        let Ok(mut value) = serde_json::to_value(own) else { continue };
        generalise(&mut value, tenant);
        let key = value.to_string();
        if let Some(place) = known.places.get(&key) {
            let tenants = &mut known.all[*place].2;
            if tenants.last().is_none_or(|last| last != tenant) {
                tenants.push(tenant.to_owned());
            }
            continue;
        }
        let general = serde_json::from_value(value).unwrap_or_else(|_| own.clone());
        known.places.insert(key, known.all.len());
        known.all.push((own.clone(), general, vec![tenant.to_owned()]));
    }
}

/// What one tenant alone has is told with its own names.
fn shared<T>(known: Known<T>) -> Vec<Shared<T>> {
    let mut all: Vec<Shared<T>> = known
        .all
        .into_iter()
        .map(|(own, general, tenants)| Shared {
            what: if tenants.len() == 1 { own } else { general },
            tenants,
        })
        .collect();
    all.sort_by_key(|shared| std::cmp::Reverse(shared.tenants.len()));
    all
}

fn blocks(items: Vec<Shared<Item>>) -> Vec<Block> {
    let mut by_tenants: BTreeMap<Vec<String>, Vec<Item>> = BTreeMap::new();
    for item in items {
        by_tenants.entry(item.tenants).or_default().push(item.what);
    }
    let mut blocks: Vec<Block> = by_tenants
        .into_iter()
        .map(|(tenants, mut items)| {
            // The regional stack is deployed first.
            items.sort_by_key(|item| item.stack() != "regional");
            Block { tenants, items }
        })
        .collect();
    blocks.sort_by_key(|block| std::cmp::Reverse(block.tenants.len()));
    blocks
}

/// Puts `{tenant}` where the tenant's name stands as a word of its own.
fn generalise(value: &mut Value, tenant: &str) {
    match value {
        Value::String(text) if text.contains(tenant) => *text = general_text(text, tenant),
        Value::Array(items) => items.iter_mut().for_each(|item| generalise(item, tenant)),
        Value::Object(map) => {
            let renamed = std::mem::take(map).into_iter().map(|(key, mut inner)| {
                generalise(&mut inner, tenant);
                (if key.contains(tenant) { general_text(&key, tenant) } else { key }, inner)
            });
            *map = renamed.collect();
        }
        _ => {}
    }
}

fn general_text(text: &str, tenant: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(tenant) {
        let (head, tail) = (&rest[..at], &rest[at + tenant.len()..]);
        let inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let within = inner(head.chars().last().or_else(|| out.chars().last())) || inner(tail.chars().next());
        out.push_str(head);
        out.push_str(if within { tenant } else { "{tenant}" });
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A tenant whose edge stack changes these properties.
    pub(in crate::plan) fn tenant(name: &str, changes: &[(&str, Value, Value)]) -> TenantPlan {
        let outcome = if changes.is_empty() { Outcome::Unchanged } else { Outcome::Update };
        let mut stack = StackPlan::bare("edge", &format!("example-{name}-edge"), "us-east-1", outcome);
        for (path, before, after) in changes {
            stack.resources.push(Entry {
                stack: "edge".into(),
                logical_id: "Distribution".into(),
                kind: "AWS::CloudFront::Distribution".into(),
                physical_id: Some(format!("E{name}")),
                action: "modify".into(),
                replacement: "never".into(),
                forced_by: vec![],
                retained: false,
                properties: vec![Shown {
                    path: (*path).to_string(),
                    before: Some(before.clone()),
                    after: Some(after.clone()),
                    replacement: "never".into(),
                }],
                causes: vec![],
            });
        }
        TenantPlan {
            tenant: name.into(),
            account: None,
            stacks: vec![stack],
            findings: vec![],
            hindrances: vec![],
            checks: vec![],
            page: None,
            error: None,
        }
    }

    #[test]
    fn the_same_in_many_tenants_is_told_once_and_the_odd_one_apart() {
        let common =
            |name: &str| ("Comment", json!(format!("Media of {name}")), json!(format!("{name}'s media")));
        let plans = [
            tenant("acme", &[common("acme"), ("PriceClass", json!("100"), json!("200"))]),
            tenant("demo", &[common("demo")]),
            tenant("idle", &[]),
        ];
        let overview = Overview::of(&plans);
        assert_eq!((overview.unchanged, overview.changed.len(), overview.totals.change), (1, 2, 3));
        let told: Vec<_> =
            overview.blocks.iter().map(|block| (block.tenants.len(), block.items.len())).collect();
        assert_eq!(told, [(2, 1), (1, 1)]);
        let Item::Resource(entry) = &overview.blocks[0].items[0] else { panic!("a resource") };
        assert_eq!(entry.properties[0].before, Some(json!("Media of {tenant}")));
        assert_eq!(overview.blocks[1].tenants, ["acme"]);
    }

    #[test]
    fn a_name_within_another_word_is_left_alone() {
        assert_eq!(
            general_text("example-demo-edge democracy demo", "demo"),
            "example-{tenant}-edge democracy {tenant}"
        );
        assert_eq!(general_text("demodemo", "demo"), "demodemo");
    }
}
