//! The caller's account, checked before the first write.

use super::error::Doing;
use super::{Context, DeployError};
use crate::aws::Peers;
use crate::report::Event;

/// Stops where `expected` is not the caller's account. A local cloud's account is nobody's.
pub(super) async fn check(
    context: &Context,
    peers: &dyn Peers,
    tenant: &str,
    expected: Option<&str>,
) -> Result<(), DeployError> {
    let Some(expected) = expected else { return Ok(()) };
    if context.settings.local {
        return Ok(());
    }
    let actual = peers.identity().account().await.doing(|| "asking whose credentials these are".into())?;
    if actual != expected {
        return Err(DeployError::WrongAccount {
            tenant: tenant.to_owned(),
            expected: expected.to_owned(),
            actual,
        });
    }
    context.emit(&Event::AccountChecked { tenant: tenant.to_owned(), account: actual });
    Ok(())
}
