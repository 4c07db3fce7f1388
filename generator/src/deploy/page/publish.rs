//! Writing a page into the bucket, and taking it out again.

use std::collections::BTreeMap;

use super::compare::{Comparison, Place};
use super::folder::PageFile;
use super::manifest::{Entry, Manifest};
use super::{Outputs, Page, flat, missing, prefix_of};
use crate::aws::Peers;
use crate::aws::s3::{Files, NewFile};
use crate::deploy::error::Doing;
use crate::deploy::{Context, DeployError};
use crate::plan::PageChange;
use crate::report::Event;

/// Brings the bucket to the page's files; only what has changed is written. The stacks must stand.
pub(in crate::deploy) async fn publish(
    context: &Context,
    peers: &dyn Peers,
    page: &Page<'_>,
    outputs: &Outputs,
) -> Result<PageChange, DeployError> {
    let known = flat(outputs);
    let tenant = page.tenant;
    let Some(compared) = page.compare(peers, &known).await? else {
        return Err(DeployError::Page {
            tenant: tenant.to_owned(),
            reason: "the regional stack has no output `ContentBucketName`".into(),
            help: format!("run `generator deploy --tenant {tenant}` again"),
        });
    };
    let check = page.check(&compared);
    if check.failure().is_some() {
        return Err(DeployError::Hindered { tenant: tenant.to_owned(), checks: vec![check] });
    }
    let files = peers.files(&page.rendered.region);
    let place = Place { files: &*files, bucket: &compared.bucket, prefix: page.prefix() };
    let change = PageChange {
        path: page.rendered.path.clone(),
        digest: page.digest(),
        written: compared.write.clone(),
        removed: compared.remove.clone(),
        unchanged: compared.same,
    };
    if change.is_change() || compared.is_stale {
        write(place, &compared).await?;
    }
    context.emit(&Event::PageDone {
        tenant: tenant.to_owned(),
        path: change.path.clone(),
        written: change.written.len(),
        removed: change.removed.len(),
        unchanged: change.unchanged,
    });
    let lacks = missing(page.rendered, outputs);
    if !lacks.is_empty() {
        context.emit(&Event::Warning {
            tenant: Some(tenant.to_owned()),
            message: format!("nobody can sign in or upload on the page yet: the tenant's file lacks {}", {
                lacks.join(", ")
            }),
            help: Some(
                "add what is missing and deploy again; a page that does neither needs none of it".into(),
            ),
        });
    }
    Ok(change)
}

/// Writes and deletes. The list comes first, so that a run that is cut off knows its own files again.
async fn write(place: Place<'_>, compared: &Comparison) -> Result<(), DeployError> {
    let mut entries = compared.known.clone();
    for key in &compared.write {
        let digest = compared.objects.get(key).map(PageFile::digest).unwrap_or_default();
        entries.insert(key.clone(), Entry { digest, tag: None });
    }
    put_list(place, &entries).await?;
    for key in &compared.write {
        let Some(file) = compared.objects.get(key) else { continue };
        let tag = put(place, key, file).await?;
        if let Some(entry) = entries.get_mut(key) {
            entry.tag = Some(tag);
        }
    }
    for key in &compared.remove {
        delete(place, key).await?;
        entries.remove(key);
    }
    put_list(place, &entries).await
}

async fn put(place: Place<'_>, key: &str, file: &PageFile) -> Result<String, DeployError> {
    let bucket = place.bucket;
    let new = NewFile { bytes: &file.bytes, media_type: file.media_type, cache_control: file.cache_control };
    let tag = place.files.write_file(bucket, key, new).await;
    tag.doing(|| format!("writing `{key}` into bucket `{bucket}`"))
}

async fn put_list(place: Place<'_>, entries: &BTreeMap<String, Entry>) -> Result<(), DeployError> {
    let file = PageFile::new(&place.list(), Manifest::new(entries.clone()).bytes());
    put(place, &place.list(), &file).await.map(|_| ())
}

async fn delete(place: Place<'_>, key: &str) -> Result<(), DeployError> {
    let bucket = place.bucket;
    place.files.delete_file(bucket, key).await.doing(|| format!("deleting `{key}` of bucket `{bucket}`"))
}

/// Takes the page that lay under a path out of the bucket: its own files, and nothing else that lies there. The
/// answer is how many files were deleted.
pub(in crate::deploy) async fn withdraw(
    files: &dyn Files,
    bucket: &str,
    path: &str,
) -> Result<usize, DeployError> {
    let place = Place { files, bucket, prefix: prefix_of(path) };
    let compared = place.compare(BTreeMap::new()).await?;
    if compared.known.is_empty() && !compared.is_stale {
        return Ok(0);
    }
    for key in &compared.remove {
        delete(place, key).await?;
    }
    delete(place, &place.list()).await?;
    Ok(compared.remove.len())
}
