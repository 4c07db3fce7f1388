//! A digest over everything that a build reads, and the stamp that remembers for which digest the zips were made.
//! With both, a run that has nothing to do ends without starting cargo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::toolchain::Toolchain;
use super::{Artifact, PackageError, PackageOptions, PackedArtifact, archive};

/// Single files of the workspace, beside `runtime/`, that change what is built. The last ones are optional.
const FILES: [&str; 5] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml"];

/// The code that says how to build, check and pack. A change here asks for new zips as much as one in a crate.
const RECIPE: [&str; 8] = [
    include_str!("archive.rs"),
    include_str!("build.rs"),
    include_str!("command.rs"),
    include_str!("elf.rs"),
    include_str!("environment.rs"),
    include_str!("glibc.rs"),
    include_str!("mod.rs"),
    include_str!("remap.rs"),
];

/// SHA-256, in hexadecimal, over the sources, the lock file, the compilers and the recipe.
///
/// # Errors
/// [`PackageError::File`] when a source cannot be read.
pub(super) fn digest(
    workspace: &Path,
    options: &PackageOptions,
    toolchain: &Toolchain,
) -> Result<String, PackageError> {
    let mut hasher = Sha256::new();
    let mut add = |name: &str, bytes: &[u8]| {
        // Lengths in front, so that no two lists of files give the same stream.
        for part in [name.as_bytes(), bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    };
    add("toolchain", toolchain.identity.as_bytes());
    add("zigbuild", if options.zigbuild.is_some() { b"yes" } else { b"no" });
    for recipe in RECIPE {
        add("recipe", recipe.as_bytes());
    }
    for path in source_files(workspace)? {
        let name = path.strip_prefix(workspace).unwrap_or(&path).to_string_lossy().into_owned();
        add(&name, &std::fs::read(&path).map_err(PackageError::file("read", &path))?);
    }
    Ok(hex::encode(hasher.finalize()))
}

/// All files that a build reads from the workspace, in a fixed order.
pub(super) fn source_files(workspace: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let mut files: Vec<_> =
        FILES.iter().map(|name| workspace.join(name)).filter(|path| path.is_file()).collect();
    files.extend(files_under(&workspace.join("runtime"))?);
    Ok(files)
}

/// All files under a folder, sorted, without hidden ones and without cargo's output.
pub(super) fn files_under(folder: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let mut entries = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(PackageError::file("list", folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        if name == "target" || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        match path.is_dir() {
            true => files.extend(files_under(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}

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
    use crate::package::CallerEnvironment;

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("runtime/signer/src")).expect("made");
        for (name, text) in [
            ("Cargo.toml", "[workspace]"),
            ("Cargo.lock", "version = 4"),
            ("runtime/signer/src/lib.rs", "pub fn one() {}"),
        ] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    fn digest_of(workspace: &Path) -> String {
        digest_with(workspace, "rustc 1.95.0", false)
    }

    fn digest_with(workspace: &Path, compiler: &str, zigbuild: bool) -> String {
        let mut options = PackageOptions::new("target", CallerEnvironment::default());
        options.zigbuild = zigbuild.then(|| "cargo-zigbuild".into());
        digest(workspace, &options, &Toolchain { identity: compiler.into() }).expect("readable")
    }

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
    fn the_digest_is_the_same_for_the_same_sources_elsewhere() {
        assert_eq!(digest_of(workspace().path()), digest_of(workspace().path()));
    }

    #[test]
    fn every_input_changes_the_digest() {
        let folder = workspace();
        let path = folder.path();
        let mut seen = vec![digest_of(path), digest_with(path, "rustc 1.96.0", false)];
        seen.push(digest_with(path, "rustc 1.95.0", true));
        for (name, text) in [
            ("Cargo.lock", "version = 4 "),
            ("Cargo.toml", "[workspace] "),
            ("runtime/signer/src/lib.rs", "pub fn two() {}"),
            ("runtime/signer/src/new.rs", ""),
            ("rust-toolchain.toml", "[toolchain]"),
        ] {
            std::fs::write(path.join(name), text).expect("written");
            seen.push(digest_of(path));
        }
        std::fs::rename(path.join("runtime/signer/src/new.rs"), path.join("runtime/signer/src/old.rs"))
            .expect("renamed");
        seen.push(digest_of(path));
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn hidden_files_and_cargos_output_change_nothing() {
        let folder = workspace();
        let before = digest_of(folder.path());
        std::fs::create_dir_all(folder.path().join("runtime/signer/target/debug")).expect("made");
        std::fs::write(folder.path().join("runtime/signer/target/debug/x"), "x").expect("written");
        std::fs::write(folder.path().join("runtime/.swp"), "x").expect("written");
        assert_eq!(digest_of(folder.path()), before);
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
