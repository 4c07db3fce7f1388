//! `uploads`: what signed-in users may put into the bucket.

use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::Megabytes;

section! {
    /// Uploads by signed-in users.
    pub struct Uploads {
        /// Who may put what where.
        pub mode: Setting<UploadMode>,
        /// Largest object that stays. A larger one is deleted within seconds of its arrival, as no policy of
        /// AWS can refuse an upload by its size; no limit where left out.
        pub limit_megabytes: Setting<Option<Megabytes<1, 5_000_000>>>,
    }
}

choice! {
    /// Who may put what where.
    pub enum UploadMode {
        /// Nobody: there is no identity pool.
        Off = "off",
        /// Every signed-in user within a folder of its own.
        OwnFolder = "own-folder",
        /// Every signed-in user in the whole bucket.
        Shared = "shared",
    }
}
