//! How long a key that signs no longer must stay in the key group.
//!
//! A cookie is good for as long as its key is in the group, so a key may leave only when the last cookie
//! that it signed has run out:
//!
//! ```text
//! keep_until = retired + cookie life + SIGNER_CACHE + PROPAGATION
//! ```
//!
//! `retired` stands in the *new* version of the secret, and Secrets Manager lets nobody write a version
//! twice. When that version is written it is not yet known when it will become current. So the time written
//! is the last moment at which that may happen, [`FINISH_WITHIN`] after the version was made, and a
//! rotation that comes later is cancelled rather than finished.

use contract::edge_config::KEYRING_MAX_AGE_SECONDS as SIGNER_CACHE;
use contract::keyring::{Keyring, PROPAGATION_SECONDS as PROPAGATION, RetiredKey};

/// How long after its creation a pending version may become current, in seconds: four hours, the shortest
/// rotation schedule that Secrets Manager takes. Within it the service's own retries fall.
pub const FINISH_WITHIN: u64 = 4 * 3600;

/// How long a key must have been in the group before signers may use it, in seconds: the longest time that
/// deployments of CloudFront are commonly quoted at. A visit to one edge says nothing of the others, so this
/// is waited for whatever that visit says. It fits into one invocation of fifteen minutes.
pub const SETTLE: u64 = 600;

/// Keys of a group that the protocol fills at most. CloudFront takes five: one stays free for a person who
/// must add a key by hand.
pub const GROUP_MAX: usize = 4;

/// Until when cookies of a key retired at `retired` can be alive, in seconds since the epoch.
#[must_use]
pub fn keep_until(retired: u64, cookie_minutes: u32) -> u64 {
    retired + u64::from(cookie_minutes) * 60 + SIGNER_CACHE + PROPAGATION
}

/// The retired keys of `keyring` that cookies may still need at `now`.
pub fn needed(keyring: &Keyring, now: u64) -> impl Iterator<Item = &RetiredKey> {
    keyring.retired.iter().filter(move |key| key.keep_until > now)
}

/// The list of retired keys for a version made at `now` that is to follow `current`.
#[must_use]
pub fn retired_by_next(current: &Keyring, now: u64, cookie_minutes: u32) -> Vec<RetiredKey> {
    let retired = now + FINISH_WITHIN;
    let mut list: Vec<RetiredKey> = needed(current, now).cloned().collect();
    list.push(RetiredKey {
        key_id: current.key_id.clone(),
        retired,
        keep_until: keep_until(retired, cookie_minutes),
    });
    list
}

/// When a rotation of `current` may run: none for at once, else the time, in seconds since the epoch, at
/// which enough retired keys have left for one more to come in.
#[must_use]
pub fn blocked_until(current: &Keyring, now: u64) -> Option<u64> {
    let mut leaving: Vec<u64> = needed(current, now).map(|key| key.keep_until).collect();
    leaving.sort_unstable();
    let too_many = (leaving.len() + 2).checked_sub(GROUP_MAX + 1)?;
    leaving.get(too_many).copied()
}

#[cfg(test)]
mod tests {
    use contract::keyring::{KeyAlgorithm, PrivateKeyPem};

    use super::*;

    fn keyring(keep_until: &[u64]) -> Keyring {
        let retired = keep_until.iter().enumerate();
        Keyring {
            key_id: "K9".into(),
            private_key: PrivateKeyPem::new(String::new()),
            algorithm: KeyAlgorithm::EcdsaP256,
            created: 0,
            retired: retired
                .map(|(i, at)| RetiredKey { key_id: format!("K{i}"), retired: 0, keep_until: *at })
                .collect(),
        }
    }

    #[test]
    fn the_longest_lived_cookie_fits_into_the_time_a_key_is_kept() {
        let next = retired_by_next(&keyring(&[]), 1_000, 60);
        // The rotation may finish four hours late, a signer may use the old key an hour more, the
        // cookie then lives an hour.
        assert_eq!(next[0].keep_until, 1_000 + 14_400 + 3_600 + 3_600 + 900);
    }

    #[test]
    fn a_rotation_waits_for_the_first_key_to_leave_where_four_would_not_do() {
        assert_eq!(blocked_until(&keyring(&[]), 10), None);
        assert_eq!(blocked_until(&keyring(&[50, 60]), 10), None);
        assert_eq!(blocked_until(&keyring(&[60, 50, 70]), 10), Some(50));
        assert_eq!(blocked_until(&keyring(&[60, 50, 70, 80]), 10), Some(60));
        assert_eq!(blocked_until(&keyring(&[60, 50, 70]), 50), None);
    }
}
