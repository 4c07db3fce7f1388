//! Which of the caller's environment variables a build may see.
//!
//! A list of what is kept, not of what is removed: a variable that nobody thought of (`CC`, `CFLAGS`,
//! `RUSTFLAGS`, `CARGO_PROFILE_…`, a locale) cannot reach the compilers and change the bytes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// Variables that say where tools, downloads and scratch space are. None of them changes what is compiled.
const KEPT: [&str; 20] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_DIST_SERVER",
    "RUSTUP_UPDATE_ROOT",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
];

/// Beginnings of variables by which cargo finds its registries.
const KEPT_PREFIXES: [&str; 5] =
    ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"];

/// The environment of the process that asked for a build.
///
/// It can hold registry tokens, so `Debug` shows how many variables there are and nothing of them.
#[derive(Clone, Default)]
pub struct CallerEnvironment(BTreeMap<OsString, OsString>);

impl CallerEnvironment {
    /// Takes the variables of the caller, for instance `std::env::vars_os()`.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        CallerEnvironment(variables.into_iter().collect())
    }

    /// The same with one variable set.
    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The variables a build may see.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .filter(|(name, _)| is_kept(name))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Cargo's own folder: `CARGO_HOME`, or `.cargo` in the home folder.
    pub(super) fn cargo_home(&self) -> Option<PathBuf> {
        self.folder("CARGO_HOME", ".cargo")
    }

    /// The folder of rustup's toolchains: `RUSTUP_HOME`, or `.rustup` in the home folder.
    pub(super) fn rustup_home(&self) -> Option<PathBuf> {
        self.folder("RUSTUP_HOME", ".rustup")
    }

    fn folder(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        match self.get(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => self.get("HOME").map(|home| PathBuf::from(home).join(in_home)),
        }
    }
}

impl fmt::Debug for CallerEnvironment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CallerEnvironment({} variables)", self.0.len())
    }
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> CallerEnvironment {
        CallerEnvironment::new(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn variables_that_change_the_bytes_are_dropped() {
        let environment = environment(&[
            ("PATH", "/bin"),
            ("RUSTFLAGS", "-Ctarget-cpu=native"),
            ("CARGO_ENCODED_RUSTFLAGS", "-Copt-level=0"),
            ("CARGO_BUILD_RUSTFLAGS", "-g"),
            ("CARGO_PROFILE_RUNTIME_LTO", "off"),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "mold"),
            ("CC", "clang"),
            ("CFLAGS", "-O0"),
            ("LANG", "tr_TR.UTF-8"),
            ("TZ", "Asia/Tokyo"),
            ("SOURCE_DATE_EPOCH", "1"),
            ("CARGO_REGISTRIES_INTERNAL_INDEX", "sparse+https://registry.example/"),
        ]);
        let kept: Vec<_> = environment.kept().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        assert_eq!(kept, ["CARGO_REGISTRIES_INTERNAL_INDEX", "PATH"]);
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", environment(&[("CARGO_REGISTRIES_INTERNAL_TOKEN", "very-secret")]));
        assert_eq!(shown, "CallerEnvironment(1 variables)");
    }

    #[test]
    fn cargo_home_falls_back_to_the_home_folder() {
        assert_eq!(environment(&[("HOME", "/h")]).cargo_home(), Some(PathBuf::from("/h/.cargo")));
        let both = environment(&[("HOME", "/h"), ("CARGO_HOME", "/c")]);
        assert_eq!(both.cargo_home(), Some(PathBuf::from("/c")));
        assert_eq!(environment(&[("CARGO_HOME", "")]).cargo_home(), None);
    }
}
