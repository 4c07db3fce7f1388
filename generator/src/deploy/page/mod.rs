//! The page of a tenant: static files below a path that everybody may read, in the bucket of the media.
//!
//! Only objects that a list beside the files names are ever overwritten or deleted, and the page is not opened over
//! objects that are not its own: they would be read by everybody.

mod compare;
mod folder;
mod manifest;
mod publish;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error as _;

use self::compare::Comparison;
use self::folder::Folder;
use self::publish::{publish, withdraw};
use super::destroy::{Destroyed, PagePlace, Remaining, Thing};
use super::{Check, Context, DeployError, Verdict};
use crate::aws::Peers;
use crate::plan::PageChange;
use crate::render::{RenderedPage, RenderedTenant, StackId, page_config};
use crate::report::Event;

/// The file that this tool writes: what the page must know of the tenant.
pub(super) const CONFIG: &str = "config.json";
/// Output with the path of the page.
const PATH_OUTPUT: &str = "PagePath";
/// Output with the name of the bucket.
const BUCKET_OUTPUT: &str = "ContentBucketName";

/// Outputs of each stack.
pub(super) type Outputs = BTreeMap<StackId, BTreeMap<String, String>>;

/// The page of a tenant with its files, read before anything is written.
#[derive(Debug)]
pub(super) struct Page<'a> {
    tenant: &'a str,
    rendered: &'a RenderedPage,
    folder: Folder,
}

impl<'a> Page<'a> {
    /// The page of a tenant, if it has one.
    pub(super) fn read(context: &Context, tenant: &'a RenderedTenant) -> Result<Option<Self>, DeployError> {
        let Some(rendered) = &tenant.page else { return Ok(None) };
        let folder = Folder::read(&context.settings.root, &tenant.tenant, rendered)?;
        Ok(Some(Self { tenant: &tenant.tenant, rendered, folder }))
    }

    /// Digest of its files, to know them again.
    pub(super) fn digest(&self) -> String {
        self.folder.digest()
    }

    fn prefix(&self) -> &str {
        prefix_of(&self.rendered.path)
    }

    /// Its objects, as far as the outputs are known.
    fn objects(&self, outputs: &BTreeMap<String, String>) -> BTreeMap<String, folder::PageFile> {
        let config = page_config(self.tenant, self.rendered, outputs);
        self.folder.objects(self.prefix(), config.map(|config| format!("{config:#}\n").into_bytes()))
    }

    async fn compare(
        &self,
        peers: &dyn Peers,
        outputs: &BTreeMap<String, String>,
    ) -> Result<Option<Comparison>, DeployError> {
        let Some(bucket) = outputs.get(BUCKET_OUTPUT) else { return Ok(None) };
        let files = peers.files(&self.rendered.region);
        let place = compare::Place { files: &*files, bucket, prefix: self.prefix() };
        place.compare(self.objects(outputs)).await.map(Some)
    }

    /// What deploying would do to the page, as the bucket stands now, and whether it may.
    pub(super) async fn preview(
        &self,
        peers: &dyn Peers,
        outputs: &Outputs,
    ) -> Result<(PageChange, Option<Check>), DeployError> {
        let outputs = flat(outputs);
        let mut change = PageChange {
            path: self.rendered.path.clone(),
            digest: self.digest(),
            written: Vec::new(),
            removed: Vec::new(),
            unchanged: 0,
        };
        let Some(compared) = self.compare(peers, &outputs).await? else {
            // There is no bucket yet, and its settings are not known before the stacks stand.
            change.written = self.objects(&outputs).into_keys().collect();
            change.written.push(format!("{}{CONFIG}", self.prefix()));
            change.written.sort();
            change.written.dedup();
            return Ok((change, None));
        };
        change.written.clone_from(&compared.write);
        change.removed.clone_from(&compared.remove);
        change.unchanged = compared.same;
        Ok((change, Some(self.check(&compared))))
    }

    /// Whether only objects of the page lie below its path.
    fn check(&self, compared: &Comparison) -> Check {
        let path = &self.rendered.path;
        let verdict = match compared.foreign.as_slice() {
            [] => Verdict::Passed,
            [first, rest @ ..] => Verdict::Failed {
                reason: format!(
                    "`{first}`{} of bucket `{}` would be read by everybody: it lies below the page's path `{path}`, and is \
                     not the page's",
                    match rest.len() {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    },
                    compared.bucket
                ),
                help:
                    "move or delete what lies there, or let the page lie under another path with `page.path`"
                        .into(),
            },
        };
        Check { check: "page", subject: path.clone(), verdict }
    }
}

