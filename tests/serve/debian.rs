//! Packages of Debian for a user who may install nothing: `apt-get` fetches them with all libraries that are missing
//! and checks Debian's signatures, and everything is unpacked into a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Fetches packages and what they depend on into `root` of a folder; the reason where that fails.
pub(crate) fn fetch(folder: &Path, packages: &[&str]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("`{}` cannot be written: {error}", folder.display());
    for left_over in ["state", "cache", "root"] {
        let _ = fs::remove_dir_all(folder.join(left_over));
    }
    for needed in ["state/lists/partial", "cache/archives/partial", "root"] {
        fs::create_dir_all(folder.join(needed)).map_err(failed)?;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-o", &format!("Dir::State={}", folder.join("state").display())])
            .args(["-o", &format!("Dir::Cache={}", folder.join("cache").display())])
            // What the machine has already need not be fetched.
            .args(["-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="])
            .args(["-o", "Debug::NoLocking=1", "-o", "APT::Update::Post-Invoke="])
            .args(arguments)
            .env("LC_ALL", "C");
        must("apt-get", command)
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--download-only", "--no-install-recommends"], packages].concat())?;
    for entry in fs::read_dir(folder.join("cache/archives")).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("-x").arg(path).arg(folder.join("root"));
            must("dpkg-deb", unpack)?;
        }
    }
    let _ = fs::remove_dir_all(folder.join("cache"));
    Ok(())
}

fn must(name: &str, mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| {
        format!("Debian's `{name}` is needed to fetch packages, and does not run: {error}")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!(
        "packages of Debian cannot be fetched: `{name}` failed\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    ))
}
