//! A tenant's stacks, wired: which values flow from which stack into which, and so the order.

use std::collections::BTreeSet;

use serde_json::Value;

use super::output::OUTPUT_MARK;
use super::stack::{ProgramError, Stack};
use crate::program::StackId;

/// Everything that one tenant owns, in the order of its first deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The stacks; each needs only outputs of those before it, later outputs apart.
    pub stacks: Vec<Stack>,
}

impl Deployment {
    /// Orders the stacks by what they need of each other.
    ///
    /// # Errors
    /// [`ProgramError::Circle`] where two stacks need each other.
    pub fn of(one: Stack, other: Stack) -> Result<Self, ProgramError> {
        let one_needs_other = needs(&one).contains(&other.id);
        let other_needs_one = needs(&other).contains(&one.id);
        match (one_needs_other, other_needs_one) {
            (true, true) => Err(ProgramError::Circle { first: one.id.as_str(), second: other.id.as_str() }),
            (true, false) => Ok(Self { stacks: vec![other, one] }),
            (false, _) => Ok(Self { stacks: vec![one, other] }),
        }
    }
}

/// The stacks whose outputs must be known before this one can be deployed at all.
fn needs(stack: &Stack) -> BTreeSet<StackId> {
    let mut found = BTreeSet::new();
    for component in &stack.components {
        collect(&component.arguments, &mut found);
    }
    found.remove(&stack.id);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<StackId>) {
    match value {
        Value::Object(map) if map.contains_key(OUTPUT_MARK) => {
            let later = map.get("later") == Some(&Value::Bool(true));
            let stack = map.get("stack").and_then(Value::as_str).and_then(StackId::from_word);
            if let (false, Some(stack)) = (later, stack) {
                found.insert(stack);
            }
        }
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
