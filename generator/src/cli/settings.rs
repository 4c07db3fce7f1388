//! Settings of the tool: flag, then `GENERATOR_*`, then `generator.yaml`, then default. Resolved once.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::args::{Global, Output};
use super::exit::Exit;
use super::failure::Failure;
use crate::aws::CloudSettings;
use crate::local::Cache;

/// File with the project's settings, in its root.
pub(super) const FILE: &str = "generator.yaml";

/// `generator.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    organisation: Option<String>,
    tenants: Option<PathBuf>,
    templates: Option<PathBuf>,
    policies: Option<PathBuf>,
    profile: Option<String>,
    journal: Option<String>,
}

/// Folders of the user that runs the tool.
#[derive(Debug, Clone, Default)]
pub(super) struct Folders {
    /// What can be made again.
    pub cache: Option<PathBuf>,
    /// What cannot.
    pub state: Option<PathBuf>,
}

/// What a run works with.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The working folder: relative paths of flags start here.
    pub here: PathBuf,
    /// Root of the project: relative paths of `generator.yaml` start here.
    pub root: PathBuf,
    /// First part of every name.
    pub organisation: String,
    /// Folder with the tenant files.
    pub tenants: PathBuf,
    /// Folder with the templates.
    pub templates: PathBuf,
    /// Where journals are kept: a whole path, or `s3://bucket/prefix`.
    pub journal: String,
    /// Folder with the policies; there are none where it does not exist.
    pub policies: PathBuf,
    /// Folder with the local cloud and built artifacts.
    pub cache: Cache,
    /// Instance of the local cloud.
    pub instance: String,
    /// Whether to work on the local cloud.
    pub local: bool,
    /// How AWS is reached; without the local cloud's endpoint, which is known once it runs.
    pub cloud: CloudSettings,
    /// Form of what is written to stdout.
    pub output: Output,
    /// Whether questions are answered with yes.
    pub yes: bool,
    /// Whether to tell every resource's progress.
    pub verbose: bool,
}

impl Settings {
    /// Resolves the settings. `here` is the working folder.
    ///
    /// # Errors
    /// A `generator.yaml` that cannot be read, and an organisation that no name can be built from.
    pub(super) fn resolve(global: &Global, here: &Path, folders: Folders) -> Result<Self, Failure> {
        let file_path = match &global.config {
            Some(path) => here.join(path),
            None => find(here).unwrap_or_else(|| here.join(FILE)),
        };
        let file = read(&file_path, global.config.is_some())?;
        let root = file_path.parent().map_or_else(|| here.to_path_buf(), Path::to_path_buf);
        let organisation = global.organisation.clone().or(file.organisation).ok_or_else(|| {
            Failure::new(Exit::Usage, "no organisation is set, and every name begins with it")
                .help(format!("set `organisation` in `{}` or pass `--organisation`", file_path.display()))
        })?;
        if !is_name(&organisation) {
            let message = format!("`{organisation}` cannot be an organisation's name");
            let help = "use lower-case letters, digits and single inner hyphens, a letter first";
            return Err(Failure::new(Exit::Usage, message).help(help));
        }
        let cache = global.cache_dir.clone().or(folders.cache).ok_or_else(|| {
            Failure::new(Exit::Usage, "there is no home folder to keep a cache in")
                .help("pass `--cache-dir` or set `GENERATOR_CACHE_DIR`")
        })?;
        let cache = here.join(cache);
        let journal = match file.journal {
            Some(place) if place.starts_with("s3://") => place,
            Some(place) => root.join(place).display().to_string(),
            None => folders.state.unwrap_or_else(|| cache.clone()).join("runs").display().to_string(),
        };
        let folder = |flag: &Option<PathBuf>, file: Option<PathBuf>, default: &str| match (flag, file) {
            (Some(flag), _) => here.join(flag),
            (None, file) => relative(&root, here, &file.unwrap_or_else(|| default.into())),
        };
        let tenants = folder(&global.tenants_dir, file.tenants, "tenants");
        let policies = match (&global.policies_dir, &file.policies) {
            (None, None) => tenants.parent().unwrap_or(Path::new("")).join("policies"),
            _ => {
                let chosen = folder(&global.policies_dir, file.policies, "policies");
                if !here.join(&chosen).is_dir() {
                    let message = format!("there is no folder `{}` with policies", chosen.display());
                    return Err(Failure::new(Exit::Usage, message));
                }
                chosen
            }
        };
        Ok(Self {
            tenants,
            policies,
            templates: folder(&global.templates_dir, file.templates, "templates"),
            here: here.to_path_buf(),
            root,
            organisation,
            journal,
            cache: Cache::new(cache),
            instance: global.local_instance.clone(),
            local: global.local,
            cloud: CloudSettings {
                profile: global.profile.clone().or(file.profile),
                endpoint_url: global.endpoint_url.clone(),
                ca_bundle: global.ca_bundle.clone(),
                role_arn: global.role_arn.clone(),
                local: global.local,
                calls_per_second: None,
            },
            output: global.output,
            yes: global.yes,
            verbose: global.verbose,
        })
    }
}

/// A path below the root, as short as it can be shown from here.
fn relative(root: &Path, here: &Path, path: &Path) -> PathBuf {
    let whole = root.join(path);
    whole.strip_prefix(here).map(Path::to_path_buf).unwrap_or(whole)
}

/// The nearest `generator.yaml` at or above `here`.
fn find(here: &Path) -> Option<PathBuf> {
    here.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

fn read(path: &Path, required: bool) -> Result<File, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(File::default()),
        Err(error) => {
            return Err(Failure::new(Exit::Usage, format!("cannot read `{}`: {error}", path.display())));
        }
    };
    let read: Result<Option<File>, _> = serde_saphyr::from_str(&text);
    read.map(Option::unwrap_or_default).map_err(|error| {
        let place = error
            .location()
            .map_or_else(String::new, |place| format!(":{}:{}", place.line(), place.column()));
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        Failure::new(Exit::Usage, format!("{}{place}: {message}", path.display()))
    })
}

fn is_name(text: &str) -> bool {
    (1..=30).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.ends_with('-')
        && !text.contains("--")
}
