//! Rules of `bucket` and `uploads`.

use super::{conflict, same_file};
use crate::tenant::decode::Setting;
use crate::tenant::problem::Problem;
use crate::tenant::settings::{Method, Settings, UploadMode};

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let (bucket, uploads) = (&settings.bucket, &settings.uploads);
    if let Some(arn) = bucket.kms_key_arn.as_ref()
        && arn.region() != settings.region.as_str()
    {
        let message =
            format!("the key stands in `{}`, and S3 takes keys of the bucket's region", arn.region());
        problems.push(
            conflict(bucket.kms_key_arn.place, message, "use a key of the tenant's region")
                .related(settings.region.place, "the tenant's region"),
        );
    }
    let lifecycle = &bucket.lifecycle;
    if let (Some(moved), Some(gone)) =
        (lifecycle.infrequent_access_days.as_ref(), lifecycle.expire_days.as_ref())
        && moved.get() >= gone.get()
    {
        let message = "objects would be moved when they are gone already";
        let help = "move them before they expire, or leave one of the two out";
        problems.push(
            conflict(lifecycle.infrequent_access_days.place, message, help)
                .related(lifecycle.expire_days.place, "they are deleted here"),
        );
    }
    if bucket.existing_name.is_some() {
        let existing = &bucket.existing_name;
        reach_nothing(existing, &bucket.versioning, problems);
        reach_nothing(existing, &bucket.noncurrent_days, problems);
        reach_nothing(existing, &lifecycle.infrequent_access_days, problems);
        reach_nothing(existing, &lifecycle.expire_days, problems);
        reach_nothing(existing, &lifecycle.abort_upload_days, problems);
        if uploads.limit_megabytes.is_some() {
            let message = "`uploads.limit_megabytes` needs a bucket that reports arrivals, and an existing one is left as it is";
            problems.push(
                conflict(uploads.limit_megabytes.place, message, "leave the limit out")
                    .related(existing.place, "the bucket is brought here"),
            );
        }
    }
    if *uploads.mode == UploadMode::Off {
        if uploads.limit_megabytes.is_some() {
            let message = "`uploads.limit_megabytes` is of no use while nobody may upload";
            problems.push(
                conflict(uploads.limit_megabytes.place, message, "leave it out, or let users upload")
                    .related(uploads.mode.place, "uploads are off"),
            );
        }
        let writes = |method: &&Method| !matches!(method, Method::Head | Method::Get);
        let methods = settings.cors.methods.as_ref().map(|methods| methods.iter().filter(writes));
        for method in methods.into_iter().flatten() {
            let message = format!("`cors.methods` has `{method}`, and nobody may upload");
            problems.push(
                conflict(settings.cors.methods.place, message, "keep `HEAD` and `GET`")
                    .related(uploads.mode.place, "uploads are off"),
            );
        }
    }
}

/// Refuses a setting for a new bucket that one person wrote beside an existing one.
fn reach_nothing<A, B>(existing: &Setting<A>, setting: &Setting<B>, problems: &mut Vec<Problem>) {
    if setting.is_written && same_file(existing, setting) {
        let message = format!("`{}` does not reach an existing bucket", setting.path);
        problems.push(
            conflict(setting.place, message, "take it out, and set it on the bucket itself")
                .related(existing.place, "the bucket is brought here"),
        );
    }
}
