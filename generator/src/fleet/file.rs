//! A journal in a local file, which the process that works on the run keeps locked.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::store::{JournalError, Store, whole_lines};
use crate::aws::Boxed;

/// A file. The lock goes with the process, however that ends.
#[derive(Debug)]
pub struct FileStore {
    file: Arc<File>,
    place: String,
}

impl FileStore {
    /// A new journal.
    ///
    /// # Errors
    /// Where there is one, or it cannot be made.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let place = path.display().to_string();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| broken("write", &place, &error))?;
        }
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => JournalError::Exists(place.clone()),
            _ => broken("write", &place, &error),
        })?;
        lock(&file, &place)?;
        Ok(Self { file: Arc::new(file), place })
    }

    /// The journal of a run that was started before, and its lines. A last line that was cut off is removed.
    ///
    /// # Errors
    /// Where there is none, it cannot be read, or another process works on it.
    pub fn open(path: &Path) -> Result<(Self, String), JournalError> {
        let place = path.display().to_string();
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => JournalError::Missing(place.clone()),
            _ => broken("read", &place, &error),
        })?;
        lock(&file, &place)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| broken("read", &place, &error))?;
        // A character may have been cut off as well.
        let text = String::from_utf8_lossy(&bytes);
        let whole = whole_lines(&text).to_owned();
        let keep = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
        if keep < bytes.len() as u64 {
            file.set_len(keep).map_err(|error| broken("write", &place, &error))?;
            file.seek(SeekFrom::End(0)).map_err(|error| broken("write", &place, &error))?;
        }
        Ok((Self { file: Arc::new(file), place }, whole))
    }
}

impl Store for FileStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(40)
    }

    fn append<'a>(&'a mut self, lines: &'a str) -> Boxed<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let (file, bytes) = (Arc::clone(&self.file), lines.as_bytes().to_vec());
            let written = tokio::task::spawn_blocking(move || {
                (&*file).write_all(&bytes)?;
                file.sync_data()
            });
            match written.await {
                Ok(result) => result.map_err(|error| broken("write", &self.place, &error)),
                Err(error) => Err(broken("write", &self.place, &error)),
            }
        })
    }
}

fn lock(file: &File, place: &str) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Taken(place.to_owned())),
        Err(TryLockError::Error(error)) => Err(broken("write", place, &error)),
    }
}

fn broken(doing: &'static str, place: &str, error: &dyn std::fmt::Display) -> JournalError {
    JournalError::File { doing, place: place.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_and_a_torn_one_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs/one.jsonl");
        let mut store = FileStore::create(&path).expect("a journal");
        store.append("a\nb\n").await.expect("written");
        assert!(matches!(FileStore::create(&path), Err(JournalError::Exists(_))));
        drop(store);

        let mut torn = OpenOptions::new().append(true).open(&path).expect("the file");
        torn.write_all("half a lin\u{e9}".as_bytes().split_last().expect("bytes").1).expect("written");
        drop(torn);
        let (mut store, lines) = FileStore::open(&path).expect("the journal");
        assert_eq!(lines, "a\nb\n");
        store.append("c\n").await.expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), "a\nb\nc\n");
    }

    #[tokio::test]
    async fn one_process_at_a_time_works_on_a_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.jsonl");
        let first = FileStore::create(&path).expect("a journal");
        assert!(matches!(FileStore::open(&path), Err(JournalError::Taken(_))));
        drop(first);
        assert!(FileStore::open(&path).is_ok());
        assert!(matches!(FileStore::open(&folder.path().join("two.jsonl")), Err(JournalError::Missing(_))));
    }
}
