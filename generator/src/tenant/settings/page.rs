//! `page`: static files of one's own under the tenant's host, for everybody.

use crate::tenant::declare::section;
use crate::tenant::decode::Setting;
use crate::tenant::values::{PageFolder, PageRoot};

section! {
    /// A page of static files, such as the one that signs users in, which `generator deploy` puts into the bucket
    /// and everybody may read.
    pub struct Page {
        /// Folder with its files, from the project's root; no page where left out. `config.json` is written by
        /// `generator` itself: what the page must know of the tenant.
        pub folder: Setting<Option<PageFolder>>,
        /// Path that it lies under. Everything below it is the page's, and nobody but `generator` may write there.
        pub path: Setting<PageRoot>,
    }
}

impl Page {
    /// What everybody may read where there is a page, as CloudFront writes it.
    #[must_use]
    pub fn pattern(&self) -> Setting<String> {
        self.path.derive(|path| format!("{path}*"))
    }

    /// What the keys of its files begin with.
    #[must_use]
    pub fn prefix(&self) -> Setting<String> {
        self.path.derive(|path| path.as_str().trim_start_matches('/').to_owned())
    }
}
