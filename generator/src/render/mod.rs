//! From a program's components and the templates to CloudFormation documents.

mod canonical;
mod check;
mod compose;
mod document;
mod engine;
mod error;
mod rendered;
mod tags;
mod values;

pub use self::compose::render;
pub use self::engine::Templates;
pub use self::error::RenderError;
pub use self::rendered::*;
pub use crate::program::{Artifact, ArtifactFact, StackId};
