//! `bucket`: where the media are kept, and for how long.

use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{BucketName, Days, KmsKeyArn};

section! {
    /// The bucket that holds the media.
    pub struct Bucket {
        /// A bucket of yours in the tenant's region, instead of a new one. Its bucket policy becomes the
        /// tenant's; everything else about it stays as it is.
        pub existing_name: Setting<Option<BucketName>>,
        /// KMS key that encrypts the media, in the tenant's region; S3's own keys where left out. The key's
        /// policy must let CloudFront decrypt with it.
        pub kms_key_arn: Setting<Option<KmsKeyArn>>,
        /// Whether overwritten and deleted objects are kept for a while.
        pub versioning: Setting<Versioning>,
        /// Days for which an overwritten or deleted object can be brought back.
        pub noncurrent_days: Setting<Days<1, 3650>>,
        /// What becomes of objects as they age.
        pub lifecycle: Lifecycle,
    }
}

choice! {
    /// Whether overwritten and deleted objects are kept for a while.
    pub enum Versioning {
        /// They are.
        On = "on",
        /// They are not; versions that exist stay until they expire.
        Suspended = "suspended",
    }
}

section! {
    /// What becomes of objects as they age.
    pub struct Lifecycle {
        /// Age at which an object moves to the storage class for infrequent access; never where left out.
        pub infrequent_access_days: Setting<Option<Days<30, 3650>>>,
        /// Age at which an object is deleted; never where left out.
        pub expire_days: Setting<Option<Days<1, 3650>>>,
        /// Age at which an upload in parts that was never finished is dropped.
        pub abort_upload_days: Setting<Days<1, 365>>,
    }
}
