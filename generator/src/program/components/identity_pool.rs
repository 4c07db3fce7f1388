//! AWS credentials for signed-in users, to upload with.

use serde::Serialize;

use super::content_bucket::ContentBucketOutputs;
use super::user_pool::UserPoolOutputs;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::UploadMode;

/// Identity pool and the role of its users. Nothing at all where uploads are off.
#[derive(Debug, Serialize)]
pub struct IdentityPool<'a> {
    name: &'a str,
    uploads: Setting<bool>,
    own_folder: Setting<bool>,
    provider: &'a Output<kind::UserPoolProvider>,
    client: &'a Output<kind::UserPoolClientId>,
    bucket_arn: &'a Output<kind::BucketArn>,
}

impl<'a> IdentityPool<'a> {
    /// The identity pool of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant, pool: &'a UserPoolOutputs, bucket: &'a ContentBucketOutputs) -> Self {
        let mode = &tenant.settings.uploads.mode;
        Self {
            name: tenant.names.prefix(),
            uploads: mode.derive(|mode| *mode != UploadMode::Off),
            own_folder: mode.derive(|mode| *mode == UploadMode::OwnFolder),
            provider: &pool.provider,
            client: &pool.client,
            bucket_arn: &bucket.arn,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<(), ProgramError> {
        if *self.uploads { stack.add("identity_pool", self) } else { Ok(()) }
    }
}
