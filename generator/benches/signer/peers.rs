//! The JavaScript that the addon is measured against, with its packages from npm.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use generator::local::Node;
use sha2::{Digest as _, Sha256};

/// The files of the folder `peers`.
const FILES: [(&str, &str); 8] = [
    ("package.json", include_str!("peers/package.json")),
    ("package-lock.json", include_str!("peers/package-lock.json")),
    ("runner.mjs", include_str!("peers/runner.mjs")),
    ("bare.mjs", include_str!("peers/bare.mjs")),
    ("request.mjs", include_str!("peers/request.mjs")),
    ("documents.mjs", include_str!("peers/documents.mjs")),
    ("sdk.mjs", include_str!("peers/sdk.mjs")),
    ("best.mjs", include_str!("peers/best.mjs")),
];
/// Exists in a folder whose installation came to its end.
const COMPLETE: &str = "complete";

/// Folder with the peers and their packages, which are installed under `cache` where they are missing: the
/// very versions of the lock file, from the registry that the user's npm is set to, and none of their
/// installation scripts run.
pub(crate) fn install(cache: &Path, node: &Node) -> Result<PathBuf, Box<dyn Error>> {
    let mut hash = Sha256::new();
    for (name, content) in FILES {
        hash.update(format!("{name} {}\n{content}", content.len()));
    }
    let root = cache.join("benchmarks").join(format!("signer-{}", hex::encode(&hash.finalize()[..6])));
    if root.join(COMPLETE).is_file() {
        return Ok(root);
    }
    fs::create_dir_all(&root)?;
    for (name, content) in FILES {
        fs::write(root.join(name), content)?;
    }
    let log = root.join("npm.log");
    let status = Command::new(node.program())
        .arg(node.npm())
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&root)
        .stdin(Stdio::null())
        .stdout(File::create(&log)?)
        .stderr(File::options().append(true).open(&log)?)
        .status()?;
    if !status.success() {
        return Err(format!("npm failed: {}", fs::read_to_string(&log)?).into());
    }
    fs::write(root.join(COMPLETE), "")?;
    Ok(root)
}
