//! Hides the folders of a build from the compilers: source paths stand in panic messages and asserts.
//!
//! Cargo leaves `--remap-path-prefix` out of the hash from which crates get their symbol names (seen with 1.95:
//! same `-C metadata` for different folders), so the option itself does not bring the folders back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::PackageError;

/// The part of `cargo metadata` that says where sources are.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    /// Absent for members of the workspace.
    source: Option<String>,
    manifest_path: PathBuf,
}

impl Metadata {
    /// Folders of the workspace's own crates.
    pub(super) fn member_folders(&self) -> BTreeSet<PathBuf> {
        self.packages.iter().filter(|package| package.source.is_none()).filter_map(Package::folder).collect()
    }

    /// Every folder with downloaded sources and the name it gets. A registry, its mirror and a vendor folder
    /// all give the same names.
    fn downloads(&self) -> BTreeSet<(PathBuf, String)> {
        self.packages
            .iter()
            .filter_map(|package| {
                let source = package.source.as_deref()?;
                let folder = package.folder()?;
                Some(match source.starts_with("git+") {
                    true => (folder, format!("/dependency/{}-{}", package.name, package.version)),
                    false => (folder.parent()?.to_path_buf(), "/registry".to_owned()),
                })
            })
            .collect()
    }
}

impl Package {
    fn folder(&self) -> Option<PathBuf> {
        self.manifest_path.parent().map(Path::to_path_buf)
    }
}

/// The folders of one build.
pub(super) struct Places<'a> {
    pub(super) workspace: &'a Path,
    pub(super) target_dir: &'a Path,
    pub(super) cargo_home: Option<PathBuf>,
    pub(super) sysroot: PathBuf,
    /// See [`super::toolchain::Toolchain::standard_library_root`].
    pub(super) standard_library_root: String,
}

/// Pairs of a real folder and the name that stands for it in every build.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remaps(Vec<(String, String)>);

impl Remaps {
    /// Collects the folders, each also with symbolic links resolved.
    ///
    /// # Errors
    /// [`PackageError::UnusablePath`] for a folder that no option can carry.
    pub(super) fn new(places: Places<'_>, metadata: &Metadata) -> Result<Self, PackageError> {
        let mut pairs = metadata.downloads();
        pairs.insert((places.workspace.to_path_buf(), "/workspace".to_owned()));
        pairs.insert((places.target_dir.to_path_buf(), "/target".to_owned()));
        pairs.insert((places.sysroot.join("lib/rustlib/src/rust"), places.standard_library_root));
        pairs.insert((places.sysroot, "/sysroot".to_owned()));
        if let Some(cargo_home) = places.cargo_home {
            pairs.insert((cargo_home, "/cargo".to_owned()));
        }
        let resolved: Vec<_> = pairs
            .iter()
            .filter_map(|(folder, name)| Some((std::fs::canonicalize(folder).ok()?, name.clone())))
            .collect();
        pairs.extend(resolved);
        let mut pairs = pairs
            .into_iter()
            .map(|(folder, name)| match folder.to_str() {
                Some(text) if !text.contains(['\n', '\x1f']) => Ok((text.to_owned(), name)),
                _ => Err(PackageError::UnusablePath { path: folder }),
            })
            .collect::<Result<Vec<_>, _>>()?;
        // The last option that fits wins in rustc and in GCC: a folder inside another one comes after it.
        pairs.sort_by(|left, right| (left.0.len(), &left.0).cmp(&(right.0.len(), &right.0)));
        Ok(Remaps(pairs))
    }

    /// Options for rustc, in the form of `CARGO_ENCODED_RUSTFLAGS`, which takes blanks in paths.
    pub(super) fn for_rust(&self) -> String {
        let options = self.0.iter().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}"));
        options.collect::<Vec<_>>().join("\x1f")
    }

    /// Options for the C compiler, quoted for a shell (`CC_SHELL_ESCAPED_FLAGS=1`).
    pub(super) fn for_c(&self) -> String {
        let options = self
            .0
            .iter()
            .map(|(folder, name)| format!("'-ffile-prefix-map={}={name}'", folder.replace('\'', r"'\''")));
        options.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let text = r#"{"packages": [
            {"name": "signer", "version": "0.1.0", "source": null, "manifest_path": "/w/runtime/signer/Cargo.toml"},
            {"name": "serde", "version": "1.0.0", "source": "registry+https://example.org/index",
             "manifest_path": "/c/registry/src/index-1949/serde-1.0.0/Cargo.toml"},
            {"name": "fork", "version": "0.3.0", "source": "git+https://example.org/fork#abc",
             "manifest_path": "/c/git/checkouts/fork-11/abc/Cargo.toml"}]}"#;
        serde_json::from_str(text).expect("metadata")
    }

    fn places<'a>(workspace: &'a str, target_dir: &'a str) -> Places<'a> {
        Places {
            workspace: Path::new(workspace),
            target_dir: Path::new(target_dir),
            cargo_home: Some("/c".into()),
            sysroot: "/s".into(),
            standard_library_root: "/rustc/abc".into(),
        }
    }

    #[test]
    fn inner_folders_come_after_outer_ones() {
        let remaps = Remaps::new(places("/w", "/w/target"), &metadata()).expect("usable");
        let expected = [
            ("/c", "/cargo"),
            ("/s", "/sysroot"),
            ("/w", "/workspace"),
            ("/w/target", "/target"),
            ("/s/lib/rustlib/src/rust", "/rustc/abc"),
            ("/c/registry/src/index-1949", "/registry"),
            ("/c/git/checkouts/fork-11/abc", "/dependency/fork-0.3.0"),
        ];
        let mut expected: Vec<_> = expected.map(|(folder, name)| (folder.to_owned(), name.to_owned())).into();
        expected.sort_by_key(|(folder, _)| (folder.len(), folder.clone()));
        assert_eq!(remaps, Remaps(expected));
    }

    #[test]
    fn options_are_safe_for_blanks_and_quotes() {
        let remaps = Remaps::new(places("/my work/it's", "/t"), &metadata()).expect("usable");
        assert!(
            remaps.for_rust().split('\x1f').any(|one| one == "--remap-path-prefix=/my work/it's=/workspace")
        );
        assert!(remaps.for_c().contains(r"'-ffile-prefix-map=/my work/it'\''s=/workspace'"));
    }

    #[test]
    fn a_path_that_would_split_the_options_is_refused() {
        let error = Remaps::new(places("/a\x1fb", "/t"), &metadata()).expect_err("unusable");
        assert!(matches!(error, PackageError::UnusablePath { .. }));
    }

    #[test]
    fn members_are_the_packages_without_a_source() {
        assert_eq!(metadata().member_folders(), BTreeSet::from([PathBuf::from("/w/runtime/signer")]));
    }
}
