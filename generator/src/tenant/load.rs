//! From a folder of tenant files to typed tenants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::collisions;
use super::decode::{Decode, Decoder, nearest};
use super::layers::{Layer, LayerKind, merge};
use super::node::{BUILTIN, BUILTIN_NAME, FILE_MAX, Node, Value, parse, too_large};
use super::problem::{Problem, Problems};
use super::rules;
use super::settings::Settings;
use super::source::{Place, SourceId, Sources};
use super::{Tenant, names};

/// File with the organisation's defaults, beside the tenants.
pub const DEFAULTS_FILE: &str = "_defaults.yaml";
/// Folder with the layers between the defaults and the tenants, beside the tenants.
pub const TIERS_FOLDER: &str = "_tiers";
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
    let mut reader = Reader::new(folder)?;
    let mut loaded = Vec::new();
    for name in selected {
        let Some(layers) = reader.layers(name)? else { continue };
        let start = layers.last().map_or_else(|| Place::start_of(SourceId::FIRST), |layer| layer.node.place);
        let start = Place::start_of(start.source);
        let merged = layers.into_iter().map(|layer| layer.node).reduce(merge);
        let mut decoder = Decoder::default();
        let settings = merged.and_then(|node| Settings::decode(&node, &mut decoder));
        reader.problems.append(&mut decoder.problems);
        reader.problems.extend(names::check(organisation, name, start));
        if let Some(settings) = settings {
            reader.problems.extend(rules::check(name, &settings));
            loaded.push((Tenant::new(organisation, name, settings), start));
        }
    }
    reader.problems.extend(collisions::check(&loaded));
    if reader.problems.is_empty() {
        Ok(loaded.into_iter().map(|(tenant, _)| tenant).collect())
    } else {
        Err(Box::new(Problems::new(reader.sources, reader.problems)).into())
    }
}

/// The layers of one tenant as they were written, lowest first, with the files that their places refer to.
///
/// # Errors
/// Files that cannot be read, or that hold no map.
pub fn layers(folder: &Path, name: &str) -> Result<(Sources, Vec<Layer>), LoadError> {
    let mut reader = Reader::new(folder)?;
    let layers = reader.layers(name)?;
    match layers.filter(|_| reader.problems.is_empty()) {
        Some(layers) => Ok((reader.sources, layers)),
        None => Err(Box::new(Problems::new(reader.sources, reader.problems)).into()),
    }
}

/// The layers under a file that is not written yet, and that `check` has nothing against.
///
/// # Errors
/// What `check` finds, a tier that does not exist, and layers that hold no map.
pub(super) fn new_layers(
    folder: &Path,
    file: &str,
    tier: Option<&str>,
    check: impl FnOnce(Place) -> Vec<Problem>,
) -> Result<Vec<Layer>, LoadError> {
    let mut reader = Reader::new(folder)?;
    let text = tier.map_or_else(String::new, |tier| format!("tier: {tier}"));
    let place = Place::start_of(reader.sources.add(shown(&folder.join(file)), text));
    reader.problems.extend(check(place));
    let mut layers = reader.shared.clone().unwrap_or_default();
    if let Some(tier) = tier
        && let Some(node) = reader.tier(tier, place)?
    {
        layers.push(Layer { kind: LayerKind::Tier(tier.to_string()), node });
    }
    if reader.problems.is_empty() {
        Ok(layers)
    } else {
        Err(Box::new(Problems::new(reader.sources, reader.problems)).into())
    }
}

/// Reads layers, those that tenants share once.
struct Reader<'a> {
    folder: &'a Path,
    sources: Sources,
    problems: Vec<Problem>,
    /// Built-in and the organisation's defaults; `None` where they cannot be used.
    shared: Option<Vec<Layer>>,
    tiers: BTreeMap<String, Option<Node>>,
}

impl<'a> Reader<'a> {
    fn new(folder: &'a Path) -> Result<Self, LoadError> {
        let mut sources = Sources::default();
        let builtin = sources.add(BUILTIN_NAME.into(), BUILTIN.into());
        let mut reader = Self { folder, sources, problems: Vec::new(), shared: None, tiers: BTreeMap::new() };
        let mut shared = vec![parse(builtin, BUILTIN).map(|node| Layer { kind: LayerKind::Builtin, node })];
        let defaults = folder.join(DEFAULTS_FILE);
        if defaults.exists() {
            let read = read_layer(&mut reader.sources, &defaults)?;
            shared.push(read.map(|node| Layer { kind: LayerKind::Defaults, node }));
        }
        let (good, bad): (Vec<_>, Vec<_>) = shared.into_iter().partition(Result::is_ok);
        reader.problems.extend(bad.into_iter().filter_map(Result::err));
        reader.shared = reader.problems.is_empty().then(|| good.into_iter().filter_map(Result::ok).collect());
        Ok(reader)
    }

