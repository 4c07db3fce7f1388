//! AWS credentials for signed-in users, to upload with.

use serde::Serialize;

use super::content_bucket::ContentBucketOutputs;
use super::given::Given;
use super::page::PageArguments;
use super::user_pool::UserPoolOutputs;
use crate::program::output::kind;
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::UploadMode;
use crate::tenant::values::KmsKeyArn;

/// Identity pool and the role of its users. Nothing at all where uploads are off.
#[derive(Debug, Serialize)]
pub struct IdentityPool<'a> {
    name: &'a str,
    uploads: Setting<bool>,
    own_folder: Setting<bool>,
    providers: Vec<Provider<'a>>,
    bucket_arn: &'a Given<kind::BucketArn>,
    kms_key_arn: &'a Setting<Option<KmsKeyArn>>,
    page: PageArguments<'a>,
}

#[derive(Debug, Serialize)]
struct Provider<'a> {
    name: &'a Given<kind::UserPoolProvider>,
    client: &'a Given<kind::UserPoolClientId>,
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
            providers: pool.clients.iter().map(|client| Provider { name: &pool.provider, client }).collect(),
            bucket_arn: &bucket.arn,
            kms_key_arn: &tenant.settings.bucket.kms_key_arn,
            page: PageArguments::new(&tenant.settings.page),
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
