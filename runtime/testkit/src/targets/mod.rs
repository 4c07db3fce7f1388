//! Any bytes at all as what reaches the signer from outside, and what must hold whatever they are.
//!
//! `fuzz/` gives these functions to cargo-fuzz; a test of this crate runs them for a bounded time on stable
//! Rust. Each begins with texts that mean something, from `fuzz/seeds`, where findings are kept too.

mod configuration;
mod event;
mod secret;
mod token;

use std::path::{Path, PathBuf};

pub use configuration::configuration;
pub use event::event;
pub use secret::secret;
pub use token::token;

/// A target: panics where something that must hold does not.
pub type Target = fn(&[u8]);

/// Every target of the signer, by the name of its folder of seeds.
pub const ALL: [(&str, Target); 4] =
    [("configuration", configuration), ("event", event), ("secret", secret), ("token", token)];

/// Folder with the seeds of a target.
#[must_use]
pub fn seeds(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target)
}