    /// The layers of a tenant, or `None` after noting why they cannot be laid over each other.
    fn layers(&mut self, name: &str) -> Result<Option<Vec<Layer>>, LoadError> {
        let path = self.folder.join(format!("{name}.{EXTENSION}"));
        let own = match read_layer(&mut self.sources, &path)? {
            Ok(node) => node,
            Err(problem) => {
                self.problems.push(problem);
                return Ok(None);
            }
        };
        let Some(mut layers) = self.shared.clone() else { return Ok(None) };
        let named = std::iter::once(&own).chain(layers.iter().rev().map(|layer| &layer.node));
        let tier = named.filter_map(|node| node.get("tier")).next().cloned();
        // Any other value is refused where the setting is read.
        if let Some(Node { value: Value::Text(tier), place }) = tier {
            let Some(node) = self.tier(&tier, place)? else { return Ok(None) };
            layers.push(Layer { kind: LayerKind::Tier(tier), node });
        }
        layers.push(Layer { kind: LayerKind::Tenant, node: own });
        Ok(Some(layers))
    }

    fn tier(&mut self, tier: &str, place: Place) -> Result<Option<Node>, LoadError> {
        if let Some(known) = self.tiers.get(tier) {
            return Ok(known.clone());
        }
        let folder = self.folder.join(TIERS_FOLDER);
        let tiers = if folder.is_dir() { list(&folder)? } else { Vec::new() };
        if !tiers.iter().any(|known| known == tier) {
            let known: Vec<&str> = tiers.iter().map(String::as_str).collect();
            let help = match known.as_slice() {
                [] => format!("there is no file in `{}`", shown(&folder)),
                known => nearest(tier, known).replace("known keys here", "tiers"),
            };
            let problem = Problem::new(place, format!("there is no tier `{tier}`")).help(help);
            self.problems.push(problem);
            return Ok(None);
        }
        let node = match read_layer(&mut self.sources, &folder.join(format!("{tier}.{EXTENSION}")))? {
            Ok(node) => match node.get("tier").or_else(|| node.get("name")) {
                None => Some(node),
                Some(key) => {
                    let message = "a tier cannot say `tier` or `name`: both are a tenant's own";
                    self.problems.push(Problem::new(key.place, message).help("take the line out"));
                    None
                }
            },
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        self.tiers.insert(tier.to_string(), node.clone());
        Ok(node)
    }
}

/// One file as a map; the outer error is the file system's, the inner one the file's own.
fn read_layer(sources: &mut Sources, path: &Path) -> Result<Result<Node, Problem>, LoadError> {
    let shown = shown(path);
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: shown.clone(), source })?;
    Ok(layer_of(sources, shown, bytes))
}

/// What a file holds as a map, or what is wrong with it.
pub(super) fn layer_of(sources: &mut Sources, shown: String, bytes: Vec<u8>) -> Result<Node, Problem> {
    if bytes.len() > FILE_MAX {
        // Nothing of it is kept: an excerpt of what nobody wrote by hand helps nobody.
        let id = sources.add(shown, String::new());
        return Err(too_large(id, bytes.len()));
    }
    let (text, broken) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
        }
    };
    let id = sources.add(shown, text.clone());
    if let Some(at) = broken {
        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let line = narrow(text[..at].matches('\n').count() + 1);
        let column = narrow(text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1);
        // The replacement character that stands there now has three bytes.
        let place = Place { source: id, start: narrow(at), end: narrow(at + 3), line, column };
        return Err(Problem::new(place, "the file is not UTF-8").help("save it as UTF-8"));
    }
    parse(id, &text).and_then(|node| match node.value {
        Value::Map(_) => Ok(node),
        value => Err(Problem::new(node.place, format!("a tenant file is a map, not {}", value.kind()))),
    })
}

/// The path as people typed it: relative to the folder they are in where it lies below it.
fn shown(path: &Path) -> String {
    let plain: PathBuf = path.components().filter(|part| part.as_os_str() != ".").collect();
    plain.display().to_string()
}
