//! What deploying would change, as data, and what may not go on unasked. Nothing here executes.

mod change;
mod document;
mod guard;
mod permissions;

pub use change::{Action, PropertyChange, Replacement, ResourceChange, StackChange, UnknownWord};
pub use document::{Allowed, change_document};
pub use guard::{GuardError, Loss, guard, holds_data, losses};
pub use permissions::{Grant, Side, Sides};
