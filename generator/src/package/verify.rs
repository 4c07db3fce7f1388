//! Proves that the bytes depend on the sources only: builds a copy of them in another folder, with other homes,
//! time zone, language, user name and umask, and compares.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::inputs::{self, files_under};
use super::toolchain::{self, Toolchain};
use super::{
    Artifact, Output, PackageError, PackageOptions, PackedArtifact, Progress, archive, blocking, build,
    collect, package,
};

/// What cargo's own folder shares with the copy of it: downloads and where they come from, nothing that it writes
/// in a build without network.
const SHARED_OF_CARGO: [&str; 4] = ["registry", "git", "config.toml", "config"];

/// One artifact, built twice to the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedArtifact {
    /// The zip in the output folder.
    pub packed: PackedArtifact,
    /// SHA-256 in hexadecimal of the zip from the fresh folder; always that of `packed`.
    pub second_sha256_hex: String,
}

/// Packages, then builds everything again in a fresh folder under `scratch` and compares the zips.
///
/// Takes as long as a cold build and about 1 GB under `scratch`, which is removed at the end.
///
/// # Errors
/// [`PackageError::NotReproducible`] with both digests and the first entry that differs;
/// [`PackageError::SourcesChanged`] when somebody edits while this runs; else as [`package`].
pub async fn verify(
    workspace: &Path,
    output: &Output,
    scratch: &Path,
    options: &PackageOptions,
    progress: &mut Progress<'_>,
) -> Result<Vec<VerifiedArtifact>, PackageError> {
    let workspace = std::fs::canonicalize(workspace).map_err(PackageError::file("find", workspace))?;
    let inputs = inputs_of(&workspace, options).await?;
    let first = package(&workspace, output, options, progress).await?;

    let folder = ScratchFolder::create(scratch)?;
    let copy = folder.path.join("elsewhere/copy of the sources");
    let members = build::metadata(&workspace, options, progress).await?.member_folders();
    {
        let (workspace, copy) = (workspace.clone(), copy.clone());
        blocking(move || copy_sources(&workspace, members, &copy)).await?;
    }
    let sysroot = toolchain::sysroot(&workspace, options).await?;
    let options = foreign_options(&folder.path, options, &sysroot)?;
    if inputs_of(&copy, &options).await? != inputs {
        return Err(PackageError::SourcesChanged);
    }
    let toolchain = Toolchain::find(&copy, &options).await?;
    progress("building again in a fresh folder");
    build::build(&Artifact::ALL, &copy, &options, &toolchain, progress).await?;

    let mut verified = Vec::new();
    for packed in first {
        let second = collect(packed.artifact, &copy, &options.target_dir).await?;
        verified.push(compare(packed, &second)?);
    }
    Ok(verified)
}

async fn inputs_of(workspace: &Path, options: &PackageOptions) -> Result<String, PackageError> {
    let toolchain = Toolchain::find(workspace, options).await?;
    let (workspace, options) = (workspace.to_path_buf(), options.clone());
    blocking(move || inputs::digest(&workspace, &options, &toolchain)).await
}

fn compare(packed: PackedArtifact, second: &[u8]) -> Result<VerifiedArtifact, PackageError> {
    let first = std::fs::read(&packed.path).map_err(PackageError::file("read", &packed.path))?;
    if archive::sha256(&first).hex != packed.sha256_hex {
        return Err(PackageError::SourcesChanged);
    }
    let second_sha256_hex = archive::sha256(second).hex;
    if second_sha256_hex != packed.sha256_hex {
        return Err(PackageError::NotReproducible {
            artifact: packed.artifact,
            difference: archive::first_difference(packed.artifact, &first, second)?,
            first: packed.sha256_hex,
            second: second_sha256_hex,
        });
    }
    Ok(VerifiedArtifact { packed, second_sha256_hex })
}

/// The same options for another user on another machine: own home and cargo folder, other language and time zone.
fn foreign_options(
    folder: &Path,
    options: &PackageOptions,
    sysroot: &Path,
) -> Result<PackageOptions, PackageError> {
    let create = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(PackageError::file("create", &path))?;
        Ok::<_, PackageError>(path)
    };
    let cargo_home = create("other cargo")?;
    if let Some(real) = options.environment.cargo_home() {
        for name in SHARED_OF_CARGO {
            let shared = real.join(name);
            if shared.exists() {
                link(&shared, &cargo_home.join(name))?;
            }
        }
    }
    let mut environment = options
        .environment
        .clone()
        .with("HOME", create("home of another user")?)
        .with("CARGO_HOME", cargo_home)
        .with("TMPDIR", create("tmp")?)
        .with("USER", "another-user")
        .with("LOGNAME", "another-user")
        .with("LANG", "tr_TR.UTF-8")
        .with("LC_ALL", "tr_TR.UTF-8")
        .with("TZ", "Pacific/Kiritimati")
        .with("SOURCE_DATE_EPOCH", "1")
        .with("RUSTFLAGS", "-Copt-level=0")
        .with("CFLAGS", "-O0");
    if let Some(rustup_home) = options.environment.rustup_home() {
        environment = environment.with("RUSTUP_HOME", rustup_home);
    }
    // rustup may choose a toolchain by folder; the copy must get the one of the workspace.
    if environment.get("RUSTUP_TOOLCHAIN").is_none() {
        environment = environment.with("RUSTUP_TOOLCHAIN", sysroot);
    }
    Ok(PackageOptions {
        environment,
        target_dir: create("built")?,
        offline: true,
        private_files: true,
        ..options.clone()
    })
}

