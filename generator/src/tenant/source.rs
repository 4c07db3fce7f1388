//! Files as they were read, and places in them.

use std::fmt;

/// Index of a file within [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

impl SourceId {
    /// The file that was added first: the built-in defaults, where tenants are loaded.
    pub const FIRST: Self = Self(0);
}

/// A file that was read, kept for excerpts under errors.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path as messages show it.
    pub path: String,
    /// Whole text.
    pub text: String,
}

impl Source {
    /// Whether an excerpt around a place is short and quick to make.
    pub(super) fn is_showable(&self, place: Place) -> bool {
        const TEXT_MAX: usize = 100_000;
        const LINE_MAX: usize = 1_000;
        let start = place.start as usize;
        let line = self.text.get(..start).map_or(0, |before| before.rfind('\n').map_or(0, |end| end + 1));
        let length = self.text.get(line..).map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()));
        self.text.len() <= TEXT_MAX && length <= LINE_MAX
    }
}

/// Every file that took part in loading, so that a [`Place`] can stay small.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Keeps a file and returns its id.
    pub fn add(&mut self, path: String, text: String) -> SourceId {
        let id = SourceId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source { path, text });
        id
    }

    /// The file of this id.
    ///
    /// # Panics
    /// With an id of another `Sources`.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// `file:line:column` of a place.
    #[must_use]
    pub fn locate(&self, place: Place) -> Located<'_> {
        Located { path: &self.get(place.source).path, place }
    }
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// The beginning of a file: for what a file lacks as a whole.
    #[must_use]
    pub fn start_of(source: SourceId) -> Self {
        Self { source, start: 0, end: 0, line: 1, column: 1 }
    }
}

/// A place with its file's path; shows as `path:line:column`.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    path: &'a str,
    place: Place,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.place.line, self.place.column)
    }
}
