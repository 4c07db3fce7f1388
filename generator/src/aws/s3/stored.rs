//! Everything that lies in a bucket, with its age.

use super::{ObjectVersion, S3, SERVICE};
use crate::aws::{AwsError, AwsErrorKind};

/// One version of an object, or the marker of its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// Which.
    pub object: ObjectVersion,
    /// When it was written, in seconds since the epoch.
    pub written: i64,
    /// Its size in bytes; 0 for a marker.
    pub bytes: u64,
}

impl S3 {
    /// Every version of every object of a bucket; nothing where there is no bucket.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn stored(&self, bucket: &str) -> Result<Vec<StoredVersion>, AwsError> {
        let mut all = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let call = self.client.list_object_versions().bucket(bucket);
            let page = call.set_key_marker(key).set_version_id_marker(version).send().await;
            let page = match page.map_err(|error| AwsError::of(SERVICE, "ListObjectVersions", &error)) {
                Ok(page) => page,
                Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(all),
                Err(error) => return Err(error),
            };
            let versions = page.versions().iter().map(|found| {
                let size = found.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                (found.key(), found.version_id(), found.last_modified(), size)
            });
            let markers = page
                .delete_markers()
                .iter()
                .map(|found| (found.key(), found.version_id(), found.last_modified(), 0));
            all.extend(versions.chain(markers).filter_map(|(key, version, written, bytes)| {
                let object = ObjectVersion { key: key?.into(), version: version.unwrap_or("null").into() };
                Some(StoredVersion { object, written: written?.secs(), bytes })
            }));
            if page.is_truncated() != Some(true) {
                return Ok(all);
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
        }
    }
}
