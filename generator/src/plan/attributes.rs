//! What a change does to the attributes of a user pool. CloudFormation adds attributes of one's own to a pool that
//! stands; what is there already can be neither changed nor taken out, and a change that tries fails half-way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Attributes that every pool has, whether its template names them or not.
const STANDARD: [&str; 20] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "sub",
    "updated_at",
    "website",
    "zoneinfo",
];

/// What becomes of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeEdit {
    /// Its name in the template.
    name: String,
    edit: Edit,
    /// Whether every pool has it.
    is_standard: bool,
    /// Whether every user must have it afterwards.
    is_required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Add,
    Change,
    Remove,
}

impl AttributeEdit {
    /// As policies see it.
    pub(super) fn shown(&self) -> Value {
        let edit = match self.edit {
            Edit::Add => "add",
            Edit::Change => "change",
            Edit::Remove => "remove",
        };
        json!({ "name": self.name, "edit": edit, "standard": self.is_standard, "required": self.is_required })
    }
}

/// The edits that lead from one user pool to the other; `None` where that cannot be worked out.
pub(super) fn attribute_edits(before: Option<&Value>, after: Option<&Value>) -> Option<Vec<AttributeEdit>> {
    // A pool that comes or goes as a whole has nothing edited.
    let (Some(before), Some(after)) = (before, after) else { return Some(Vec::new()) };
    let (before, after) = (schema(before)?, schema(after)?);
    let edit = |name: &str, edit: Edit, attribute: &Value| AttributeEdit {
        name: name.to_string(),
        edit,
        is_standard: STANDARD.contains(&name),
        is_required: is_true(&attribute["Required"]),
    };
    let mut edits = Vec::new();
    for (name, new) in &after {
        match before.get(name) {
            None => edits.push(edit(name, Edit::Add, new)),
            Some(old) if old != new => edits.push(edit(name, Edit::Change, new)),
            Some(_) => {}
        }
    }
    edits.extend(
        before
            .iter()
            .filter(|(name, _)| !after.contains_key(*name))
            .map(|(name, old)| edit(name, Edit::Remove, old)),
    );
    Some(edits)
}

/// The attributes that a pool's template names, by name.
fn schema(pool: &Value) -> Option<BTreeMap<&str, &Value>> {
    let listed = match &pool["Properties"]["Schema"] {
        Value::Null => return Some(BTreeMap::new()),
        listed => listed.as_array()?,
    };
    let mut found = BTreeMap::new();
    for attribute in listed {
        let name = attribute.get("Name")?.as_str()?;
        if found.insert(name, attribute).is_some() {
            return None;
        }
    }
    Some(found)
}

/// CloudFormation takes texts for truth values.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or(value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(before: &Value, after: &Value) -> Option<Vec<String>> {
        let pool = |schema: &Value| json!({ "Properties": { "Schema": schema } });
        let edits = attribute_edits(Some(&pool(before)), Some(&pool(after)))?;
        Some(edits.iter().map(|edit| edit.shown().to_string()).collect())
    }

    fn shown(name: &str, edit: &str, standard: bool, required: bool) -> String {
        json!({ "name": name, "edit": edit, "standard": standard, "required": required }).to_string()
    }

    #[test]
    fn attributes_are_told_apart_by_name_in_whatever_order() {
        let (team, email) = (json!({ "Name": "team", "Mutable": true }), json!({ "Name": "email" }));
        assert_eq!(edits(&json!([team, email]), &json!([email, team])), Some(vec![]));
        assert_eq!(edits(&Value::Null, &json!([team])), Some(vec![shown("team", "add", false, false)]));
        assert_eq!(edits(&json!([team]), &Value::Null), Some(vec![shown("team", "remove", false, false)]));
        let fixed = json!({ "Name": "team", "Mutable": false });
        assert_eq!(edits(&json!([team]), &json!([fixed])), Some(vec![shown("team", "change", false, false)]));
    }

    #[test]
    fn a_standard_attribute_and_a_demand_are_told() {
        let email = json!({ "Name": "email", "Required": "true" });
        assert_eq!(edits(&json!([]), &json!([email])), Some(vec![shown("email", "add", true, true)]));
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        for odd in
            [json!({ "Ref": "X" }), json!([{ "Mutable": true }]), json!([{ "Name": "a" }, { "Name": "a" }])]
        {
            assert_eq!(edits(&json!([]), &odd), None, "{odd}");
        }
        assert_eq!(attribute_edits(None, Some(&json!({}))), Some(vec![]), "a new pool");
    }
}
