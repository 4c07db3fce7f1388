//! Change sets that exist and are not executed: whoever ends early deletes them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes;
use crate::aws::Peers;
use crate::aws::cloudformation::ChangeSetKind;

/// Change sets that exist, or may exist, and are not executed.
#[derive(Debug, Default)]
pub struct Unused(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    sets: BTreeMap<String, Leftover>,
    /// Whether they are being deleted: none is made any more.
    closed: bool,
}

/// One of them. Its name is known before it is asked for, so that even a lost answer leaves nothing behind.
#[derive(Debug, Clone)]
pub(super) struct Leftover {
    pub(super) region: String,
    pub(super) stack: String,
    pub(super) kind: ChangeSetKind,
}

impl Unused {
    /// From now on there may be this change set. False where none may be made any more.
    pub(super) fn note(&self, name: &str, leftover: Leftover) -> bool {
        let mut known = self.known();
        if !known.closed {
            known.sets.insert(name.to_owned(), leftover);
        }
        !known.closed
    }

    /// It is deleted, or executed.
    pub(super) fn forget(&self, name: &str) {
        self.known().sets.remove(name);
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known().sets.is_empty()
    }

    /// Deletes them all, and the empty stacks that they have made, and lets none be made any more. What could not
    /// be deleted comes back, in words. Where this is cut off, it goes on with those that are left.
    pub async fn discard(&self, peers: &dyn Peers) -> Vec<String> {
        let all = {
            let mut known = self.known();
            known.closed = true;
            known.sets.clone()
        };
        let mut left = Vec::new();
        for (name, Leftover { region, stack, kind }) in all {
            let cloudformation = peers.cloudformation(&region);
            if changes::discard_unexecuted(&*cloudformation, &stack, &name, &stack, kind).await.is_err() {
                left.push(format!("change set `{name}` of stack `{stack}` in `{region}`"));
            }
            self.forget(&name);
        }
        left
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
