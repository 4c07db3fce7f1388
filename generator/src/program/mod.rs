//! Programs: which resources a tenant owns, and how they are wired.

pub mod components;
pub mod deployment;
mod identity;
pub mod media_cdn;
pub mod output;
pub mod stack;

pub use self::deployment::Deployment;
pub use self::identity::{Artifact, ArtifactFact, StackId};
pub use self::media_cdn::media_cdn;
