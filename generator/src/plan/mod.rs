//! What deploying would change, as data, and what may not go on unasked. Nothing here executes.

mod change;
mod guard;

pub use change::{Action, PropertyChange, Replacement, ResourceChange, StackChange, UnknownWord};
pub use guard::{GuardError, Loss, guard, losses};
