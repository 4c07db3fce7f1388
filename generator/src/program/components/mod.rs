//! Components: one file for the typed arguments and outputs, one template of the same name for the shape.

mod content_bucket;
mod distribution;
mod given;
mod identity_pool;
mod page;
mod signer;
mod signer_config;
mod signing_keyring;
mod upload_limit;
mod user_pool;
mod user_pool_clients;

pub use self::content_bucket::{ContentBucket, ContentBucketOutputs};
pub use self::distribution::{Distribution, DistributionOutputs};
pub use self::given::Given;
pub use self::identity_pool::IdentityPool;
pub use self::signer::{Signer, SignerOutputs};
pub use self::signer_config::SignerConfig;
pub use self::signing_keyring::{SigningKeyring, SigningKeyringOutputs};
pub use self::user_pool::{UserPool, UserPoolOutputs};
