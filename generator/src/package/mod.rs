//! Packaging: the runtime crates become zips whose bytes depend on the sources and the compilers only.
//!
//! A zip is named by its SHA-256, so the same sources are uploaded once, and a new version of a function appears
//! exactly when its bytes change. Nothing here calls AWS.

mod archive;
mod build;
mod command;
mod elf;
mod environment;
mod error;
mod glibc;
mod inputs;
mod lock;
mod output;
mod reached;
mod remap;
mod stamp;
mod toolchain;
mod verify;

use std::path::{Path, PathBuf};

use crate::render::Artifact;
use archive::Entry;
pub use elf::{ElfError, Kind};
pub use environment::CallerEnvironment;
pub use error::PackageError;
pub use glibc::{GlibcVersion, LAMBDA_GLIBC};
pub use output::Output;
pub use verify::{VerifiedArtifact, verify};

/// Takes the lines that say what is going on, cargo's own among them.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

impl Artifact {
    /// Largest zip in bytes. For the signer it is Lambda@Edge's limit for viewer functions; the rotator could be
    /// larger from S3, but at that size something has gone wrong in its dependencies.
    pub const fn size_limit(self) -> u64 {
        match self {
            Artifact::Signer | Artifact::Rotator => 50 * 1024 * 1024,
        }
    }

    /// The zip of this artifact in an output folder.
    pub fn zip_path(self, out_dir: &Path) -> PathBuf {
        out_dir.join(format!("{self}.zip"))
    }

    const fn kind(self) -> elf::Kind {
        match self {
            Artifact::Signer => elf::Kind::SharedLibrary,
            Artifact::Rotator => elf::Kind::Program,
        }
    }
}

/// A zip that is ready to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedArtifact {
    /// What it is.
    pub artifact: Artifact,
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256_hex: String,
    /// The same in base64, as Lambda's `CodeSha256`.
    pub code_sha256: String,
    /// The S3 key: `<artifact>/<sha256 hex>.zip`.
    pub key: String,
}

impl PackedArtifact {
    fn describe(artifact: Artifact, path: PathBuf, zip: &[u8]) -> Self {
        let digest = archive::sha256(zip);
        PackedArtifact {
            artifact,
            path,
            bytes: zip.len() as u64,
            key: format!("{artifact}/{}.zip", digest.hex),
            sha256_hex: digest.hex,
            code_sha256: digest.base64,
        }
    }
}

/// How to build.
#[derive(Debug, Clone)]
pub struct PackageOptions {
    /// The cargo executable; `cargo` from the path by default.
    pub cargo: PathBuf,
    /// The cargo-zigbuild executable, to link against Lambda's glibc on a host with a newer one; off by default.
    pub zigbuild: Option<PathBuf>,
    /// Cargo's output. A folder of its own, so that no other cargo run waits for a packaging run.
    pub target_dir: PathBuf,
    /// The environment of the caller; only names that cannot change the bytes are passed on.
    pub environment: CallerEnvironment,
    /// Use only what is downloaded already.
    pub offline: bool,
    /// Run the tools with the umask 077, as a careful user would.
    private_files: bool,
}

impl PackageOptions {
    /// The usual way: plain cargo, with the network where something is missing.
    pub fn new(target_dir: impl Into<PathBuf>, environment: CallerEnvironment) -> Self {
        PackageOptions {
            cargo: PathBuf::from("cargo"),
            zigbuild: None,
            target_dir: target_dir.into(),
            environment,
            offline: false,
            private_files: false,
        }
    }
}

