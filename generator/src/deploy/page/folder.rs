//! The files of a page, as they lie in the project, and what browsers are told of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::CONFIG;
use crate::deploy::DeployError;
use crate::plan::digest_of;
use crate::render::RenderedPage;

/// Most files of a page.
const FILES: usize = 2_000;
/// Largest file of a page, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;
/// The file that is also given for the folder itself.
const INDEX: &str = "index.html";
/// For what may change with the next deployment: asked for each time, and sent again only where it has changed.
const ASK: &str = "no-cache";
/// For what never changes under its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageFile {
    pub(super) bytes: Vec<u8>,
    pub(super) media_type: &'static str,
    pub(super) cache_control: &'static str,
}

impl PageFile {
    /// A file of this name.
    pub(super) fn new(name: &str, bytes: Vec<u8>) -> Self {
        let cache_control = if names_its_content(name) { FOR_EVER } else { ASK };
        Self { bytes, media_type: media_type(name), cache_control }
    }

    /// Digest of all that a browser gets.
    pub(super) fn digest(&self) -> String {
        digest_of([self.media_type.as_bytes(), self.cache_control.as_bytes(), &self.bytes])
    }

    /// Whether it is a document, which names other files.
    pub(super) fn is_document(&self) -> bool {
        self.media_type.starts_with("text/html")
    }
}

/// The files of a page by their path within its folder, without what is worked out of the stacks' outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) files: BTreeMap<String, PageFile>,
}

impl Folder {
    /// Reads the folder of a page, `root` being the project's. Hidden files are left out.
    pub(super) fn read(root: &Path, tenant: &str, page: &RenderedPage) -> Result<Self, DeployError> {
        let refuse = |reason: String, help: &str| DeployError::Page {
            tenant: tenant.to_owned(),
            reason,
            help: help.to_owned(),
        };
        let folder = root.join(&page.folder);
        let unreadable = |path: &Path, error: &std::io::Error| {
            refuse(format!("`{}` cannot be read: {error}", path.display()), "see `page.folder`")
        };
        if !folder.is_dir() {
            let help = "set `page.folder` to a folder of the project, from its root";
            return Err(refuse(format!("there is no folder `{}`", folder.display()), help));
        }
        let mut files = BTreeMap::new();
        for path in walk(&folder).map_err(|error| unreadable(&folder, &error))? {
            let relative = path.strip_prefix(&folder).unwrap_or(&path);
            let name = relative.to_str().map(|name| name.replace('\\', "/"));
            let Some(name) = name.filter(|name| is_plain(name)) else {
                let help = "use letters, digits and `. _ - ~ @ +` in the names of a page's files";
                return Err(refuse(format!("`{}` has a name that URLs cannot show", path.display()), help));
            };
            if name == CONFIG {
                let help = "take it out: `generator` writes the page's settings from the stacks' outputs";
                return Err(refuse(format!("the folder has a `{CONFIG}` of its own"), help));
            }
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            let most = page.largest.unwrap_or(LARGEST).min(LARGEST);
            if bytes.len() as u64 > most {
                let reason =
                    format!("`{name}` has {} bytes, over the {most} that a file may have", bytes.len());
                return Err(refuse(reason, "make the file smaller; see `uploads.limit_megabytes` too"));
            }
            files.insert(name.clone(), PageFile::new(&name, bytes));
            if files.len() > FILES {
                return Err(refuse(format!("the folder has over {FILES} files"), "see `page.folder`"));
            }
        }
        if files.is_empty() {
            return Err(refuse(format!("the folder `{}` is empty", folder.display()), "see `page.folder`"));
        }
        Ok(Self { files })
    }

    /// Digest of all files, names included.
    pub(super) fn digest(&self) -> String {
        let parts: Vec<_> = self.files.iter().map(|(name, file)| (name, file.digest())).collect();
        digest_of(parts.iter().flat_map(|(name, digest)| [name.as_bytes(), digest.as_bytes()]))
    }

    /// The objects of the page by key, `config` being its settings. Without rewriting, an edge asks the bucket for
    /// the very path: so the index of a folder is there under the folder's own name too.
    pub(super) fn objects(&self, prefix: &str, config: Option<Vec<u8>>) -> BTreeMap<String, PageFile> {
        let config = config.map(|bytes| (CONFIG.to_owned(), PageFile::new(CONFIG, bytes)));
        let mut objects = BTreeMap::new();
        for (name, file) in self.files.clone().into_iter().chain(config) {
            if name == INDEX || name.ends_with(&format!("/{INDEX}")) {
                let folder = name.strip_suffix(INDEX).unwrap_or_default();
                objects.insert(format!("{prefix}{folder}"), file.clone());
            }
            objects.insert(format!("{prefix}{name}"), file);
        }
        objects
    }
}

/// All files of a folder and of those within, but for hidden ones.
fn walk(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // A link is followed to a file, and to no folder: it might lead round in a circle.
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-~@+".contains(&byte))
}

/// Whether a part of the name is a digest, as build tools put it there: `app.3f9c2a1b.js`.
fn names_its_content(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    file.split(['.', '-', '_']).skip(1).any(|part| {
        part.len() >= 8
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("xml") => "application/xml",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("avif") => "image/avif",
        Some("ico") => "image/x-icon",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("wasm") => "application/wasm",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}
