//! `destroy`: what may be removed with a tenant.

use crate::tenant::collections::List;
use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;

section! {
    /// What `generator destroy` may remove.
    pub struct Destroy {
        /// Data that may be deleted where `--delete-data` names it; what is not listed is refused. What was
        /// brought along is never removed.
        pub may_remove: Setting<List<Removable, 0, 2>>,
    }
}

choice! {
    /// Something that holds data.
    pub enum Removable {
        /// The bucket with all media.
        Bucket = "bucket",
        /// The user pool with all users.
        UserPool = "user_pool",
    }
}

impl Removable {
    /// Logical id of the resource, which `--delete-data` takes.
    #[must_use]
    pub fn logical_id(self) -> &'static str {
        match self {
            Self::Bucket => "ContentBucket",
            Self::UserPool => "UserPool",
        }
    }
}
