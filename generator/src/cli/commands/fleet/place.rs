//! Where journals are kept: a folder, or a bucket.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::aws::Cloud;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::fleet::{FileStore, Header, Journal, JournalError, ObjectStore, Store};

/// Where journals are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::commands) enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// Objects of a bucket. Its name, and what the keys begin with.
    Bucket { bucket: String, prefix: String },
}

impl Place {
    /// Reads a path, relative to `here`, or `s3://bucket/prefix`.
    pub(in crate::cli::commands) fn read(text: &str, here: &Path) -> Result<Self, Failure> {
        let Some(rest) = text.strip_prefix("s3://") else { return Ok(Self::Folder(here.join(text))) };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("`{text}` names no bucket"))
                .help("write it as `s3://bucket/prefix`"));
        }
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket { bucket: bucket.into(), prefix })
    }

    /// The folder, where it is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket { .. } => None,
        }
    }

    /// The journal of a new run.
    pub(in crate::cli::commands) async fn create(
        &self,
        context: &Context,
        cloud: &Cloud,
        header: Header,
    ) -> Result<Journal, Failure> {
        let store: Box<dyn Store> = match self {
            Self::Folder(folder) => Box::new(FileStore::create(&file(folder, &header.run))?),
            Self::Bucket { bucket, prefix } => {
                let key = format!("{prefix}{}.jsonl", header.run);
                Box::new(ObjectStore::create(Arc::new(s3(cloud, bucket).await?), bucket, &key))
            }
        };
        Ok(Journal::create(store, header, Arc::clone(&context.clock)).await?)
    }

    /// The journal of a run that was started before.
    pub(in crate::cli::commands) async fn open(
        &self,
        context: &Context,
        cloud: &Cloud,
        run: &str,
    ) -> Result<Journal, Failure> {
        if run.is_empty() || run.contains(['/', '\\']) {
            return Err(Failure::new(Exit::Usage, format!("`{run}` is no name of a run")));
        }
        let opened: Result<(Box<dyn Store>, String), JournalError> = match self {
            Self::Folder(folder) => {
                FileStore::open(&file(folder, run)).map(|(store, lines)| (Box::new(store) as _, lines))
            }
            Self::Bucket { bucket, prefix } => {
                let s3 = Arc::new(s3(cloud, bucket).await?);
                let opened = ObjectStore::open(s3, bucket, &format!("{prefix}{run}.jsonl")).await;
                opened.map(|(store, lines)| (Box::new(store) as _, lines))
            }
        };
        match opened.and_then(|(store, lines)| Journal::open(store, &lines, Arc::clone(&context.clock))) {
            Err(error @ JournalError::Missing(_)) => Err(Failure::from(error).help(self.known())),
            other => Ok(other?),
        }
    }

    /// The newest runs of a folder, as a hint.
    fn known(&self) -> String {
        let Self::Folder(folder) = self else {
            return "pass the `--journal` that the run was started with".into();
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut runs: Vec<(std::time::SystemTime, String)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let run = name.strip_suffix(".jsonl")?.to_owned();
                Some((entry.metadata().ok()?.modified().ok()?, run))
            })
            .collect();
        runs.sort();
        let newest: Vec<_> = runs.iter().rev().take(5).map(|(_, run)| format!("`{run}`")).collect();
        match newest.as_slice() {
            [] => {
                format!("no run is kept in `{}`; pass the `--journal` it was started with", folder.display())
            }
            runs => format!("the newest runs are {}", runs.join(", ")),
        }
    }
}

fn file(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.jsonl"))
}

async fn s3(cloud: &Cloud, bucket: &str) -> Result<crate::aws::s3::S3, Failure> {
    let region = cloud.s3("us-east-1").region_of(bucket).await?;
    Ok(cloud.s3(&region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_bucket() {
        let read = |text| Place::read(text, Path::new("/home/x"));
        assert_eq!(read("runs").expect("a place"), Place::Folder("/home/x/runs".into()));
        let bucket = |prefix: &str| Place::Bucket { bucket: "b".into(), prefix: prefix.into() };
        assert_eq!(read("s3://b").expect("a place"), bucket(""));
        assert_eq!(read("s3://b/a/c/").expect("a place"), bucket("a/c/"));
        assert!(read("s3:///a").is_err());
    }
}
