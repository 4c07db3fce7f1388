//! From a program's components and the templates to CloudFormation documents.

mod canonical;
mod check;
mod compose;
mod document;
mod engine;
mod error;
#[cfg(test)]
mod hostile;
mod lines;
mod origins;
mod page;
mod read;
mod rendered;
mod scalar;
mod tags;
mod trace;
mod values;

pub use self::compose::{render, render_documents, render_traced};
pub use self::engine::Templates;
pub use self::error::RenderError;
pub use self::page::{PageServices, page_config};
pub use self::read::read_template;
pub use self::rendered::*;
pub use self::trace::{DocumentPath, Origin, Source, StackTrace, TemplateLine, leaves};
pub use crate::program::{Artifact, ArtifactFact, StackId};
