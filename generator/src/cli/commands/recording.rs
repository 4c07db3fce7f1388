//! What a tenant was deployed with, kept beside the runtime zips for `policy check --deployed`.

use serde_json::Value;

use super::artifacts::Place;
use crate::cli::context::Context;
use crate::deploy::artifacts::REGION;
use crate::deploy::record::{Record, keep};
use crate::render::RenderedTenant;
use crate::report::Event;

/// Records the settings of a tenant whose stacks stand. That it cannot be recorded undoes no deployment.
pub(super) async fn record(context: &Context, place: &Place, rendered: &RenderedTenant, settings: &Value) {
    let record = Record::of(rendered, settings);
    if let Err(error) = keep(&place.cloud.s3(REGION), place.bucket.name(), &record).await {
        context.sink.emit(&Event::Warning {
            tenant: Some(rendered.tenant.clone()),
            message: format!("it is deployed, but its settings are not recorded: {error}"),
            help: Some(
                "`generator policy check --deployed` cannot judge them; deploy again to record them".into(),
            ),
        });
    }
}
