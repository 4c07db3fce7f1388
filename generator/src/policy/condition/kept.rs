//! The inputs for which a condition held.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Variables;
use super::compile::Reads;
use crate::policy::input;

/// Most inputs that one condition remembers. What comes after them is evaluated each time.
const KEPT_MAX: usize = 1 << 16;

/// Digests of the inputs for which a condition held, under a key that nobody outside this process knows: 128
/// bits, so that two inputs are taken for one another never in practice, and by nobody's design.
pub(super) struct Kept {
    keys: (u64, u64),
    inputs: Mutex<HashSet<u128>>,
}

impl Default for Kept {
    fn default() -> Self {
        let random = || RandomState::new().hash_one(0_u8);
        Self { keys: (random(), random()), inputs: Mutex::default() }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl Kept {
    /// The digest of everything that the condition reads; `None` where that is too much, such as the names of all
    /// tenants.
    pub(super) fn key(&self, reads: &Reads, variables: &Variables<'_>) -> Option<u128> {
        if reads.directory {
            return None;
        }
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        input::hash(variables.node, &mut hasher);
        variables.params.hash(&[], &mut hasher);
        reads.tenant.iter().for_each(|path| variables.tenant.hash(path, &mut hasher));
        reads.stack.iter().for_each(|path| variables.stack.hash(path, &mut hasher));
        if reads.is_edge {
            hasher.write_u8(u8::from(variables.is_edge));
        }
        Some(hasher.finish128().as_u128())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn contains(&self, key: u128) -> bool {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    pub(super) fn insert(&self, key: u128) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if inputs.len() < KEPT_MAX {
            inputs.insert(key);
        }
    }
}
