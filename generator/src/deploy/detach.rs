//! Taking the edge function off a distribution before anything is deleted: CloudFront gives its replicas back only
//! after that, and that takes hours.

use super::Context;
use super::error::{DeployError, Doing};
use super::poll::{Look, Wait};
use crate::aws::Peers;
use crate::report::Event;

/// CloudFormation's type of a distribution.
pub(super) const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

/// Detaches every function and waits until all edges know.
pub(super) async fn detach(
    context: &Context,
    peers: &dyn Peers,
    tenant: &str,
    distribution: &str,
) -> Result<(), DeployError> {
    let edges = peers.edges();
    let doing = || format!("detaching the edge function from distribution `{distribution}`");
    let detached = edges.detach_functions(distribution).await.doing(doing)?;
    let what = format!("distribution `{distribution}` to be without its function at every edge");
    let mut wait = Wait::new(context, what, context.settings.deadlines.stack).under_way();
    loop {
        let look = edges.status(distribution).await.map(|status| match status {
            Some(status) if status != "Deployed" => Look::NotYet(format!("status `{status}`")),
            _ => Look::Done(()),
        });
        if wait.take(look).await?.is_some() {
            break;
        }
    }
    if detached {
        let (tenant, distribution) = (tenant.to_owned(), distribution.to_owned());
        context.emit(&Event::EdgeDetached { tenant, distribution });
    }
    Ok(())
}
