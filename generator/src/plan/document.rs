//! A change set as policies see it.

use serde_json::{Map, Value, json};

use super::attributes::{AttributeEdit, attribute_edits};
use super::permissions::{Grant, Side, Sides, new_grants, resolved};
use super::{Action, PropertyChange, Replacement, ResourceChange, StackChange};
use crate::render::read_template;

const USER_POOL: &str = "AWS::Cognito::UserPool";

/// What the caller has allowed.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Logical ids that may be replaced or removed.
    pub replace: Vec<String>,
    /// Whether permissions may be widened.
    pub broadening: bool,
}

/// The change set as one document: each entry with what is lost by it and what it allows anew, worked out
/// once and here.
#[must_use]
pub fn change_document(change: &StackChange, sides: &Sides<'_>, allowed: &Allowed) -> Value {
    let resources = Resources::read(sides);
    let entries: Vec<Value> = change
        .resources
        .iter()
        .zip(resources.widened(change))
        .map(|(resource, grants)| {
            let mut entry = entry(resource);
            if resource.kind == USER_POOL {
                let edits = resources.edits(resource, change.creates);
                entry["attributes_known"] = edits.is_some().into();
                entry["attributes"] = edits.unwrap_or_default().iter().map(AttributeEdit::shown).collect();
            }
            entry["grants_known"] = grants.is_some().into();
            entry["grants"] = grants.unwrap_or_default().iter().map(shown).collect();
            let mut own = Vec::new();
            if allowed.replace.contains(&resource.logical_id) {
                own.push("replace");
            }
            if allowed.broadening {
                own.push("broadening");
            }
            entry["allowed"] = json!(own);
            entry
        })
        .collect();
    json!({ "creates": change.creates, "changes": entries })
}

/// What each entry of a change allows anew; `None` where that cannot be worked out.
pub(super) fn widened(change: &StackChange, sides: &Sides<'_>) -> Vec<Option<Vec<Grant>>> {
    Resources::read(sides).widened(change)
}

/// The resources on both sides of a change, with the values of parameters put in.
struct Resources {
    /// `None` where the stack is new, `Some(None)` where its template cannot be worked out.
    before: Option<Option<Map<String, Value>>>,
    after: Option<Map<String, Value>>,
}

impl Resources {
    fn read(sides: &Sides<'_>) -> Self {
        Self { before: sides.before.map(|side| read(&side)), after: read(&sides.after) }
    }

    fn widened(&self, change: &StackChange) -> Vec<Option<Vec<Grant>>> {
        let of = |resource: &ResourceChange| match (&self.before, &self.after) {
            // Who makes a whole stack changes nobody's permissions.
            (None, _) if change.creates => Some(Vec::new()),
            (Some(Some(before)), Some(after)) => grants(resource, before, after),
            _ => None,
        };
        change.resources.iter().map(of).collect()
    }

    /// What becomes of the attributes of a user pool.
    fn edits(&self, resource: &ResourceChange, creates: bool) -> Option<Vec<AttributeEdit>> {
        match (&self.before, &self.after) {
            (None, _) if creates => Some(Vec::new()),
            (Some(Some(before)), Some(after)) => {
                attribute_edits(before.get(&resource.logical_id), after.get(&resource.logical_id))
            }
            _ => None,
        }
    }
}

pub(super) fn read(side: &Side<'_>) -> Option<Map<String, Value>> {
    resolved(&read_template(side.template).ok()?, side.parameters)
}

fn grants(
    resource: &ResourceChange,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Option<Vec<Grant>> {
    match resource.action {
        Action::Remove => Some(Vec::new()),
        _ => new_grants(before.get(&resource.logical_id), after.get(&resource.logical_id)),
    }
}

fn shown(grant: &Grant) -> Value {
    json!({
        "principal": grant.principal, "action": grant.action, "resource": grant.resource,
        "condition": grant.condition,
    })
}

fn entry(resource: &ResourceChange) -> Value {
    let properties: Vec<Value> = resource.properties.iter().map(property).collect();
    json!({
        "logical_id": resource.logical_id,
        "physical_id": resource.physical_id,
        "type": resource.kind,
        "action": action(resource.action),
        "replacement": replacement(resource.replacement),
        "retained": resource.retained,
        "loss": loss(resource),
        "properties": properties,
        "causes": resource.causes,
    })
}

fn property(change: &PropertyChange) -> Value {
    let path = change.path.as_deref().unwrap_or(&change.attribute);
    let name = path.trim_start_matches('/').trim_start_matches("Properties/").replace('/', ".");
    json!({
        "name": name, "attribute": change.attribute, "replacement": replacement(change.replacement),
        "before": change.before, "after": change.after,
    })
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Add => "add",
        Action::Modify => "modify",
        Action::Remove => "remove",
        Action::Import => "import",
        Action::Dynamic => "dynamic",
        Action::Sync => "sync",
    }
}

pub(super) fn replacement(replacement: Replacement) -> &'static str {
    match replacement {
        Replacement::Never => "never",
        Replacement::Conditional => "conditional",
        Replacement::Always => "always",
    }
}