/// What stands in the way of a page, looked at before the first write.
pub(super) async fn check(
    page: Option<&Page<'_>>,
    peers: &dyn Peers,
    outputs: &Outputs,
) -> Result<Option<Check>, DeployError> {
    let Some(page) = page else { return Ok(None) };
    let compared = page.compare(peers, &flat(outputs)).await?;
    Ok(compared.map(|compared| page.check(&compared)))
}

/// The page that the stacks' outputs tell of.
pub(super) fn standing(outputs: &Outputs) -> Option<PagePlace> {
    let outputs = flat(outputs);
    let get = |output: &str| outputs.get(output).cloned();
    Some(PagePlace { path: get(PATH_OUTPUT)?, bucket: get(BUCKET_OUTPUT)? })
}

/// When the stacks stand: the page's files are written, and those of a page that was there `before` under another
/// path are taken out.
pub(super) async fn settle(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    page: Option<&Page<'_>>,
    before: Option<PagePlace>,
    outputs: &Outputs,
) -> Result<Option<PageChange>, DeployError> {
    let change = match page {
        Some(page) => Some(publish(context, peers, page, outputs).await?),
        None => None,
    };
    let Some(before) =
        before.filter(|before| change.as_ref().is_none_or(|change| change.path != before.path))
    else {
        return Ok(change);
    };
    let removed = withdraw(&*peers.files(home(tenant)), &before.bucket, &before.path).await?;
    if removed > 0 {
        let (tenant, path) = (tenant.tenant.clone(), before.path);
        context.emit(&Event::PageDone { tenant, path, written: 0, removed, unchanged: 0 });
    }
    Ok(change)
}

/// The page whose files may lie in the bucket when the stacks are gone: the one that they told of, or else that of the
/// tenant's file.
pub(super) fn leftover(outputs: &BTreeMap<String, String>, own: Option<&PagePlace>) -> Option<PagePlace> {
    let path = outputs.get(PATH_OUTPUT).or(own.map(|own| &own.path))?.clone();
    let bucket = outputs.get(BUCKET_OUTPUT).or(own.map(|own| &own.bucket))?.clone();
    Some(PagePlace { path, bucket })
}

/// Takes a page out of a bucket that stays; `None`: nothing of it lies there.
pub(super) async fn retire(
    peers: &dyn Peers,
    tenant: &str,
    region: &str,
    page: &PagePlace,
) -> Option<Destroyed> {
    let name = format!("{}/{}", page.bucket, prefix_of(&page.path));
    let thing = Thing { kind: "page".into(), name, region: region.to_owned() };
    match withdraw(&*peers.files(region), &page.bucket, &page.path).await {
        Ok(0) => None,
        Ok(_) => Some(Destroyed::Removed(thing)),
        Err(error) => {
            let help = format!("run `generator destroy --tenant {tenant}` again");
            let reason =
                error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            Some(Destroyed::Remaining(Remaining { thing, reason, help }))
        }
    }
}

/// Region of the bucket.
fn home(tenant: &RenderedTenant) -> &str {
    tenant.stack(StackId::Regional).map_or("", |stack| stack.region.as_str())
}

/// What of the tenant's file would keep people from signing in on the page, or from uploading: told, as a page need
/// do neither.
pub(super) fn missing(page: &RenderedPage, outputs: &Outputs) -> Vec<String> {
    let outputs = flat(outputs);
    let Some(host) = outputs.get("Host") else { return Vec::new() };
    let (origin, url) = (format!("https://{host}"), format!("https://{host}{}", page.path));
    let allowed = &page.allowed;
    let lists = [
        ("sign_in.callback_urls", &url, Some(&allowed.callbacks)),
        ("sign_in.logout_urls", &url, Some(&allowed.logouts)),
        ("cors.origins", &origin, allowed.origins.as_ref()),
    ];
    let lacks = lists.into_iter().filter(|(_, wanted, list)| list.is_some_and(|list| !list.contains(wanted)));
    lacks.map(|(setting, wanted, _)| format!("`{wanted}` in `{setting}`")).collect()
}

/// What the keys of a page begin with.
fn prefix_of(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn flat(outputs: &Outputs) -> BTreeMap<String, String> {
    outputs.values().flat_map(Clone::clone).collect()
}
