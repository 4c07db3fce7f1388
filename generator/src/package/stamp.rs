//! The stamp that remembers for which inputs the zips of an output folder were made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Artifact, PackageError, PackedArtifact, archive};

/// What the output folder remembers of its last complete run.
#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    inputs: String,
    /// SHA-256 of each zip in hexadecimal, by artifact name.
    zips: BTreeMap<String, String>,
}

fn stamp_path(out_dir: &Path) -> PathBuf {
    out_dir.join("package.json")
}

/// Notes that the zips of the output folder were made from these inputs.
pub(super) fn remember(out_dir: &Path, inputs: &str, packed: &[PackedArtifact]) -> Result<(), PackageError> {
    let zips = packed.iter().map(|one| (one.artifact.to_string(), one.sha256_hex.clone())).collect();
    let stamp = serde_json::json!(Stamp { inputs: inputs.to_owned(), zips });
    archive::write_atomically(&stamp_path(out_dir), format!("{stamp:#}\n").as_bytes())
}

/// The zips of the output folder, if they were made from these inputs and nobody touched them since.
pub(super) fn up_to_date(out_dir: &Path, inputs: &str) -> Option<Vec<PackedArtifact>> {
    // A stamp that is missing, damaged or of an older form only costs a build.
    let stamp: Stamp = serde_json::from_slice(&std::fs::read(stamp_path(out_dir)).ok()?).ok()?;
    if stamp.inputs != inputs {
        return None;
    }
    Artifact::ALL
        .into_iter()
        .map(|artifact| {
            let path = artifact.zip_path(out_dir);
            let packed = PackedArtifact::describe(artifact, path.clone(), &std::fs::read(path).ok()?);
            (stamp.zips.get(&artifact.to_string()) == Some(&packed.sha256_hex)).then_some(packed)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(out_dir: &Path) -> Vec<PackedArtifact> {
        Artifact::ALL
            .map(|artifact| {
                let path = artifact.zip_path(out_dir);
                std::fs::write(&path, artifact.to_string()).expect("written");
                PackedArtifact::describe(artifact, path, artifact.to_string().as_bytes())
            })
            .into()
    }

    #[test]
    fn intact_zips_of_the_same_inputs_are_up_to_date() {
        let folder = tempfile::tempdir().expect("a folder");
        let packed = packed(folder.path());
        remember(folder.path(), "abc", &packed).expect("written");
        assert_eq!(up_to_date(folder.path(), "abc"), Some(packed));
    }

    #[test]
    fn other_inputs_a_touched_zip_a_lost_zip_and_a_damaged_stamp_ask_for_a_build() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(up_to_date(folder.path(), "abc"), None);
        let packed = packed(folder.path());
        remember(folder.path(), "abc", &packed).expect("written");
        assert_eq!(up_to_date(folder.path(), "abd"), None);
        std::fs::write(&packed[1].path, "touched").expect("written");
        assert_eq!(up_to_date(folder.path(), "abc"), None);
        std::fs::remove_file(&packed[1].path).expect("removed");
        assert_eq!(up_to_date(folder.path(), "abc"), None);
        std::fs::write(stamp_path(folder.path()), "{").expect("written");
        assert_eq!(up_to_date(folder.path(), "abc"), None);
    }
}
