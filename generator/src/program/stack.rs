//! A stack under construction: components in the order in which the program added them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::program::StackId;
use crate::tenant::Tenant;
use contract::EDGE_REGION;

/// One use of a template: the component's name and the arguments that fill it.
#[derive(Debug, Clone)]
pub struct Component {
    /// Name of the component, and of its template without `.yaml.hbs`.
    pub name: &'static str,
    /// Arguments, with settings and outputs marked.
    pub arguments: Value,
}

/// Why a program could not be put together. A bug of the program, not of a tenant file.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// Arguments could not be written as JSON.
    #[error("the arguments of component `{component}` cannot be serialised")]
    Arguments {
        /// The component.
        component: &'static str,
        /// What serde said.
        #[source]
        source: serde_json::Error,
    },
    /// Two stacks need each other's outputs and none of the uses is marked as a later one.
    #[error("stacks `{first}` and `{second}` need each other; close the circle through a later output")]
    Circle {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

/// A stack and its components.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Which of the tenant's stacks.
    pub id: StackId,
    /// Name in CloudFormation.
    pub name: String,
    /// Region that it is deployed to.
    pub region: String,
    /// What the stack is, for people.
    pub description: String,
    /// Tags of the stack and of every resource in it that takes tags.
    pub tags: BTreeMap<String, String>,
    /// Its components.
    pub components: Vec<Component>,
}

impl Stack {
    /// The stack in the tenant's home region.
    #[must_use]
    pub fn regional(tenant: &Tenant) -> Self {
        Self {
            id: StackId::Regional,
            name: tenant.names.regional_stack(),
            region: tenant.settings.region.to_string(),
            description: format!("Media bucket and sign-in of tenant {}", tenant.name),
            tags: tags(tenant),
            components: Vec::new(),
        }
    }

    /// The stack that CloudFront and its functions need in us-east-1.
    #[must_use]
    pub fn edge(tenant: &Tenant) -> Self {
        Self {
            id: StackId::Edge,
            name: tenant.names.edge_stack(),
            region: EDGE_REGION.to_string(),
            description: format!("Distribution, signer and signing keys of tenant {}", tenant.name),
            tags: tags(tenant),
            components: Vec::new(),
        }
    }

    /// Adds a component.
    ///
    /// # Errors
    /// [`ProgramError::Arguments`] where the arguments have no JSON form.
    pub fn add(&mut self, name: &'static str, arguments: &impl Serialize) -> Result<(), ProgramError> {
        let arguments = serde_json::to_value(arguments)
            .map_err(|source| ProgramError::Arguments { component: name, source })?;
        self.components.push(Component { name, arguments });
        Ok(())
    }
}

fn tags(tenant: &Tenant) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<_, _> =
        tenant.settings.labels.0.iter().map(|(key, value)| (key.clone(), value.to_string())).collect();
    tags.insert("generator:organisation".into(), tenant.organisation.clone());
    tags.insert("generator:tenant".into(), tenant.name.clone());
    tags
}
