//! Where zips are written: one folder, or one for each set of inputs.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::PackageError;

/// Sets of inputs whose zips are kept. Older ones cost a build where a checkout goes back that far.
const KEPT: usize = 8;
/// Hexadecimal digits of the inputs' digest in a folder's name.
const NAMED_BY: usize = 16;

/// Where the zips of a run are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Into this folder, over what it held.
    Folder(PathBuf),
    /// Into a folder of their own below this one for each set of inputs, so that two checkouts that share it do not
    /// take the zips from each other. The newest few are kept.
    PerInputs(PathBuf),
}

impl Output {
    /// The folder that packaging runs take turns at.
    pub(super) fn root(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::PerInputs(folder) => folder,
        }
    }

    /// The folder for zips of these inputs; it is created.
    pub(super) fn folder(&self, inputs: &str) -> Result<PathBuf, PackageError> {
        match self {
            Self::Folder(folder) => super::created(folder),
            Self::PerInputs(root) => super::created(&root.join(&inputs[..NAMED_BY.min(inputs.len())])),
        }
    }

    /// Removes the zips of all but the newest sets of inputs. Call it with the root locked, after `folder` was
    /// written.
    pub(super) fn prune(&self, folder: &Path) -> Result<(), PackageError> {
        let Self::PerInputs(root) = self else { return Ok(()) };
        let unreadable = PackageError::file("list", root);
        let entries =
            std::fs::read_dir(root).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
        let mut others: Vec<(SystemTime, PathBuf)> = entries
            .iter()
            .map(std::fs::DirEntry::path)
            .filter(|path| path.is_dir() && path.file_name() != folder.file_name())
            .map(|path| {
                (path.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH), path)
            })
            .collect();
        others.sort();
        for (_, path) in others.iter().rev().skip(KEPT - 1) {
            std::fs::remove_dir_all(path).map_err(PackageError::file("remove", path))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_inputs_have_another_folder_and_the_newest_are_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let output = Output::PerInputs(root.path().into());
        let mut folders = Vec::new();
        for index in 0..KEPT + 2 {
            let folder =
                output.folder(&format!("{index:064x}").chars().rev().collect::<String>()).expect("made");
            // Files first and times afterwards: a folder's time is that of its last new file.
            std::fs::write(folder.join("signer.zip"), "x").expect("written");
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(index as u64 + 1);
            std::fs::File::open(&folder).and_then(|file| file.set_modified(time)).expect("set");
            folders.push(folder);
        }
        output.prune(&folders[0]).expect("pruned");
        let left: Vec<_> = folders.iter().map(|folder| folder.exists()).collect();
        // The one just written stays, however old; of the others the newest.
        let mut expected = vec![true; KEPT + 2];
        (expected[1], expected[2]) = (false, false);
        assert_eq!(left, expected);
    }

    #[test]
    fn a_folder_that_was_named_is_used_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Output::Folder(folder.path().join("zips"));
        let used = output.folder("abc").expect("made");
        assert!(used.ends_with("zips"), "{used:?}");
        output.prune(&used).expect("nothing to do");
        assert!(used.exists());
    }
}
