//! One packaging run at a time for an output folder.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{PackageError, Progress};

/// Longest wait for another run: several times a cold build on two slow cores.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
const POLL: Duration = Duration::from_millis(200);

/// Holds the output folder until it is dropped, or until the process ends in any way.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Waits for the folder.
    ///
    /// # Errors
    /// [`PackageError::Locked`] after half an hour.
    pub(super) async fn take(out_dir: &Path, progress: &mut Progress<'_>) -> Result<Self, PackageError> {
        Self::take_within(out_dir, DEADLINE, progress).await
    }

    async fn take_within(
        out_dir: &Path,
        deadline: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<Self, PackageError> {
        let path = out_dir.join("package.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(PackageError::file("open", &path))?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(FolderLock { _file: file }),
                Err(TryLockError::Error(source)) => return Err(PackageError::file("lock", path)(source)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= deadline => {
                    return Err(PackageError::Locked { path, waited_seconds: started.elapsed().as_secs() });
                }
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        progress("waiting for another packaging run");
                        told = true;
                    }
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_run_waits_and_then_says_for_what() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = FolderLock::take(folder.path(), &mut |_| ()).await.expect("free");
        let mut seen = Vec::new();
        let error =
            FolderLock::take_within(folder.path(), Duration::ZERO, &mut |_| ()).await.expect_err("held");
        assert!(error.to_string().contains("package.lock"), "{error}");
        let wait = Duration::from_millis(1);
        FolderLock::take_within(folder.path(), wait, &mut |line| seen.push(line.to_owned()))
            .await
            .expect_err("held");
        assert_eq!(seen, ["waiting for another packaging run"]);
        drop(first);
        FolderLock::take(folder.path(), &mut |_| ()).await.expect("free again");
    }
}
