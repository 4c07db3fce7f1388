//! From a folder of tenant files to typed tenants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::collisions::{self, Outline};
use super::decode::{Decode, Decoder, Scalar, nearest};
use super::layers::{Layer, LayerKind, merge};
use super::node::{Node, Value};
use super::problem::{Problem, Problems};
use super::reading::{BUILTIN, BUILTIN_NAME, FILE_MAX, Reading, read, too_large};
use super::rules;
use super::settings::Settings;
use super::source::{Place, SourceId, Sources};
use super::values::TierName;
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

/// Which tenants of a folder are loaded, and what is looked at besides.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Organisation that runs the CDNs.
    pub organisation: &'a str,
    /// Names of the tenants.
    pub selected: &'a [String],
    /// Whether the folder's other tenants are looked at too: for the names that they take, and nothing else.
    pub with_others: bool,
    /// Whether the tiers that none of the tenants names are checked too.
    pub every_tier: bool,
}

/// What was loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The selected tenants.
    pub tenants: Vec<Tenant>,
    /// Files of other tenants that cannot be read: whether they take a name of the selected ones is not known.
    pub unread: Vec<String>,
}

/// Loads the named tenants of a folder, and looks at nothing besides.
///
/// # Errors
/// As [`load_with`].
pub fn load(folder: &Path, organisation: &str, selected: &[String]) -> Result<Vec<Tenant>, LoadError> {
    let request = Request { organisation, selected, with_others: false, every_tier: false };
    load_with(folder, &request).map(|loaded| loaded.tenants)
}

