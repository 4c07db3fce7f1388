//! Which tenants a policy, an override or an exemption concerns.

use std::collections::BTreeMap;

use serde_json::Value;
use wildmatch::WildMatch;

use crate::tenant::Tenant;
use crate::tenant::decode::SETTING_MARK;

/// Label whose value is a tenant's environment.
pub const ENVIRONMENT: &str = "environment";

/// Conditions on a tenant that must all hold; empty ones concern every tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Labels that the tenant must carry, each with one of these values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Patterns of which one must match the region.
    pub region: Vec<String>,
    /// Words of which one must be the environment.
    pub environment: Vec<String>,
    /// Patterns of which one must match the name.
    pub tenant: Vec<String>,
    /// What must not hold as a whole.
    pub not: Option<Box<Scope>>,
}

impl Scope {
    /// Whether a tenant is concerned.
    #[must_use]
    pub fn concerns(&self, tenant: &Subject) -> bool {
        // Most scopes are empty, and then nothing of the tenant is looked up.
        let holds = |wanted: &[String], key: &str| {
            let is_wanted = |actual: &str| wanted.iter().any(|word| word == actual);
            wanted.is_empty() || tenant.label(key).is_some_and(is_wanted)
        };
        let matches = |wanted: &[String], actual: fn(&Subject) -> &str| {
            let is_matched = |pattern: &String| WildMatch::new(pattern).matches(actual(tenant));
            wanted.is_empty() || wanted.iter().any(is_matched)
        };
        self.labels.iter().all(|(key, values)| holds(values, key))
            && matches(&self.region, Subject::region)
            && holds(&self.environment, ENVIRONMENT)
            && matches(&self.tenant, Subject::name)
            && self.not.as_ref().is_none_or(|not| !not.concerns(tenant))
    }
}

/// A tenant as conditions see it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its settings with `name` and `organisation`.
    settings: Value,
}

impl Subject {
    /// A tenant of this organisation. `settings` is what all layers together say.
    #[must_use]
    pub fn new(organisation: &str, name: &str, settings: Value) -> Self {
        let mut settings = match settings {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        };
        settings.insert("name".into(), name.into());
        settings.insert("organisation".into(), organisation.into());
        Self { settings: Value::Object(settings) }
    }

    /// The settings of a loaded tenant.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        let settings = serde_json::to_value(&tenant.settings).map(plain).unwrap_or_default();
        Self::new(&tenant.organisation, &tenant.name, settings)
    }

    /// What `tenant` stands for in conditions.
    #[must_use]
    pub fn settings(&self) -> &Value {
        &self.settings
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// Its organisation.
    #[must_use]
    pub fn organisation(&self) -> &str {
        self.text("organisation")
    }

    /// Its region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.text("region")
    }

    /// One of its labels.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.settings.get("labels").and_then(|labels| labels.get(key)).and_then(Value::as_str)
    }

    fn text(&self, key: &str) -> &str {
        self.settings.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Settings without the marks that say which ones they are.
fn plain(mut marked: Value) -> Value {
    strip(&mut marked);
    marked
}

fn strip(value: &mut Value) {
    if let Value::Object(map) = value
        && map.contains_key(SETTING_MARK)
        && let Some(inner) = map.swap_remove("value")
    {
        *value = inner;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(strip),
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn acme() -> Subject {
        let settings =
            json!({ "region": "eu-north-1", "labels": { "environment": "production", "tier": "gold" } });
        Subject::new("example", "acme", settings)
    }

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_string()).collect()
    }

    #[test]
    fn all_conditions_must_hold() {
        assert!(Scope::default().concerns(&acme()));
        let scope = Scope {
            labels: BTreeMap::from([("tier".to_string(), texts(&["silver", "gold"]))]),
            region: texts(&["eu-*"]),
            environment: texts(&["production"]),
            tenant: texts(&["ac*", "other"]),
            not: None,
        };
        assert!(scope.concerns(&acme()));
        assert!(!Scope { region: texts(&["us-*"]), ..scope.clone() }.concerns(&acme()));
        assert!(!Scope { environment: texts(&["staging"]), ..scope }.concerns(&acme()));
    }

    #[test]
    fn a_label_that_is_not_carried_never_matches() {
        let scope =
            Scope { labels: BTreeMap::from([("team".to_string(), texts(&["a"]))]), ..Scope::default() };
        assert!(!scope.concerns(&acme()));
        let not = Scope { not: Some(Box::new(scope)), ..Scope::default() };
        assert!(not.concerns(&acme()));
    }
}
