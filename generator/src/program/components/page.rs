//! What templates need to know of the tenant's page.

use serde::Serialize;

use crate::tenant::decode::Setting;
use crate::tenant::settings::Page;
use crate::tenant::values::{PageFolder, PageRoot};

/// The page of a tenant, for templates: it is there where `folder` is.
#[derive(Debug, Serialize)]
pub(super) struct PageArguments<'a> {
    folder: &'a Setting<Option<PageFolder>>,
    path: &'a Setting<PageRoot>,
    /// What everybody may read, as a pattern of paths.
    pattern: Setting<String>,
    /// What the keys of its files begin with.
    prefix: Setting<String>,
}

impl<'a> PageArguments<'a> {
    pub(super) fn new(page: &'a Page) -> Self {
        Self { folder: &page.folder, path: &page.path, pattern: page.pattern(), prefix: page.prefix() }
    }
}
