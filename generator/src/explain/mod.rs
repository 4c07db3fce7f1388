//! Where a value comes from, and where it goes: from a setting to the properties that it reaches, and from a
//! rendered property back to the template line and the line of the tenant file behind it.

mod allowed;
mod layers;
mod locate;
mod property;
mod setting;

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::program::media_cdn;
use crate::program::stack::ProgramError;
use crate::render::{RenderError, StackTrace, Templates, render_traced};
use crate::tenant::layers::{Layer, LayerKind};
use crate::tenant::source::{Place, Sources};
use crate::tenant::{LoadError, Tenant, load::layers as read_layers, schema};

pub use self::property::{PropertyReport, ScalarReport, SourceReport};
pub use self::setting::{Reach, SettingReport};

/// Everything that is known of one tenant's values.
#[derive(Debug)]
pub struct Explainer {
    sources: Sources,
    /// Lowest first.
    layers: Vec<Layer>,
    schema: Value,
    traces: Vec<StackTrace>,
}

/// Why nothing can be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// There is no such setting or property.
    #[error("{message}")]
    Unknown {
        /// What is not there.
        message: String,
        /// The nearest thing that is.
        help: String,
    },
    /// The tenant's files cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The program does not hold.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The templates do not render.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// What one layer says of a setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerValue {
    /// `tenant`, `tier NAME`, `defaults` or `built-in`.
    pub layer: String,
    /// `file:line:column`.
    pub place: String,
    /// The value; for a map or list around the setting that replaces it, that one.
    pub value: Value,
}

/// What [`Explainer::explain`] found.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Explanation {
    /// Of a setting.
    Setting(Box<SettingReport>),
    /// Of a rendered property.
    Property(PropertyReport),
}

impl Explainer {
    /// Reads a tenant's layers and renders it, noting where everything comes from.
    ///
    /// # Errors
    /// Everything but [`ExplainError::Unknown`].
    pub fn new(folder: &Path, tenant: &Tenant, templates: &Templates) -> Result<Self, ExplainError> {
        let (sources, layers) = read_layers(folder, &tenant.name)?;
        let (_, traces) = render_traced(templates, tenant, &media_cdn(tenant)?)?;
        Ok(Self { sources, layers, schema: schema::document(), traces })
    }

    /// Explains a setting, or what is written as `stack/Resource.Property`.
    ///
    /// # Errors
    /// [`ExplainError::Unknown`] with the nearest known name.
    pub fn explain(&self, what: &str) -> Result<Explanation, ExplainError> {
        match what.split_once('/') {
            Some((stack, path)) => self.property(stack, path).map(Explanation::Property),
            None => self.setting(what).map(Box::new).map(Explanation::Setting),
        }
    }

    fn located(&self, place: Place) -> String {
        self.sources.locate(place).to_string()
    }
}

/// What people call a layer.
fn layer_name(kind: &LayerKind) -> String {
    match kind {
        LayerKind::Builtin => "built-in".into(),
        LayerKind::Defaults => "defaults".into(),
        LayerKind::Tier(name) => format!("tier {name}"),
        LayerKind::Tenant => "tenant".into(),
    }
}

/// A path in a document as people write it: without the sections, and without the function at its end.
fn shown(path: &[String]) -> String {
    let path = match path {
        [section, rest @ ..] if section == "Resources" => rest,
        all => all,
    };
    let segments =
        path.iter().enumerate().filter(|(index, segment)| !(*index == 1 && *segment == "Properties"));
    let segments = segments.map(|(_, segment)| segment.as_str());
    let segments = segments.take_while(|segment| *segment != "Ref" && !segment.starts_with("Fn::"));
    segments.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_shown_as_people_write_it() {
        let path = |text: &str| -> Vec<String> { text.split('/').map(str::to_string).collect() };
        assert_eq!(shown(&path("Resources/A/Properties/B/0/C/Fn::Sub")), "A.B.0.C");
        assert_eq!(shown(&path("Resources/A/DeletionPolicy")), "A.DeletionPolicy");
        assert_eq!(shown(&path("Outputs/A/Value/Ref")), "Outputs.A.Value");
    }
}
