//! Which compilers are in use: part of the inputs of a build, as their versions change the bytes.

use std::path::{Path, PathBuf};

use super::command::ToolCall;
use super::{PackageError, PackageOptions};

/// The compilers that answer in a workspace folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Full version text of rustc, then of the C compiler or of cargo-zigbuild.
    pub(super) identity: String,
}

impl Toolchain {
    /// Asks the compilers for their versions.
    pub(super) async fn find(workspace: &Path, options: &PackageOptions) -> Result<Self, PackageError> {
        let rust = ToolCall::new("rustc", "Rust compiler", workspace, options).args(["-vV"]).text();
        let c = match &options.zigbuild {
            None => ToolCall::new("cc", "C compiler and linker", workspace, options),
            Some(program) => ToolCall::new(program, "linker for an older glibc", workspace, options),
        };
        let (rust, c) = tokio::try_join!(rust, c.args(["--version"]).text())?;
        Ok(Toolchain { identity: format!("{rust}{c}") })
    }

    /// The folder under which the official builds of the standard library stand in messages.
    pub(super) fn standard_library_root(&self) -> String {
        let commit = self.identity.lines().find_map(|line| line.strip_prefix("commit-hash: "));
        format!("/rustc/{}", commit.unwrap_or("unknown"))
    }
}

/// Where the Rust compiler and its standard library are installed.
pub(super) async fn sysroot(workspace: &Path, options: &PackageOptions) -> Result<PathBuf, PackageError> {
    let call = ToolCall::new("rustc", "Rust compiler", workspace, options).args(["--print", "sysroot"]);
    Ok(PathBuf::from(call.text().await?.trim_end()))
}
