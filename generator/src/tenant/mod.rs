//! Tenant files: from YAML to typed settings that know where they came from.

mod amend;
pub mod collections;
pub mod collisions;
mod declare;
pub mod decode;
pub mod fuzz;
pub mod labels;
pub mod layers;
pub mod load;
pub mod names;
pub mod node;
pub mod pattern;
pub mod problem;
pub mod reading;
pub mod rules;
pub mod scaffold;
pub mod schema;
pub mod settings;
pub mod source;
mod syntax;
pub mod values;
mod yaml;

use contract::names::Names;

pub use self::amend::{Amendment, amended};
pub use self::load::{LoadError, Loaded, Request, list, load, load_with};
pub use self::settings::Settings;

/// One customer of the organisation, as its file describes it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Organisation that runs the CDNs.
    pub organisation: String,
    /// Name of the tenant: its file's name without `.yaml`.
    pub name: String,
    /// What its file says, over the defaults.
    pub settings: Settings,
    /// Names of its resources.
    pub names: Names,
}

impl Tenant {
    /// A tenant of this name with these settings.
    #[must_use]
    pub fn new(organisation: &str, name: &str, settings: Settings) -> Self {
        Self {
            organisation: organisation.to_string(),
            name: name.to_string(),
            settings,
            names: Names::new(organisation, name),
        }
    }
}
