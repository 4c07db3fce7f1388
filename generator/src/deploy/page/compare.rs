//! The page as it should be against what lies in the bucket. Reads only.

use std::collections::BTreeMap;

use super::folder::PageFile;
use super::manifest::{Entry, Manifest, NAME};
use crate::aws::s3::{Files, Listed};
use crate::deploy::DeployError;
use crate::deploy::error::Doing;

/// Where a page lies.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
}

/// What would have to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) bucket: String,
    /// The page as it should be, by key.
    pub(super) objects: BTreeMap<String, PageFile>,
    /// Keys to write, in order: what documents name comes before the documents.
    pub(super) write: Vec<String>,
    /// Keys of files that are no longer the page's.
    pub(super) remove: Vec<String>,
    /// Number of objects that are as they should be.
    pub(super) same: usize,
    /// Keys of what lies below the path and is not the page's.
    pub(super) foreign: Vec<String>,
    /// What is known of the page's objects in the bucket.
    pub(super) known: BTreeMap<String, Entry>,
    /// Whether the list names what is gone, or what is not written yet.
    pub(super) is_stale: bool,
}

impl Place<'_> {
    /// Key of the list of the page's files.
    pub(super) fn list(&self) -> String {
        format!("{}{NAME}", self.prefix)
    }

    /// Reads what lies in the bucket and holds `objects` against it.
    pub(super) async fn compare(
        &self,
        objects: BTreeMap<String, PageFile>,
    ) -> Result<Comparison, DeployError> {
        let (bucket, prefix) = (self.bucket, self.prefix);
        let list = self.list();
        let listed = self.files.below(bucket, prefix).await;
        let listed = listed.doing(|| format!("listing `{prefix}` of bucket `{bucket}`"))?;
        let manifest = match listed.iter().any(|object| object.key == list) {
            true => self.manifest().await?,
            false => Manifest::new(BTreeMap::new()),
        };
        let listed = listed.into_iter().filter(|object| object.key != list).collect();
        Ok(compared(bucket, objects, listed, manifest.files))
    }

    async fn manifest(&self) -> Result<Manifest, DeployError> {
        let (bucket, list) = (self.bucket, self.list());
        let bytes = self.files.read_file(bucket, &list).await;
        let bytes = bytes.doing(|| format!("reading `{list}` of bucket `{bucket}`"))?;
        Manifest::read(&bytes.unwrap_or_else(|| Manifest::new(BTreeMap::new()).bytes())).map_err(|reason| {
            DeployError::Page {
                tenant: bucket.to_owned(),
                reason: format!("`{list}` is no list of a page's files: {reason}"),
                help: "delete it and what lies beside it, or let the page lie under another path".into(),
            }
        })
    }
}

fn compared(
    bucket: &str,
    objects: BTreeMap<String, PageFile>,
    listed: Vec<Listed>,
    mut known: BTreeMap<String, Entry>,
) -> Comparison {
    let there: BTreeMap<String, String> = listed.into_iter().map(|object| (object.key, object.tag)).collect();
    let before = known.len();
    known.retain(|key, _| there.contains_key(key));
    // Somebody else has written over it since, under a name that is no longer the page's.
    let taken = |key: &String, tag: &String| {
        known.get(key).is_none_or(|entry| {
            !objects.contains_key(key) && entry.tag.as_ref().is_some_and(|written| written != tag)
        })
    };
    let foreign: Vec<String> =
        there.iter().filter(|(key, tag)| taken(key, tag)).map(|(key, _)| key.clone()).collect();
    let as_it_should_be = |key: &String, file: &PageFile| {
        known.get(key).is_some_and(|entry| {
            entry.digest == file.digest() && entry.tag.is_some() && entry.tag.as_ref() == there.get(key)
        })
    };
    let (same, mut write): (Vec<_>, Vec<_>) =
        objects.iter().partition(|(key, file)| as_it_should_be(key, file));
    write.sort_by_key(|(_, file)| file.is_document());
    let write = write.into_iter().map(|(key, _)| key.clone()).collect();
    let remove = known.keys().filter(|key| !objects.contains_key(*key) && !foreign.contains(key));
    Comparison {
        bucket: bucket.to_owned(),
        write,
        remove: remove.cloned().collect(),
        same: same.len(),
        foreign,
        is_stale: known.len() != before || known.values().any(|entry| entry.tag.is_none()),
        objects,
        known,
    }
}
