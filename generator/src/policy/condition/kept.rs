//! The inputs for which a condition held.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

use siphasher::sip128::Hasher128;

use super::Variables;
use super::compile::Reads;
use super::lazy;
use crate::policy::facts::Question;
use crate::policy::input;

/// Most inputs that one condition remembers. What comes after them is evaluated each time.
const KEPT_MAX: usize = 1 << 16;

/// Digests of the inputs for which a condition held.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashSet<u128, Digested>>);

/// Digests are as good as random already.
type Digested = BuildHasherDefault<Low>;

/// The lower half of a digest.
#[derive(Default)]
pub(super) struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
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
    pub(super) fn key(
        &self,
        reads: &Reads,
        questions: &[Question],
        variables: &Variables<'_>,
    ) -> Option<u128> {
        if reads.directory {
            return None;
        }
        let mut hasher = input::hasher();
        reads.node.hash(variables.node, &mut hasher);
        reads.tenant.hash(variables.tenant, &mut hasher);
        lazy::hash(variables.stack, &reads.stack, &mut hasher);
        reads.params.hash_map(variables.params, &mut hasher);
        for question in questions {
            match variables.answer(question) {
                Some(answer) => {
                    hasher.write_u8(b'+');
                    answer.hash(&mut hasher);
                }
                None => hasher.write_u8(b'-'),
            }
        }
        Some(hasher.finish128().as_u128())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn contains(&self, key: u128) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    pub(super) fn insert(&self, key: u128) {
        let mut inputs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inputs.len() < KEPT_MAX {
            inputs.insert(key);
        }
    }
}
