//! One signature, and one response, for all viewers of an expiry slot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use contract::edge_config::SignatureHash;
use signing::{Attributes, CookieSet, Policy, SignError};

use crate::keys::LoadedKeyring;
use crate::response::Response;

/// Most signatures that are kept. Cookies of an hour in slots of a minute need one at a time, and one for
/// each slot in which a token may end before the cookie would.
const ENTRIES_MAX: usize = 64;
/// Most responses that are kept for a signature: one for each web origin that asks.
const RESPONSES_MAX: usize = 16;

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
    responses: VecDeque<(For, Arc<Response>)>,
}

/// What a response depends on beside its cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct For {
    /// How the cookies are written.
    pub attributes: Attributes,
    /// The web origin that may read the response; absent: none may.
    pub origin: Option<String>,
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
        self.with_entry(keyring, policy, hash, |entry| Arc::clone(&entry.cookies))
    }

    /// The response that gives the cookies for `policy` to `viewer`, made by `made` at the first request for it.
    ///
    /// # Errors
    /// Where the crypto library refuses to sign.
    pub fn response(
        &self,
        keyring: &Arc<LoadedKeyring>,
        policy: Policy,
        hash: SignatureHash,
        viewer: For,
        made: impl FnOnce(&CookieSet, &For) -> Response,
    ) -> Result<Arc<Response>, SignError> {
        self.with_entry(keyring, policy, hash, |entry| {
            if let Some((_, known)) = entry.responses.iter().find(|(known, _)| *known == viewer) {
                return Arc::clone(known);
            }
            let response = Arc::new(made(&entry.cookies, &viewer));
            if entry.responses.len() >= RESPONSES_MAX {
                entry.responses.pop_back();
            }
            entry.responses.push_front((viewer, Arc::clone(&response)));
            response
        })
    }

    fn with_entry<T>(
        &self,
        keyring: &Arc<LoadedKeyring>,
        policy: Policy,
        hash: SignatureHash,
        work: impl FnOnce(&mut Entry) -> T,
    ) -> Result<T, SignError> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.keyring.as_ref().is_some_and(|held| Arc::ptr_eq(held, keyring)) {
            *entries = Entries { keyring: Some(Arc::clone(keyring)), signed: VecDeque::new() };
        }
        if let Some(known) = entries.signed.iter_mut().find(|e| e.hash == hash && e.policy == policy) {
            return Ok(work(known));
        }
        let signed = CookieSet::sign(&keyring.key, &keyring.document.key_id, &policy, hash)?;
        let mut entry = Entry { policy, hash, cookies: Arc::new(signed), responses: VecDeque::new() };
        let result = work(&mut entry);
        if entries.signed.len() >= ENTRIES_MAX {
            entries.signed.pop_back();
        }
        // The newest is what the next request asks for.
        entries.signed.push_front(entry);
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use contract::edge_config::SameSite;
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
    #[test]
    fn a_response_is_made_once_for_each_origin_and_way_of_writing() {
        let (cache, keyring) = (CookieCache::default(), keyring("K1"));
        let get = |origin: Option<&str>, max_age: Option<u64>| {
            let attributes = Attributes { same_site: SameSite::Lax, max_age };
            let viewer = For { attributes, origin: origin.map(str::to_owned) };
            let made = |_: &CookieSet, viewer: &For| {
                Response::empty(200).header("Set-Cookie", viewer.origin.clone().unwrap_or_default())
            };
            let policy = Policy::of_host("h", 60);
            cache.response(&keyring, policy, SignatureHash::Sha256, viewer, made).expect("a response")
        };
        let first = get(Some("https://a"), None);
        assert!(Arc::ptr_eq(&first, &get(Some("https://a"), None)));
        for (origin, max_age) in [(Some("https://b"), None), (None, None), (Some("https://a"), Some(9))] {
            let other = get(origin, max_age);
            assert!(!Arc::ptr_eq(&first, &other));
            assert_eq!(other.values("Set-Cookie"), [origin.unwrap_or_default()]);
        }
        for second in 0..100 {
            get(None, Some(second));
        }
        assert_eq!(cache.0.lock().expect("no panic").signed[0].responses.len(), RESPONSES_MAX);
    }
}
