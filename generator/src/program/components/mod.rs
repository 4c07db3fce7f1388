//! Components: one file for the typed arguments and outputs, one template of the same name for the shape.

mod content_bucket;
mod distribution;
mod identity_pool;
mod signer;
mod signer_config;
mod signing_keyring;
mod user_pool;

pub use self::content_bucket::{ContentBucket, ContentBucketOutputs};
pub use self::distribution::{Distribution, DistributionOutputs};
pub use self::identity_pool::IdentityPool;
pub use self::signer::{Signer, SignerOutputs};
pub use self::signer_config::SignerConfig;
pub use self::signing_keyring::{SigningKeyring, SigningKeyringOutputs};
pub use self::user_pool::{UserPool, UserPoolOutputs};
