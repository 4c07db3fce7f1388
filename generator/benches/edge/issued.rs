//! Cookies of one tenant, as its edge has issued them: of all keys that it has had, until they run out and after.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use signing::CookieSet;

/// Cookies that are kept of each kind, so that memory does not grow where every signature differs.
const KEPT: usize = 512;
/// Cookies that run out this soon are not asked with, in seconds: the answer may be late on a busy machine.
const LATE: u64 = 2;

/// One set of cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookies {
    /// The `Cookie` header.
    pub(crate) header: String,
    /// Id of the key that has signed them.
    pub(crate) key: String,
    /// First second at which they open nothing any more, since the epoch.
    pub(crate) expires: u64,
}

impl Cookies {
    pub(crate) fn of(header: String) -> Result<Self, Box<dyn Error>> {
        let set = CookieSet::from_cookie_header(&header)?;
        let policy = signing::decode(&set.policy).ok_or("the policy is not in base64")?;
        let policy: Value = serde_json::from_slice(&policy)?;
        let expires = &policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"];
        let expires = expires.as_u64().ok_or("the policy has no end")?;
        Ok(Self { header, key: set.key_id, expires })
    }
}

/// All that were issued.
#[derive(Debug, Default)]
pub(crate) struct Issued(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// In the order in which they came.
    live: Vec<Cookies>,
    over: Vec<Cookies>,
}

impl Issued {
    /// Keeps new cookies, and tells those that are over from those that are not.
    pub(crate) fn take(&self, fresh: Cookies) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.live.contains(&fresh) {
            return;
        }
        let now = now();
        let (live, over): (Vec<_>, Vec<_>) = kept.live.drain(..).partition(|cookies| cookies.expires > now);
        kept.live = live;
        kept.over.extend(over);
        kept.over.truncate(KEPT);
        if kept.live.len() < KEPT {
            kept.live.push(fresh);
        }
    }

    /// One that opens; `None`: there is none that will do so for long enough.
    pub(crate) fn live(&self, number: u64) -> Option<Cookies> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |cookies: &&Cookies| cookies.expires > now() + LATE;
        let chosen = chosen(&kept.live, number).filter(good);
        chosen.or_else(|| kept.live.last().filter(good)).cloned()
    }

    /// One that has run out.
    pub(crate) fn over(&self, number: u64) -> Option<Cookies> {
        chosen(&self.0.lock().unwrap_or_else(PoisonError::into_inner).over, number).cloned()
    }
}

fn chosen(list: &[Cookies], number: u64) -> Option<&Cookies> {
    let place = number.checked_rem(list.len() as u64)?;
    list.get(usize::try_from(place).ok()?)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
