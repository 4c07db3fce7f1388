//! What a tenant was deployed with, kept beside the runtime zips for `policy check --deployed`.

use super::artifacts::Place;
use crate::cli::context::Context;
use crate::deploy::artifacts::REGION;
use crate::deploy::record::{Found, Record, find, keep};
use crate::report::Event;

/// What an earlier deployment has recorded; `None` where that cannot be read now.
pub(super) async fn found(place: &Place, tenant: &str) -> Option<Found> {
    find(&place.cloud.s3(REGION), place.bucket.name(), tenant).await.ok()
}

/// Records the settings of a tenant whose stacks stand. That it cannot be recorded undoes no deployment.
pub(super) async fn record(context: &Context, place: &Place, record: &Record, found: Option<Found>) {
    let kept = keep(&place.cloud.s3(REGION), place.bucket.name(), record, found).await;
    if let Err(error) = kept {
        context.sink.emit(&Event::Warning {
            tenant: Some(record.tenant.clone()),
            message: format!("it is deployed, but its settings are not recorded: {error}"),
            help: Some(
                "`generator policy check --deployed` cannot judge them; deploy again to record them".into(),
            ),
        });
    }
}
