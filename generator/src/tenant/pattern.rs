//! Patterns of text settings, compiled when first used.

use std::sync::OnceLock;

use regex::Regex;

/// A regular expression in the part of the language that Rust and ECMA-262 share, so that the loader and an
/// editor judge alike: ASCII classes, no look-around, `$` only at the end.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern of this text.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Whether a text matches. Nothing matches a pattern that cannot be compiled, which a test of the schema
    /// would show.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(self.text).ok());
        compiled.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }
}
