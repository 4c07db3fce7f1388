//! A tenant as it stands, read and not touched.

use super::reading::read_all;
use super::{DeployError, StackStatus, UnknownStatus};
use crate::aws::Peers;
use crate::aws::cloudformation::Stack;
use crate::render::{RenderedTenant, StackId};

/// The stacks of a tenant as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantStatus {
    /// Tenant.
    pub tenant: String,
    /// Each of its stacks, in the order of deployment.
    pub stacks: Vec<StackReport>,
}

/// One stack as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackReport {
    /// Which of the tenant's stacks.
    pub id: StackId,
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// The stack, or `None` where it does not exist.
    pub stack: Option<Stack>,
    /// Whether its template is the rendered one, byte for byte.
    pub as_rendered: bool,
}

impl StackReport {
    /// Its status, or `None` where it does not exist.
    ///
    /// # Errors
    /// Where CloudFormation uses a word that is not documented today.
    pub fn status(&self) -> Result<Option<StackStatus>, UnknownStatus> {
        self.stack.as_ref().map(|stack| stack.status.parse()).transpose()
    }
}

impl TenantStatus {
    /// An output of one of the stacks.
    #[must_use]
    pub fn output(&self, id: StackId, name: &str) -> Option<&str> {
        let report = self.stacks.iter().find(|report| report.id == id)?;
        report.stack.as_ref()?.outputs.get(name).map(String::as_str)
    }
}

/// Reads the stacks of a tenant, all at once.
///
/// # Errors
/// Where a call fails.
pub async fn describe(peers: &dyn Peers, tenant: &RenderedTenant) -> Result<TenantStatus, DeployError> {
    let names: Vec<_> =
        tenant.stacks.iter().map(|stack| (stack.name.as_str(), stack.region.as_str())).collect();
    let readings = read_all(peers, &names).await?;
    let reports = tenant.stacks.iter().zip(readings).map(|(rendered, reading)| StackReport {
        id: rendered.id,
        name: rendered.name.clone(),
        region: rendered.region.clone(),
        as_rendered: reading.template.as_deref() == Some(rendered.template.as_str()),
        stack: reading.stack,
    });
    Ok(TenantStatus { tenant: tenant.tenant.clone(), stacks: reports.collect() })
}
