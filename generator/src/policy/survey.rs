//! What all tenants together are called and carry.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::directory::Directory;
use super::load::Known;
use super::scope::Subject;
use crate::tenant::schema;

/// Settings by which a file names resources of its own.
const NAMES: [&str; 4] =
    ["/bucket/existing_name", "/sign_in/existing/user_pool_id", "/sign_in/domain_prefix", "/edge/aliases"];

/// What packs may speak of. `names` are all tenants, `tenants` those of them whose files are right.
#[must_use]
pub fn survey(organisation: &str, names: &[String], tenants: &[Subject]) -> Known {
    let mut directory = Directory::new(organisation, names.iter().cloned());
    let mut labels = BTreeSet::new();
    for tenant in tenants {
        if let Some(own) = tenant.settings().get("labels").and_then(Value::as_object) {
            labels.extend(own.keys().cloned());
        }
        for name in NAMES.iter().filter_map(|pointer| tenant.settings().pointer(pointer)) {
            let listed = name.as_array().map_or_else(|| std::slice::from_ref(name), Vec::as_slice);
            listed.iter().filter_map(Value::as_str).for_each(|name| directory.add(tenant.name(), name));
        }
    }
    Known { labels, settings: schema::document(), directory: Arc::new(directory) }
}
