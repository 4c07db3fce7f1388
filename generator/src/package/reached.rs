//! What of the workspace reaches the packed crates: their folders, and the parts of the workspace's manifest and
//! lock file that can change them. A dependency that only the tool has asks for no new zips.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::PackageError;
use crate::render::Artifact;

/// Profiles that are never packed.
const OTHER_PROFILES: [&str; 3] = ["dev", "test", "bench"];

/// The parts that a packed crate depends on.
pub(super) struct Reached {
    /// The folders of the packed crates and of those of the workspace that they use, sorted.
    pub folders: BTreeSet<PathBuf>,
    /// The workspace's manifest without what concerns others, in a fixed form.
    pub manifest: String,
    /// The entries of the lock file that are used, in a fixed form.
    pub lock: String,
}

impl Reached {
    /// Reads manifests and lock file.
    ///
    /// # Errors
    /// [`PackageError::File`] where one cannot be read, [`PackageError::Manifest`] where one is no TOML.
    pub(super) fn find(workspace: &Path) -> Result<Self, PackageError> {
        let mut names: BTreeSet<String> = Artifact::ALL.iter().map(ToString::to_string).collect();
        let mut folders = BTreeSet::new();
        let mut open: Vec<String> = names.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let folder = workspace.join("runtime").join(&name);
            let manifest = folder.join("Cargo.toml");
            // Whatever has no folder here comes from a registry.
            if !manifest.is_file() {
                continue;
            }
            folders.insert(folder);
            let found = dependencies(&table(&manifest)?);
            open.extend(found.iter().filter(|name| !names.contains(*name)).cloned());
            names.extend(found);
        }
        let mut manifest = table(&workspace.join("Cargo.toml"))?;
        let packages = declared(&mut manifest, &names);
        let lock = locked(&table(&workspace.join("Cargo.lock"))?, packages);
        Ok(Reached { folders, manifest: manifest.to_string(), lock })
    }
}

fn table(path: &Path) -> Result<Table, PackageError> {
    let text = std::fs::read_to_string(path).map_err(PackageError::file("read", path))?;
    text.parse().map_err(|source| PackageError::Manifest { path: path.into(), source: Box::new(source) })
}

/// Names of everything that a build of a crate uses, for any target; tests and benchmarks are no part of it.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = std::iter::once(manifest)
        .chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    let kinds = ["dependencies", "build-dependencies"];
    tables
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|table| table.keys().cloned())
        .collect()
}

/// Strips the workspace's manifest of what concerns none of `names`. Gives the names of their packages.
fn declared(manifest: &mut Table, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut packages = names.clone();
    if let Some(workspace) = manifest.get_mut("workspace").and_then(Value::as_table_mut) {
        for key in ["members", "default-members", "exclude", "lints"] {
            workspace.remove(key);
        }
        if let Some(declared) = workspace.get_mut("dependencies").and_then(Value::as_table_mut) {
            declared.retain(|name, _| names.contains(name));
            packages.extend(
                declared.values().filter_map(|entry| Some(entry.get("package")?.as_str()?.to_owned())),
            );
        }
    }
    if let Some(profiles) = manifest.get_mut("profile").and_then(Value::as_table_mut) {
        profiles.retain(|name, _| !OTHER_PROFILES.contains(&name));
    }
    packages
}

/// The entries of a lock file for these packages and all that they depend on, sorted.
fn locked(lock: &Table, packages: BTreeSet<String>) -> String {
    let entries = || lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).map(str::to_owned);
    let mut known = packages.clone();
    let mut open: Vec<String> = packages.into_iter().collect();
    let mut lines = BTreeSet::new();
    while let Some(package) = open.pop() {
        // Every version of the name: one too many asks for a build too many, and for nothing worse.
        for entry in entries().filter(|entry| name(entry).as_deref() == Some(&package)) {
            // The workspace's own crates name what their tests use too; their manifests were read above.
            if entry.get("source").is_none() && entry.get("checksum").is_none() {
                continue;
            }
            lines.insert(entry.to_string());
            let dependencies = entry.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            // `name`, `name version` or `name version (source)`.
            for next in dependencies.filter_map(|text| text.as_str()?.split(' ').next()) {
                if known.insert(next.to_owned()) {
                    open.push(next.to_owned());
                }
            }
        }
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}