/// Builds the runtime crates of `workspace` and writes `signer.zip` and `rotator.zip` to `output`.
///
/// Cargo is not started when the zips of these sources are there. One run at a time works on an output; a second
/// one waits.
///
/// # Errors
/// [`PackageError`] for a failed build, a binary that Lambda cannot run, a zip over the limit.
pub async fn package(
    workspace: &Path,
    output: &Output,
    options: &PackageOptions,
    progress: &mut Progress<'_>,
) -> Result<Vec<PackedArtifact>, PackageError> {
    // Compilers see folders with symbolic links resolved, and a relative one would change with the folder they
    // run in.
    let workspace = std::fs::canonicalize(workspace).map_err(PackageError::file("find", workspace))?;
    let options = PackageOptions { target_dir: created(&options.target_dir)?, ..options.clone() };

    let _lock = lock::FolderLock::take(&created(output.root())?, progress).await?;
    let toolchain = toolchain::Toolchain::find(&workspace, &options).await?;
    let digest = || {
        let (workspace, options, toolchain) = (workspace.clone(), options.clone(), toolchain.clone());
        blocking(move || inputs::digest(&workspace, &options, &toolchain))
    };
    let before = digest().await?;
    let out_dir = output.folder(&before)?;
    let known = {
        let (out_dir, before) = (out_dir.clone(), before.clone());
        blocking(move || Ok(stamp::up_to_date(&out_dir, &before))).await?
    };
    if let Some(packed) = known {
        progress("signer and rotator are up to date");
        return Ok(packed);
    }

    build::build(&Artifact::ALL, &workspace, &options, &toolchain, progress).await?;
    let mut packed = Vec::new();
    for artifact in Artifact::ALL {
        let zip = collect(artifact, &workspace, &options.target_dir).await?;
        let path = artifact.zip_path(&out_dir);
        archive::write_atomically(&path, &zip)?;
        packed.push(PackedArtifact::describe(artifact, path, &zip));
    }
    // Sources that changed during the build may be in it or not: the zips are good, but not to be kept for them.
    if digest().await? == before {
        stamp::remember(&out_dir, &before, &packed)?;
    }
    output.prune(&out_dir)?;
    Ok(packed)
}

/// Builds one artifact as [`package`] does, and gives the bytes of its zip. Nothing is written but cargo's output.
///
/// # Errors
/// As [`package`].
pub async fn zip_of(
    artifact: Artifact,
    workspace: &Path,
    options: &PackageOptions,
    progress: &mut Progress<'_>,
) -> Result<Vec<u8>, PackageError> {
    let workspace = std::fs::canonicalize(workspace).map_err(PackageError::file("find", workspace))?;
    let options = PackageOptions { target_dir: created(&options.target_dir)?, ..options.clone() };
    let toolchain = toolchain::Toolchain::find(&workspace, &options).await?;
    build::build(&[artifact], &workspace, &options, &toolchain, progress).await?;
    collect(artifact, &workspace, &options.target_dir).await
}

/// Checks the built binary of an artifact and packs it with what belongs to it.
async fn collect(artifact: Artifact, workspace: &Path, target_dir: &Path) -> Result<Vec<u8>, PackageError> {
    let path = build::binary(target_dir, artifact);
    let shim = workspace.join("runtime/signer/index.mjs");
    blocking(move || {
        let read = |path: &Path| std::fs::read(path).map_err(PackageError::file("read", path));
        let binary = read(&path)?;
        elf::check(&binary, artifact.kind()).map_err(|source| PackageError::Binary {
            artifact,
            path: path.clone(),
            source,
        })?;
        let entries = match artifact {
            Artifact::Signer => vec![
                Entry { name: "index.mjs", mode: 0o644, bytes: read(&shim)? },
                Entry { name: "signer.node", mode: 0o644, bytes: binary },
            ],
            Artifact::Rotator => vec![Entry { name: "bootstrap", mode: 0o755, bytes: binary }],
        };
        archive::pack(artifact, entries)
    })
    .await
}

/// Creates a folder and gives its absolute path.
fn created(folder: &Path) -> Result<PathBuf, PackageError> {
    std::fs::create_dir_all(folder).map_err(PackageError::file("create", folder))?;
    std::fs::canonicalize(folder).map_err(PackageError::file("find", folder))
}

/// Runs work that keeps a processor or a disk busy without holding up the others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(PackageError::Stopped),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_addressed_by_its_digest() {
        let packed = PackedArtifact::describe(Artifact::Signer, PathBuf::from("signer.zip"), b"");
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!((packed.bytes, packed.sha256_hex.as_str()), (0, hex));
        assert_eq!(packed.key, format!("signer/{hex}.zip"));
    }
}
