//! One signature for all viewers of an expiry slot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use contract::edge_config::SignatureHash;
use signing::{CookieSet, Policy, SignError};

use crate::keys::LoadedKeyring;

/// Most signatures that are kept. Cookies of an hour in slots of a minute need one at a time, and one for
/// each slot in which a token may end before the cookie would.
const ENTRIES_MAX: usize = 64;

/// Signed policies that do not depend on the viewer. They belong to one keyring: where a request comes with
/// another, all are dropped.
#[derive(Default)]
pub struct CookieCache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    keyring: Option<Arc<LoadedKeyring>>,
    signed: VecDeque<Entry>,
}

struct Entry {
    policy: Policy,
    hash: SignatureHash,
    cookies: Arc<CookieSet>,
}

impl CookieCache {
    /// The cookies for `policy`, signed at the first request for it.
    ///
    /// # Errors
    /// Where the crypto library refuses to sign.
    pub fn get(
        &self,
        keyring: &Arc<LoadedKeyring>,
        policy: Policy,
        hash: SignatureHash,
    ) -> Result<Arc<CookieSet>, SignError> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.keyring.as_ref().is_some_and(|held| Arc::ptr_eq(held, keyring)) {
            *entries = Entries { keyring: Some(Arc::clone(keyring)), signed: VecDeque::new() };
        }
        if let Some(known) = entries.signed.iter().find(|e| e.hash == hash && e.policy == policy) {
            return Ok(Arc::clone(&known.cookies));
        }
        let signed = CookieSet::sign(&keyring.key, &keyring.document.key_id, &policy, hash)?;
        let cookies = Arc::new(signed);
        if entries.signed.len() >= ENTRIES_MAX {
            entries.signed.pop_back();
        }
        // The newest is what the next request asks for.
        entries.signed.push_front(Entry { policy, hash, cookies: Arc::clone(&cookies) });
        Ok(cookies)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keyring(key_id: &str) -> Arc<LoadedKeyring> {
        let text = json!({"key_id": key_id, "algorithm": "ecdsa-p256", "created": 1,
            "private_key": include_str!("../../signing/tests/data/ecdsa.pem")});
        let loaded = LoadedKeyring::parse("arn:s".into(), "s".into(), &text.to_string());
        Arc::new(loaded.expect("a keyring"))
    }

    fn get(cache: &CookieCache, keyring: &Arc<LoadedKeyring>, expires: u64) -> Arc<CookieSet> {
        cache.get(keyring, Policy::of_host("h", expires), SignatureHash::Sha256).expect("cookies")
    }

    #[test]
    fn a_slot_is_signed_once() {
        let (cache, keyring) = (CookieCache::default(), keyring("K1"));
        assert!(Arc::ptr_eq(&get(&cache, &keyring, 60), &get(&cache, &keyring, 60)));
        assert!(!Arc::ptr_eq(&get(&cache, &keyring, 60), &get(&cache, &keyring, 120)));
        let sha1 = cache.get(&keyring, Policy::of_host("h", 60), SignatureHash::Sha1).expect("cookies");
        assert_ne!(sha1.hash, get(&cache, &keyring, 60).hash);
    }

    #[test]
    fn a_new_key_drops_what_the_old_one_signed() {
        let cache = CookieCache::default();
        let (old, new) = (keyring("K1"), keyring("K2"));
        assert_eq!(get(&cache, &old, 60).key_id, "K1");
        assert_eq!(get(&cache, &new, 60).key_id, "K2");
    }

    #[test]
    fn the_number_of_signatures_is_bounded() {
        let (cache, keyring) = (CookieCache::default(), keyring("K1"));
        for expires in 0..200 {
            get(&cache, &keyring, expires);
        }
        assert_eq!(cache.0.lock().expect("no panic").signed.len(), ENTRIES_MAX);
    }
}