#[cfg(unix)]
fn link(real: &Path, link: &Path) -> Result<(), PackageError> {
    std::os::unix::fs::symlink(real, link).map_err(PackageError::file("link", link))
}

#[cfg(not(unix))]
fn link(_real: &Path, link: &Path) -> Result<(), PackageError> {
    let source = std::io::Error::other("the check needs Linux or macOS");
    Err(PackageError::file("link", link)(source))
}

/// Copies what a build reads: the files of the root, and all members, of which cargo only has to find some.
fn copy_sources(
    workspace: &Path,
    members: impl IntoIterator<Item = PathBuf>,
    copy: &Path,
) -> Result<(), PackageError> {
    let mut files = BTreeSet::from_iter(inputs::root_files(workspace));
    for member in members {
        files.extend(files_under(&member)?);
    }
    for file in files {
        let Ok(name) = file.strip_prefix(workspace) else { continue };
        let to = copy.join(name);
        let parent = to.parent().unwrap_or(copy);
        std::fs::create_dir_all(parent).map_err(PackageError::file("create", parent))?;
        let bytes = std::fs::read(&file).map_err(PackageError::file("read", &file))?;
        std::fs::write(&to, bytes).map_err(PackageError::file("write", &to))?;
    }
    Ok(())
}

/// A new folder that is removed with everything in it.
struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    fn create(parent: &Path) -> Result<Self, PackageError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = parent.join(format!("generator-verify-{}-{}", std::process::id(), now.as_nanos()));
        std::fs::create_dir_all(&path).map_err(PackageError::file("create", &path))?;
        let path = std::fs::canonicalize(&path).map_err(PackageError::file("find", &path))?;
        Ok(ScratchFolder { path })
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // It holds only copies; a left-over is untidy and nothing more.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::archive::{Entry, pack};
    use crate::package::{Artifact, CallerEnvironment};

    fn zip(byte: u8) -> Vec<u8> {
        let entry = Entry { name: "bootstrap", mode: 0o755, bytes: vec![byte; 10] };
        pack(Artifact::Rotator, vec![entry]).expect("packed")
    }

    #[test]
    fn a_difference_shows_both_digests_and_the_entry() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Artifact::Rotator.zip_path(folder.path());
        std::fs::write(&path, zip(1)).expect("written");
        let packed = PackedArtifact::describe(Artifact::Rotator, path.clone(), &zip(1));
        let same = compare(packed.clone(), &zip(1)).expect("same bytes");
        assert_eq!(same.second_sha256_hex, packed.sha256_hex);

        let message = compare(packed.clone(), &zip(2)).expect_err("other bytes").to_string();
        let second = archive::sha256(&zip(2)).hex;
        for part in [&packed.sha256_hex, &second, "entry `bootstrap` (10 and 10 bytes) differs from byte 0"] {
            assert!(message.contains(part), "{message}");
        }
        std::fs::write(&path, zip(3)).expect("written");
        assert!(matches!(compare(packed, &zip(1)), Err(PackageError::SourcesChanged)));
    }

    #[test]
    fn only_root_files_and_members_are_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for name in ["Cargo.toml", "generator/a.rs", "runtime/b.rs", "runtime/target/x", "tenants/demo.yaml"]
        {
            let path = from.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, name).expect("written");
        }
        copy_sources(&from, [from.join("generator"), from.join("runtime")], &to).expect("copied");
        let copied = files_under(&to).expect("listed");
        assert_eq!(copied, ["Cargo.toml", "generator/a.rs", "runtime/b.rs"].map(|name| to.join(name)));
    }

    #[test]
    fn the_second_build_shares_no_home_and_no_language() {
        let folder = tempfile::tempdir().expect("a folder");
        let environment =
            CallerEnvironment::new([("HOME".into(), folder.path().join("me").into_os_string())]);
        let options = PackageOptions::new("target", environment);
        let foreign = foreign_options(folder.path(), &options, Path::new("/toolchain")).expect("prepared");
        assert!(foreign.offline && foreign.private_files);
        assert_ne!(foreign.environment.cargo_home(), options.environment.cargo_home());
        assert_eq!(foreign.environment.rustup_home(), options.environment.rustup_home());
        assert_ne!(foreign.target_dir, options.target_dir);
    }
}
