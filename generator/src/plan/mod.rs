//! What deploying would change, as data, and what may not go on unasked. Nothing here executes.

mod attributes;
mod change;
mod compare;
mod create_only;
mod document;
mod expected;
mod guard;
mod mask;
mod output;
mod overview;
mod page;
mod permissions;
mod preview;
mod properties;
mod saved;

pub use change::{Action, PropertyChange, Replacement, ResourceChange, StackChange, UnknownWord};
pub use compare::{Difference, differences};
pub use create_only::create_only;
pub use document::{Allowed, change_document};
pub use expected::{expected_change, symbols, waiting_for};
pub use guard::{GuardError, Loss, guard, holds_data, losses};
pub use mask::{MASK, unechoed, without};
pub use output::{COMMENT_LIMIT, human, markdown};
pub use overview::{Block, Item, Overview, Shared, TenantPlan, Totals};
pub use page::PageChange;
pub use permissions::{Grant, Side, Sides};
pub use preview::{Entry, Found, Lost, Material, Outcome, Shown, Source, StackPlan, Widened};
pub use properties::drift_properties;
pub use saved::{
    SAVED_FORMAT, SavedPlan, SavedStack, SavedStep, SavedTenant, Standing, digest_of, request_digest, words,
};
