//! A digest over everything that a build of the packed crates reads: with the stamp, a run that has nothing to do
//! ends without starting cargo.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::reached::Reached;
use super::toolchain::Toolchain;
use super::{PackageError, PackageOptions};

/// Files beside the manifest and the lock file that change what is built, where they exist.
const OPTIONAL: [&str; 3] = ["rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml"];

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

/// SHA-256, in hexadecimal, over the sources, what of the manifest and the lock file concerns them, the compilers
/// and the recipe.
///
/// # Errors
/// [`PackageError::File`] when a source cannot be read, [`PackageError::Manifest`] when one is no TOML.
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
    let reached = Reached::find(workspace)?;
    add("manifest", reached.manifest.as_bytes());
    add("lock", reached.lock.as_bytes());
    let mut files: Vec<_> =
        OPTIONAL.iter().map(|name| workspace.join(name)).filter(|path| path.is_file()).collect();
    for folder in &reached.folders {
        files.extend(files_under(folder)?.into_iter().filter(|path| !is_of_tests(folder, path)));
    }
    for path in files {
        let name = path.strip_prefix(workspace).unwrap_or(&path).to_string_lossy().into_owned();
        add(&name, &std::fs::read(&path).map_err(PackageError::file("read", &path))?);
    }
    Ok(hex::encode(hasher.finalize()))
}

/// Whether a file of a crate is read by its tests and benchmarks only.
fn is_of_tests(folder: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    inner.starts_with("tests") || inner.starts_with("benches")
}

/// The files of the workspace's root that cargo needs.
pub(super) fn root_files(workspace: &Path) -> Vec<PathBuf> {
    let names = ["Cargo.toml", "Cargo.lock"].into_iter().chain(OPTIONAL);
    names.map(|name| workspace.join(name)).filter(|path| path.is_file()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::CallerEnvironment;

    const MANIFEST: &str = "[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\n\
        serde = \"1\"\naxum = \"1\"\n[profile.signer]\nopt-level = 3\n";
    const LOCK: &str = "version = 4\n\
        [[package]]\nname = \"axum\"\nversion = \"1.0.0\"\nchecksum = \"a\"\n\
        [[package]]\nname = \"serde\"\nversion = \"1.0.0\"\nchecksum = \"s\"\ndependencies = [\"ryu\"]\n\
        [[package]]\nname = \"ryu\"\nversion = \"1.0.0\"\nchecksum = \"r\"\n";
    const SIGNER: &str = "[dependencies]\nserde.workspace = true\ncontract.workspace = true\n";

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", LOCK),
            ("runtime/signer/Cargo.toml", SIGNER),
            ("runtime/signer/src/lib.rs", "pub fn one() {}"),
            ("runtime/rotator/Cargo.toml", ""),
            ("runtime/contract/Cargo.toml", ""),
            ("runtime/contract/src/lib.rs", ""),
            ("runtime/testkit/src/lib.rs", ""),
        ] {
            write(folder.path(), name, text);
        }
        folder
    }

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn digest_of(workspace: &Path) -> String {
        digest_with(workspace, "rustc 1.95.0", false)
    }

    fn digest_with(workspace: &Path, compiler: &str, zigbuild: bool) -> String {
        let mut options = PackageOptions::new("target", CallerEnvironment::default());
        options.zigbuild = zigbuild.then(|| "cargo-zigbuild".into());
        digest(workspace, &options, &Toolchain { identity: compiler.into() }).expect("readable")
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
            ("Cargo.lock", LOCK.replace("\"r\"", "\"other\"")),
            ("Cargo.toml", MANIFEST.replace("= 3", "= 2")),
            ("Cargo.toml", MANIFEST.replace("serde = \"1\"", "serde = \"2\"")),
            ("runtime/signer/Cargo.toml", format!("{SIGNER}\n[features]")),
            ("runtime/signer/src/lib.rs", "pub fn two() {}".into()),
            ("runtime/signer/src/new.rs", String::new()),
            ("runtime/contract/src/lib.rs", "pub fn two() {}".into()),
            ("rust-toolchain.toml", "[toolchain]".into()),
        ] {
            write(path, name, &text);
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
    fn what_no_packed_crate_reads_changes_nothing() {
        let folder = workspace();
        let before = digest_of(folder.path());
        for (name, text) in [
            ("runtime/signer/target/debug/x", "x".to_string()),
            ("runtime/signer/.swp", "x".into()),
            ("runtime/signer/tests/one.rs", "x".into()),
            ("runtime/signer/benches/one.rs", "x".into()),
            ("runtime/testkit/src/lib.rs", "pub fn two() {}".into()),
            ("Cargo.lock", LOCK.replace("\"a\"", "\"other\"")),
            ("Cargo.toml", MANIFEST.replace("axum = \"1\"", "axum = \"2\" # newer")),
            ("Cargo.toml", MANIFEST.replace("[\"a\"]", "[\"a\", \"b\"]")),
        ] {
            write(folder.path(), name, &text);
            assert_eq!(digest_of(folder.path()), before, "{name}: {text}");
        }
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let folder = workspace();
        write(folder.path(), "Cargo.lock", "[[package");
        let options = PackageOptions::new("target", CallerEnvironment::default());
        let toolchain = Toolchain { identity: "rustc".into() };
        let message = digest(folder.path(), &options, &toolchain).expect_err("no TOML").to_string();
        assert!(message.contains("Cargo.lock") && message.contains("line 1"), "{message}");
    }
}
