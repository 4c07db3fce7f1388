//! From a folder of tenant files to typed tenants.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::decode::{Decode, Decoder};
use super::layers::merge;
use super::node::{Node, Value, parse};
use super::problem::{Problem, Problems};
use super::rules;
use super::settings::Settings;
use super::source::{Place, Sources};
use super::{Tenant, names};

/// File with the organisation's defaults, beside the tenants.
pub const DEFAULTS_FILE: &str = "_defaults.yaml";
const EXTENSION: &str = "yaml";

/// Why tenants could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file or folder could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Files are wrong.
    #[error(transparent)]
    Invalid(#[from] Box<Problems>),
}

/// The tenants that a folder holds, by name in alphabetic order: every `*.yaml` that does not begin with
/// an underscore.
///
/// # Errors
/// [`LoadError::Read`] where the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<String>, LoadError> {
    let unreadable = |source| LoadError::Read { path: folder.display().to_string(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_yaml = path.extension().is_some_and(|extension| extension == EXTENSION);
        if let Some(stem) = stem.filter(|stem| is_yaml && !stem.starts_with('_')) {
            found.push(stem.to_string());
        }
    }
    found.sort();
    Ok(found)
}

/// Loads the named tenants of a folder.
///
/// # Errors
/// Every problem of every file at once, as [`LoadError::Invalid`].
pub fn load(folder: &Path, organisation: &str, selected: &[String]) -> Result<Vec<Tenant>, LoadError> {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let builtin = sources.add("built-in defaults".into(), include_str!("builtin.yaml").into());
    let mut base = match parse(builtin, include_str!("builtin.yaml")) {
        Ok(node) => node,
        Err(problem) => return Err(Box::new(Problems::new(sources, vec![problem])).into()),
    };
    let defaults = folder.join(DEFAULTS_FILE);
    if defaults.exists() {
        match read_layer(&mut sources, &defaults)? {
            Ok(node) => base = merge(base, node),
            Err(problem) => problems.push(problem),
        }
    }
    let mut tenants = Vec::new();
    for name in selected {
        let path = folder.join(format!("{name}.{EXTENSION}"));
        match read_layer(&mut sources, &path)? {
            Ok(node) => {
                let start = node.place;
                let mut decoder = Decoder::default();
                let settings = Settings::decode(&merge(base.clone(), node), &mut decoder);
                problems.append(&mut decoder.problems);
                problems.extend(names::check(organisation, name, start));
                if let Some(settings) = settings {
                    problems.extend(rules::check(&settings));
                    tenants.push(Tenant::new(organisation, name, settings));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(tenants) } else { Err(Box::new(Problems::new(sources, problems)).into()) }
}

/// One file as a map; the outer error is the file system's, the inner one the file's own.
fn read_layer(sources: &mut Sources, path: &Path) -> Result<Result<Node, Problem>, LoadError> {
    let shown = shown(path);
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: shown.clone(), source })?;
    let (text, broken) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
        }
    };
    let id = sources.add(shown, text.clone());
    if let Some(at) = broken {
        let line = u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX);
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        let place = Place { source: id, start, end: start + 1, line, column: 1 };
        return Ok(Err(Problem::new(place, "the file is not UTF-8").help("save it as UTF-8")));
    }
    Ok(parse(id, &text).and_then(|node| match node.value {
        Value::Map(_) => Ok(node),
        value => Err(Problem::new(node.place, format!("a tenant file is a map, not {}", value.kind()))),
    }))
}

/// The path as people typed it: relative to the folder they are in where it lies below it.
fn shown(path: &Path) -> String {
    let plain: PathBuf = path.components().filter(|part| part.as_os_str() != ".").collect();
    plain.display().to_string()
}