/// Whether the stack's resource is lost. What is kept outside of the stack is lost for it all the same, but
/// can be found again.
fn loss(resource: &ResourceChange) -> &'static str {
    match (resource.action, resource.replacement) {
        (Action::Remove, _) | (Action::Modify, Replacement::Always) if resource.retained => "possible",
        (Action::Remove, _) | (Action::Modify, Replacement::Always) => "certain",
        (Action::Modify, Replacement::Conditional) | (Action::Dynamic, _) => "possible",
        (Action::Modify, Replacement::Never) | (Action::Add | Action::Import | Action::Sync, _) => "none",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const HEAD: &str = "Conditions:\n  Known: !Not [!Equals [!Ref Id, '']]\nResources:\n";

    fn policy(extra: &str) -> String {
        format!(
            "{HEAD}  P:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      PolicyDocument:\n        Statement:\n        \
             - {{ Effect: Deny, Principal: '*', Action: 's3:*', Resource: b, Condition: {{ Bool: {{ t: 'false' }} }} }}\n        \
             - !If [Known, {{ Effect: Allow, Principal: {{ Service: cdn }}, Action: 's3:GetObject', Resource: b, \
             Condition: {{ StringEquals: {{ arn: !Sub 'd/${{Id}}' }} }} }}, !Ref AWS::NoValue]\n{extra}"
        )
    }

    fn change(action: Action, replacement: Replacement, retained: bool) -> StackChange {
        StackChange {
            stack: "s".into(),
            region: "r".into(),
            change_set: "c".into(),
            creates: false,
            resources: vec![ResourceChange {
                logical_id: "P".into(),
                physical_id: None,
                kind: "AWS::S3::BucketPolicy".into(),
                action,
                replacement,
                retained,
                scope: vec![],
                properties: vec![],
                causes: vec![],
            }],
        }
    }

    fn entry_of(before: &str, id_before: &str, after: &str, id_after: &str) -> Value {
        let parameters = |id: &str| BTreeMap::from([("Id".to_string(), id.to_string())]);
        let (old, new) = (parameters(id_before), parameters(id_after));
        let sides = Sides {
            before: Some(Side { template: before, parameters: &old }),
            after: Side { template: after, parameters: &new },
        };
        let change = change(Action::Modify, Replacement::Never, false);
        change_document(&change, &sides, &Allowed::default())["changes"][0].clone()
    }

    #[test]
    fn a_parameter_that_becomes_known_grants_what_its_condition_holds_back() {
        let entry = entry_of(&policy(""), "", &policy(""), "E1");
        assert_eq!(entry["grants_known"], true);
        assert_eq!(entry["grants"][0]["principal"], "Service:cdn");
        assert_eq!(entry["grants"].as_array().map(Vec::len), Some(1));
        assert!(entry["grants"][0]["condition"].as_str().is_some_and(|c| c.contains("d/E1")), "{entry}");
        assert_eq!(entry_of(&policy(""), "E1", &policy(""), "E1")["grants"], json!([]));
        assert_eq!(entry_of(&policy(""), "E1", &policy(""), "")["grants"], json!([]));
    }

    #[test]
    fn a_denial_that_goes_away_and_a_condition_that_falls_widen() {
        let open = "        - { Effect: Allow, Principal: '*', Action: 's3:Get*', Resource: b }\n";
        assert_eq!(entry_of(&policy(""), "E1", &policy(open), "E1")["grants"][0]["action"], "s3:Get*");
        assert_eq!(entry_of(&policy(open), "E1", &policy(""), "E1")["grants"], json!([]));
        let lifted = policy("").replace("Effect: Deny", "Effect: Allow");
        let grants = entry_of(&policy(""), "E1", &lifted, "E1")["grants"].to_string();
        assert!(grants.contains("no longer denied"), "{grants}");
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        assert_eq!(entry_of("a: [", "", &policy(""), "E1")["grants_known"], false);
        let odd = policy("").replace("!Not [!Equals [!Ref Id, '']]", "!Equals [!Ref Other, '']");
        assert_eq!(entry_of(&odd, "", &policy(""), "")["grants_known"], false);
    }

    #[test]
    fn the_attributes_of_a_user_pool_are_compared_in_both_templates() {
        let pool = |schema: &str| {
            format!(
                "Resources:\n  P:\n    Type: AWS::Cognito::UserPool\n    Properties:\n      Schema: {schema}\n"
            )
        };
        let none = BTreeMap::new();
        let entry = |before: &str, after: &str| {
            let side = |template| Side { template, parameters: &none };
            let mut change = change(Action::Modify, Replacement::Never, true);
            change.resources[0].kind = USER_POOL.into();
            change_document(
                &change,
                &Sides { before: Some(side(before)), after: side(after) },
                &Allowed::default(),
            )["changes"][0]
                .clone()
        };
        let added = entry(&pool("[]"), &pool("[{ Name: team }]"));
        assert_eq!(added["attributes_known"], true);
        assert_eq!(
            added["attributes"],
            json!([{ "name": "team", "edit": "add", "standard": false, "required": false }])
        );
        assert_eq!(entry("a: [", &pool("[]"))["attributes_known"], false);
    }

    #[test]
    fn loss_follows_from_action_replacement_and_retention() {
        for (action, replacement, retained, loss) in [
            (Action::Add, Replacement::Never, false, "none"),
            (Action::Modify, Replacement::Never, false, "none"),
            (Action::Modify, Replacement::Conditional, true, "possible"),
            (Action::Modify, Replacement::Always, true, "possible"),
            (Action::Modify, Replacement::Always, false, "certain"),
            (Action::Remove, Replacement::Never, true, "possible"),
            (Action::Remove, Replacement::Never, false, "certain"),
            (Action::Dynamic, Replacement::Never, false, "possible"),
        ] {
            let change = change(action, replacement, retained);
            assert_eq!(super::loss(&change.resources[0]), loss, "{action:?} {replacement:?} {retained}");
        }
    }
}
