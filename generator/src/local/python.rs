//! Finding a Python that can make the environments.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::error::LocalError;

/// Oldest Python that ministack and the judges run on.
const OLDEST: (u32, u32) = (3, 11);

/// Names under which a Python is looked for, in this order.
const NAMES: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];

/// Prints version and path of the interpreter itself, not of a virtual environment around it, so that
/// the installation does not depend on whichever environment happens to be active.
const PROBE: &str = "import sys
print('.'.join(map(str, sys.version_info[:3])))
print(getattr(sys, '_base_executable', sys.executable))
import ensurepip, venv";

/// A Python that is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    /// The interpreter.
    pub(super) path: PathBuf,
    /// Its version.
    pub(super) version: Version,
}

/// A Python version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Reads `3.11.7`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '.').map(|part| part.parse().ok());
        Some(Self { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? })
    }

    fn is_new_enough(self) -> bool {
        (self.major, self.minor) >= OLDEST
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The first Python on the search path that will do.
///
/// # Errors
/// [`LocalError::Python`] names what stands under each name where none will do.
pub(super) fn find() -> Result<Python, LocalError> {
    let mut found = Vec::new();
    for name in NAMES {
        match probe(name) {
            Ok(python) => return Ok(python),
            Err(reason) => found.push(format!("`{name}`: {reason}")),
        }
    }
    Err(LocalError::Python { wanted: format!("{}.{}", OLDEST.0, OLDEST.1), found: found.join(", ") })
}

/// Asks the program `name` what it is; the reason where it will not do.
fn probe(name: &str) -> Result<Python, String> {
    let output = Command::new(name)
        .args(["-I", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "not found".to_owned())?;
    read_probe(&String::from_utf8_lossy(&output.stdout), output.status.success())
}

fn read_probe(stdout: &str, succeeded: bool) -> Result<Python, String> {
    let mut lines = stdout.lines();
    // A version manager's placeholder for a version that is not active prints nothing here.
    let version = lines.next().and_then(Version::parse).ok_or("not usable")?;
    let path = lines.next().ok_or("not usable")?;
    if !version.is_new_enough() {
        return Err(format!("version {version}"));
    }
    if !succeeded {
        return Err(format!("version {version} without `venv`"));
    }
    Ok(Python { path: PathBuf::from(path), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_python_is_taken_with_its_own_path() {
        let python = read_probe("3.14.0\n/usr/bin/python3.14\n", true).expect("a usable Python");
        assert_eq!(python.path, PathBuf::from("/usr/bin/python3.14"));
        assert_eq!(python.version.to_string(), "3.14.0");
    }

    #[test]
    fn an_old_or_incomplete_python_is_refused_by_name() {
        assert_eq!(read_probe("3.9.18\n/usr/bin/python3\n", true), Err("version 3.9.18".into()));
        assert_eq!(
            read_probe("3.12.1\n/usr/bin/python3\n", false),
            Err("version 3.12.1 without `venv`".into())
        );
        assert_eq!(read_probe("", false), Err("not usable".into()));
    }
}
