//! What came of the inputs that a condition was evaluated for.

use std::collections::HashMap;
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

/// What evaluations yielded, by the digests of their inputs.
pub(super) struct Kept<T>(Mutex<HashMap<u128, T, Digested>>);

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

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// The digest of everything that a condition reads; `None` where that is too much, such as the names of all tenants.
pub(super) fn key(reads: &Reads, questions: &[Question], variables: &Variables<'_>) -> Option<u128> {
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

impl<T: Clone> Kept<T> {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the evaluation of this input yielded, if it is remembered.
    pub(super) fn get(&self, key: u128) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// Remembers what the evaluation of this input has yielded.
    pub(super) fn insert(&self, key: u128, outcome: T) {
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if outcomes.len() < KEPT_MAX {
            outcomes.insert(key, outcome);
        }
    }
}
