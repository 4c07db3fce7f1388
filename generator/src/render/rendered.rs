//! What rendering a tenant yields: the documents, and what must be known at run time to deploy them.

use std::collections::BTreeMap;

use crate::program::{Artifact, ArtifactFact, StackId};

/// Everything that deploying one tenant needs, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedTenant {
    /// Tenant name, as in its file.
    pub tenant: String,
    /// The only account that the tenant may be deployed to, where its file names one.
    pub account: Option<String>,
    /// Role to assume for every call about this tenant, where its file names one.
    pub role_arn: Option<String>,
    /// Stacks in the order of their first deployment.
    pub stacks: Vec<RenderedStack>,
    /// The page that lies in the bucket, where the tenant has one.
    pub page: Option<RenderedPage>,
}

/// A page of static files, and what deploying it must know beside the stacks' outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPage {
    /// Folder with its files, from the project's root.
    pub folder: String,
    /// Path that it lies under; begins and ends with `/`.
    pub path: String,
    /// Region of the bucket.
    pub region: String,
    /// Scopes that the page may ask for.
    pub scopes: Vec<String>,
    /// Return URLs of the app client, and the web origins that may use the bucket.
    pub allowed: PageAllowed,
    /// Largest object that stays in the bucket, in bytes.
    pub largest: Option<u64>,
}

/// What the tenant's file says of pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageAllowed {
    /// Where signed-in users may be sent.
    pub callbacks: Vec<String>,
    /// Where signed-out users may be sent.
    pub logouts: Vec<String>,
    /// Web origins that may upload; `None` where nobody may upload.
    pub origins: Option<Vec<String>>,
}

impl RenderedTenant {
    /// The stack of this kind. Every rendered tenant has one of each.
    #[must_use]
    pub fn stack(&self, id: StackId) -> Option<&RenderedStack> {
        self.stacks.iter().find(|stack| stack.id == id)
    }
}

/// One CloudFormation stack, ready but for its parameters' values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedStack {
    /// Which of the tenant's stacks this is.
    pub id: StackId,
    /// Name in CloudFormation.
    pub name: String,
    /// Region that it is deployed to.
    pub region: String,
    /// Canonical YAML: the bytes that reviewers read and that CloudFormation gets.
    pub template: String,
    /// Parameters in the order of the template, each with where its value comes from.
    pub parameters: Vec<StackParameter>,
    /// Tags of the stack, which CloudFormation hands to every resource that takes tags.
    pub tags: BTreeMap<String, String>,
    /// Names of the stack's outputs, in the order of the template.
    pub outputs: Vec<String>,
}

/// A stack parameter and the source of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackParameter {
    /// Name in the template.
    pub name: String,
    /// Where the value comes from at deployment.
    pub source: ParameterSource,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterSource {
    /// Output of another stack of the same tenant. That stack must be deployed before.
    Output {
        /// The stack that has the output.
        stack: StackId,
        /// The output's name there.
        output: String,
    },
    /// Output of a stack that is deployed later: empty on the very first pass, after which this stack is
    /// deployed once more. The template must be valid with the empty value.
    LaterOutput {
        /// The stack that has the output.
        stack: StackId,
        /// The output's name there.
        output: String,
    },
    /// A fact of a runtime artifact.
    Artifact {
        /// Which artifact.
        artifact: Artifact,
        /// Which fact of it.
        fact: ArtifactFact,
    },
}