/// Loads tenants of a folder.
///
/// # Errors
/// Every problem of every file at once, as [`LoadError::Invalid`].
pub fn load_with(folder: &Path, request: &Request<'_>) -> Result<Loaded, LoadError> {
    let mut reader = Reader::new(folder)?;
    let (mut loaded, mut outlines) = (Vec::new(), Vec::new());
    for name in request.selected {
        let stack = reader.stack(name)?;
        let start = stack.start();
        reader.problems.extend(names::check(request.organisation, name, start));
        let state = stack.state;
        let Some(settings) = reader.decode(stack.nodes(), state) else { continue };
        if state.is_good {
            reader.problems.extend(rules::check(name, &settings));
            outlines.push(Outline::of(request.organisation, name, &settings, start));
            loaded.push(Tenant::new(request.organisation, name, settings));
        }
    }
    if request.every_tier {
        reader.every_tier()?;
    }
    let own = outlines.len();
    let mut unread = Vec::new();
    if request.with_others {
        let others = list(folder)?.into_iter().filter(|name| !request.selected.contains(name));
        for name in others {
            // What is wrong in other files is for whoever selects them.
            let known = reader.problems.len();
            let stack = reader.stack(&name)?;
            reader.problems.truncate(known);
            if stack.state.is_good {
                outlines.push(Outline::read(request.organisation, &name, &stack.layers, stack.start()));
            } else {
                unread.push(shown(&folder.join(format!("{name}.{EXTENSION}"))));
            }
        }
    }
    reader.problems.extend(collisions::check(&outlines, own));
    if reader.problems.is_empty() {
        Ok(Loaded { tenants: loaded, unread })
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
    let stack = reader.stack(name)?;
    if reader.problems.is_empty() {
        Ok((reader.sources, stack.layers))
    } else {
        Err(Box::new(Problems::new(reader.sources, reader.problems)).into())
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
    let mut layers = reader.shared.layers.clone();
    if let Some(tier) = tier
        && let Some((node, _)) = reader.tier(tier, place)?
    {
        layers.push(Layer { kind: LayerKind::Tier(tier.to_string()), node });
    }
    if reader.problems.is_empty() {
        Ok(layers)
    } else {
        Err(Box::new(Problems::new(reader.sources, reader.problems)).into())
    }
}

/// How far what was read can be relied on.
#[derive(Debug, Clone, Copy)]
struct State {
    /// Nothing is missing, so that a key that is not set can be told.
    is_whole: bool,
    /// Nothing was wrong, so that settings can be judged by each other.
    is_good: bool,
}

impl State {
    const GOOD: Self = Self { is_whole: true, is_good: true };
    const BAD: Self = Self { is_whole: false, is_good: false };

    fn and(self, other: Self) -> Self {
        Self { is_whole: self.is_whole && other.is_whole, is_good: self.is_good && other.is_good }
    }
}

/// Layers that lie over each other, lowest first.
#[derive(Debug, Clone)]
struct Stack {
    layers: Vec<Layer>,
    state: State,
}

impl Stack {
    fn push(&mut self, kind: LayerKind, node: Node, state: State) {
        self.layers.push(Layer { kind, node });
        self.state = self.state.and(state);
    }

    /// The beginning of the uppermost file.
    fn start(&self) -> Place {
        let top = self.layers.last().map_or(SourceId::FIRST, |layer| layer.node.place.source);
        Place::start_of(top)
    }

    fn nodes(self) -> impl Iterator<Item = Node> {
        self.layers.into_iter().map(|layer| layer.node)
    }
}

/// Reads layers, those that tenants share once.
struct Reader<'a> {
    folder: &'a Path,
    sources: Sources,
    problems: Vec<Problem>,
    /// Built-in and the organisation's defaults.
    shared: Stack,
    tiers: BTreeMap<String, (Node, State)>,
}

impl<'a> Reader<'a> {
    fn new(folder: &'a Path) -> Result<Self, LoadError> {
        let mut sources = Sources::default();
        let builtin = sources.add(BUILTIN_NAME.into(), BUILTIN.into());
        let shared = Stack { layers: Vec::new(), state: State::GOOD };
        let mut reader = Self { folder, sources, problems: Vec::new(), shared, tiers: BTreeMap::new() };
        let (node, state) = reader.note(read(builtin, BUILTIN));
        reader.shared.push(LayerKind::Builtin, node, state);
        let defaults = folder.join(DEFAULTS_FILE);
        if defaults.exists() {
            let (node, state) = reader.file(&defaults)?;
            reader.shared.push(LayerKind::Defaults, node, state);
        }
        Ok(reader)
    }

    /// The layers of a tenant; what is wrong with them is noted.
    fn stack(&mut self, name: &str) -> Result<Stack, LoadError> {
        let (own, state) = self.file(&self.folder.join(format!("{name}.{EXTENSION}")))?;
        let mut stack = self.shared.clone();
        let named = std::iter::once(&own).chain(stack.layers.iter().rev().map(|layer| &layer.node));
        let tier = named.filter_map(|node| node.get("tier")).next().cloned();
        // Any other value is refused where the setting is read.
        if let Some(Node { value: Value::Text(tier), place }) = tier {
            match self.tier(&tier, place)? {
                Some((node, state)) => stack.push(LayerKind::Tier(tier), node, state),
                None => stack.state = State::BAD,
            }
        }
        stack.push(LayerKind::Tenant, own, state);
        Ok(stack)
    }

    /// The settings that layers make; what is wrong with them is noted.
    fn decode(&mut self, nodes: impl Iterator<Item = Node>, state: State) -> Option<Settings> {
        let mut decoder = if state.is_whole { Decoder::default() } else { Decoder::partial() };
        let settings = nodes.reduce(merge).and_then(|node| Settings::decode(&node, &mut decoder));
        self.problems.append(&mut decoder.problems);
        settings
    }

    /// A tier's layer; `None` after noting that there is none of this name.
    fn tier(&mut self, tier: &str, place: Place) -> Result<Option<(Node, State)>, LoadError> {
        if let Some(known) = self.tiers.get(tier) {
            return Ok(Some(known.clone()));
        }
        let tiers = self.tier_names()?;
        if !tiers.iter().any(|known| known == tier) {
            let known: Vec<&str> = tiers.iter().map(String::as_str).collect();
            let help = match known.as_slice() {
                [] => format!("there is no file in `{}`", shown(&self.folder.join(TIERS_FOLDER))),
                known => nearest(tier, known).replace("known keys here", "tiers"),
            };
            let problem = Problem::new(place, format!("there is no tier `{tier}`")).help(help);
            self.problems.push(problem);
            return Ok(None);
        }
        let path = self.folder.join(TIERS_FOLDER).join(format!("{tier}.{EXTENSION}"));
        let (node, mut state) = self.file(&path)?;
        for key in ["tier", "name"].into_iter().filter_map(|key| node.get(key)) {
            let message = "a tier cannot say `tier` or `name`: both are a tenant's own";
            self.problems.push(Problem::new(key.place, message).help("take the line out"));
            state.is_good = false;
        }
        self.tiers.insert(tier.to_string(), (node.clone(), state));
        Ok(Some((node, state)))
    }

    fn tier_names(&self) -> Result<Vec<String>, LoadError> {
        let folder = self.folder.join(TIERS_FOLDER);
        if folder.is_dir() { list(&folder) } else { Ok(Vec::new()) }
    }

    /// Checks the tiers that no tenant has named so far, as far as that goes without a tenant over them.
    fn every_tier(&mut self) -> Result<(), LoadError> {
        for tier in self.tier_names()? {
            if self.tiers.contains_key(&tier) {
                continue;
            }
            let Some((node, _)) = self.tier(&tier, Place::start_of(SourceId::FIRST))? else { continue };
            let start = Place::start_of(node.place.source);
            let mut decoder = Decoder::partial();
            let name = Node { value: Value::Text(tier), place: start };
            decoder.within("tier", |decoder| TierName::scalar(&name, decoder));
            self.problems.append(&mut decoder.problems);
            let mut stack = self.shared.clone();
            stack.push(LayerKind::Tenant, node, State::BAD);
            self.decode(stack.nodes(), State::BAD);
        }
        Ok(())
    }

    /// Reads one file; what is wrong with it is noted.
    fn file(&mut self, path: &Path) -> Result<(Node, State), LoadError> {
        let shown = shown(path);
        let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: shown.clone(), source })?;
        let reading = layer_of(&mut self.sources, shown, bytes);
        Ok(self.note(reading))
    }

    fn note(&mut self, reading: Reading) -> (Node, State) {
        let state = State { is_whole: reading.is_whole, is_good: reading.problems.is_empty() };
        self.problems.extend(reading.problems);
        (reading.node, state)
    }
}

/// What a file holds as a map, and what is wrong with it.
pub(super) fn layer_of(sources: &mut Sources, shown: String, bytes: Vec<u8>) -> Reading {
    let refused = |id, problem| Reading {
        node: Node::empty_map(Place::start_of(id)),
        problems: vec![problem],
        is_whole: false,
    };
    if bytes.len() > FILE_MAX {
        // Nothing of it is kept: an excerpt of what nobody wrote by hand helps nobody.
        let id = sources.add(shown, String::new());
        return refused(id, too_large(id, bytes.len()));
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
        return refused(id, Problem::new(place, "the file is not UTF-8").help("save it as UTF-8"));
    }
    let mut reading = read(id, &text);
    if !matches!(reading.node.value, Value::Map(_)) {
        let message = format!("a tenant file is a map, not {}", reading.node.value.kind());
        if reading.is_whole {
            reading.problems.push(Problem::new(reading.node.place, message));
        }
        reading.node = Node::empty_map(Place::start_of(id));
        reading.is_whole = false;
    }
    reading
}

/// The path as people typed it: relative to the folder they are in where it lies below it.
fn shown(path: &Path) -> String {
    let plain: PathBuf = path.components().filter(|part| part.as_os_str() != ".").collect();
    plain.display().to_string()
}
