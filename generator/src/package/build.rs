//! Builds the runtime crates so that folder, user, clock and locale leave no trace in the bytes.
//!
//! One `cargo rustc` for each crate, not one `cargo build` for both: the signer is a shared library for Node and
//! an ordinary library for its benchmarks, and cargo leaves out link-time optimisation for a crate that is both
//! (the profile's `lto` is not passed on). Asking for the shared library alone brings it back. Apart, each crate
//! also has only its own features in its dependencies.

use std::path::{Path, PathBuf};

use super::command::ToolCall;
use super::remap::{Metadata, Places, Remaps};
use super::toolchain::{self, Toolchain};
use super::{Artifact, PackageError, PackageOptions, Progress};

/// The only platform of Lambda@Edge; the rotator takes the same.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// glibc that cargo-zigbuild links against, as its suffix of the target.
const ZIG_GLIBC: &str = "2.34";
/// 1980-01-01, the time in the zip too.
const SOURCE_DATE_EPOCH: &str = "315532800";

/// What the signer does without, for Rust: tables for unwinding, which nothing does where a panic aborts.
const SMALLER_RUST: &str = "-Cforce-unwind-tables=no";
/// The same for C, and the AES of aws-lc for AVX-512: 680 KB that shorten the answers of AWS, a few KB each, by
/// nothing that could be measured.
const SMALLER_C: &str = "-fno-asynchronous-unwind-tables -DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX=1";

/// Builds the crates of these artifacts.
///
/// # Errors
/// [`PackageError::Tool`] with the compiler's last lines, or what stands in the way of starting it.
pub(super) async fn build(
    artifacts: &[Artifact],
    workspace: &Path,
    options: &PackageOptions,
    toolchain: &Toolchain,
    progress: &mut Progress<'_>,
) -> Result<(), PackageError> {
    let metadata = metadata(workspace, options, progress).await?;
    let places = Places {
        workspace,
        target_dir: &options.target_dir,
        cargo_home: options.environment.cargo_home(),
        sysroot: toolchain::sysroot(workspace, options).await?,
        standard_library_root: toolchain.standard_library_root(),
    };
    let remaps = Remaps::new(places, &metadata)?;
    for &artifact in artifacts {
        cargo_rustc(artifact, workspace, options, &remaps).run(progress).await?;
    }
    Ok(())
}

/// Where cargo leaves the binary of an artifact.
pub(super) fn binary(target_dir: &Path, artifact: Artifact) -> PathBuf {
    let name = match artifact {
        Artifact::Signer => "libsigner.so",
        Artifact::Rotator => "bootstrap",
    };
    target_dir.join(TARGET).join(profile(artifact)).join(name)
}

/// Profile of the root manifest that an artifact is packed with.
fn profile(artifact: Artifact) -> &'static str {
    artifact.as_str()
}

/// Asks cargo where all sources are; downloads what is missing.
pub(super) async fn metadata(
    workspace: &Path,
    options: &PackageOptions,
    progress: &mut Progress<'_>,
) -> Result<Metadata, PackageError> {
    let call = ToolCall::new(&options.cargo, "build tool of Rust", workspace, options)
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET])
        .args(options.offline.then_some("--offline"));
    let command = call.shown();
    let answer = call.run(progress).await?;
    serde_json::from_slice(&answer)
        .map_err(|error| PackageError::Answer { command, reason: error.to_string() })
}

fn cargo_rustc(artifact: Artifact, workspace: &Path, options: &PackageOptions, remaps: &Remaps) -> ToolCall {
    let call = match &options.zigbuild {
        None => {
            // A linker in the user's own cargo configuration would lay the file out differently.
            let linker = format!("target.{TARGET}.linker=\"cc\"");
            ToolCall::new(&options.cargo, "build tool of Rust", workspace, options)
                .args(["rustc", "--target", TARGET, "--config", &linker])
        }
        Some(program) => ToolCall::new(program, "linker for an older glibc", workspace, options).args([
            "rustc",
            "--target",
            &format!("{TARGET}.{ZIG_GLIBC}"),
        ]),
    };
    let (for_rust, for_c) = match artifact {
        Artifact::Signer => {
            (format!("{}\x1f{}", remaps.for_rust(), SMALLER_RUST), format!("{} {SMALLER_C}", remaps.for_c()))
        }
        Artifact::Rotator => (remaps.for_rust(), remaps.for_c()),
    };
    call.args(["--profile", profile(artifact), "--locked", "--target-dir"])
        .args([&options.target_dir])
        .args(match artifact {
            Artifact::Signer => ["--package", "signer", "--lib", "--crate-type=cdylib"].as_slice(),
            Artifact::Rotator => ["--package", "rotator", "--bin", "bootstrap"].as_slice(),
        })
        .args(options.offline.then_some("--offline"))
        .env("CARGO_ENCODED_RUSTFLAGS", for_rust)
        .env(format!("CFLAGS_{}", TARGET.replace('-', "_")).as_str(), for_c)
        .env("CC_SHELL_ESCAPED_FLAGS", "1")
        .env("SOURCE_DATE_EPOCH", SOURCE_DATE_EPOCH)
        .env("ZERO_AR_DATE", "1")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        // Its own entropy collector costs a cold start 400 ms at the edge's share of a processor; the kernel's
        // generator is used instead.
        .env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1")
        // One way of building the C sources, whether or not the host has cmake.
        .env("AWS_LC_SYS_CMAKE_BUILDER", "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::CallerEnvironment;

    fn shown(options: &PackageOptions) -> [String; 2] {
        let metadata: Metadata = serde_json::from_str(r#"{"packages": []}"#).expect("metadata");
        let places = Places {
            workspace: Path::new("/w"),
            target_dir: &options.target_dir,
            cargo_home: None,
            sysroot: "/s".into(),
            standard_library_root: "/rustc/abc".into(),
        };
        let remaps = Remaps::new(places, &metadata).expect("usable");
        Artifact::ALL.map(|artifact| cargo_rustc(artifact, Path::new("/w"), options, &remaps).shown())
    }

    #[test]
    fn the_signer_is_built_as_a_shared_library_alone() {
        let [signer, rotator] = shown(&PackageOptions::new("/t", CallerEnvironment::default()));
        let start = r#"cargo rustc --target x86_64-unknown-linux-gnu --config target.x86_64-unknown-linux-gnu.linker="cc" --profile"#;
        let end = "--locked --target-dir /t --package";
        assert_eq!(signer, format!("{start} signer {end} signer --lib --crate-type=cdylib"));
        assert_eq!(rotator, format!("{start} rotator {end} rotator --bin bootstrap"));
    }

    #[test]
    fn zigbuild_names_lambdas_glibc() {
        let mut options = PackageOptions::new("/t", CallerEnvironment::default());
        options.zigbuild = Some("cargo-zigbuild".into());
        let [signer, _] = shown(&options);
        assert!(
            signer.starts_with("cargo-zigbuild rustc --target x86_64-unknown-linux-gnu.2.34 --profile"),
            "{signer}"
        );
    }
}
