//! The first file of a new tenant.

use std::path::Path;

use super::load::{LoadError, TIERS_FOLDER, new_layers};
use super::names;

/// Region of a tenant where no layer names one.
const REGION: &str = "us-east-1";

/// A small, commented, valid file for a tenant of this name.
///
/// # Errors
/// A name that no tenant can have, a tier that does not exist, and defaults that are wrong.
pub fn text(folder: &Path, organisation: &str, name: &str, tier: Option<&str>) -> Result<String, LoadError> {
    let file = format!("{name}.yaml");
    let defaults = new_layers(folder, &file, tier, |place| names::check(organisation, name, place))?;
    let mut text = String::from("# yaml-language-server: $schema=../docs/tenant.schema.json\n");
    let below = match tier {
        Some(tier) => format!("`{TIERS_FOLDER}/{tier}.yaml`, `_defaults.yaml`"),
        None => "`_defaults.yaml`".to_string(),
    };
    text.push_str(&format!("# What is not set here comes from {below} and the built-in defaults.\n"));
    text.push_str(&format!("description: Media of {name}\n"));
    if let Some(tier) = tier {
        text.push_str(&format!("tier: {tier}\n"));
    }
    let given = |key: &str| defaults.iter().any(|layer| layer.node.get(key).is_some());
    if !given("region") {
        text.push_str(&format!("# Home of bucket and users.\nregion: {REGION}\n"));
    }
    text.push_str(
        "sign_in:\n  \
         # Pages of yours that take the authorization code after signing in.\n  \
         callback_urls: [http://localhost:8080/]\n  \
         logout_urls: [http://localhost:8080/]\n\
         # Pages of other origins that show or upload media, such as https://app.example.com\n\
         cors:\n  \
         origins: []\n\
         # Who may upload: off, own-folder or shared\n\
         uploads:\n  \
         mode: own-folder\n",
    );
    Ok(text)
}
