//! What an edge keeps of the origin's answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// All that one edge keeps, in bytes.
const CAPACITY: usize = 256 * 1024 * 1024;
/// Largest answer that is kept, in bytes. Larger ones are handed through.
pub(super) const LARGEST: u64 = 16 * 1024 * 1024;

/// An answer of the origin.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Status.
    pub(super) status: StatusCode,
    /// Headers of the object: type, entity tag, time.
    pub(super) headers: HeaderMap,
    /// All of its bytes.
    pub(super) body: Bytes,
    /// The body in other codings, made when first asked for.
    pub(super) coded: Arc<[OnceLock<Bytes>; 2]>,
    /// When it came or was last confirmed, by the clock's count.
    pub(super) stored: Duration,
    /// How long it may be given without asking the origin, in seconds.
    pub(super) seconds: u64,
}

impl Stored {
    /// How old it is, in seconds.
    pub(super) fn age(&self, now: Duration) -> u64 {
        now.saturating_sub(self.stored).as_secs()
    }

    /// Whether the origin need not be asked.
    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.stored) < Duration::from_secs(self.seconds)
    }
}

/// Answers by path. Our cache policies look at nothing else.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: Mutex<(HashMap<String, Arc<Stored>>, usize)>,
}

impl Cache {
    pub(super) fn get(&self, path: &str) -> Option<Arc<Stored>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).0.get(path).map(Arc::clone)
    }

    /// Keeps an answer. A full cache is emptied first: an edge may forget whatever it likes.
    pub(super) fn put(&self, path: &str, stored: Arc<Stored>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (answers, size) = &mut *kept;
        if *size + stored.body.len() > CAPACITY {
            answers.clear();
            *size = 0;
        }
        *size += stored.body.len();
        if let Some(before) = answers.insert(path.to_owned(), stored) {
            *size -= before.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize, seconds: u64) -> Arc<Stored> {
        Arc::new(Stored {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from(vec![0; size]),
            coded: Arc::default(),
            stored: Duration::from_secs(100),
            seconds,
        })
    }

    #[test]
    fn an_answer_is_fresh_for_its_time() {
        let stored = answer(1, 10);
        assert!(stored.is_fresh(Duration::from_millis(109_999)));
        assert!(!stored.is_fresh(Duration::from_secs(110)));
        assert_eq!(stored.age(Duration::from_secs(107)), 7);
        assert!(!answer(1, 0).is_fresh(Duration::from_secs(100)));
    }

    #[test]
    fn a_full_cache_makes_room() {
        let cache = Cache::default();
        cache.put("/a", answer(CAPACITY / 2, 1));
        cache.put("/a", answer(CAPACITY / 2, 1));
        assert!(cache.get("/a").is_some());
        cache.put("/b", answer(CAPACITY / 2 + 1, 1));
        assert!(cache.get("/a").is_none() && cache.get("/b").is_some());
    }
}
