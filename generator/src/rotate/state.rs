//! The state of a tenant's keys, read and not touched.

use std::fmt;

use serde::Serialize;

use super::log;
use crate::aws::cloudfront::CloudFront;
use crate::aws::ssm::Ssm;
use crate::aws::{AwsError, KeyPeers};

/// Where a tenant's keys are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlaces {
    /// Name of the secret.
    pub secret: String,
    /// Name of the rotation function.
    pub function: String,
    /// Parameter with the id of the key that signs.
    pub key_id_parameter: String,
    /// Id of the key group, where it is known.
    pub key_group: Option<String>,
    /// Most days between two rotations, where the schedule says so.
    pub every_days: Option<u32>,
}

/// The state of a tenant's keys. Times are seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyState {
    /// Id of the key that signs.
    pub key_id: Option<String>,
    /// Its kind.
    pub algorithm: Option<&'static str>,
    /// When it was made.
    pub created: Option<i64>,
    /// How old it is, in seconds.
    pub age_seconds: Option<i64>,
    /// When the secret was last rotated by Secrets Manager.
    pub last_rotated: Option<i64>,
    /// By when it is to be rotated next.
    pub next_rotation: Option<i64>,
    /// Number of keys that open cookies.
    pub keys_in_group: Option<usize>,
    /// Version of a rotation that is not finished.
    pub unfinished: Option<String>,
    /// What the rotation function said when it failed, where it failed since the key was made.
    pub last_failure: Option<LastFailure>,
    /// Why the rotation is late, where it is.
    pub late: Option<Lateness>,
}

/// A failure of the rotation function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastFailure {
    /// When.
    pub at: i64,
    /// The function's own words.
    pub reason: String,
}

/// Why a rotation is late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Lateness {
    /// Nobody rotates the keys.
    SwitchedOff,
    /// The time by which it was to happen has passed.
    Missed {
        /// By when it was to happen.
        due: i64,
    },
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SwitchedOff => "rotation is switched off",
            Self::Missed { .. } => "the last rotation was missed",
        })
    }
}

const DAY: i64 = 86_400;

/// Reads the state of a tenant's keys; `None` where it has no keyring. `now` is in seconds since the epoch.
///
/// # Errors
/// Where a call fails.
pub async fn key_state(
    peers: &KeyPeers,
    cloudfront: &CloudFront,
    ssm: &Ssm,
    places: &KeyPlaces,
    now: i64,
) -> Result<Option<KeyState>, AwsError> {
    let (secret, key_id) =
        tokio::try_join!(peers.secrets.describe(&places.secret), ssm.value(&places.key_id_parameter))?;
    let Some(secret) = secret else { return Ok(None) };
    let key = async {
        match &key_id {
            Some(id) => cloudfront.public_key(id).await,
            None => Ok(None),
        }
    };
    let group = async {
        match &places.key_group {
            Some(id) => cloudfront.key_group(id).await,
            None => Ok(None),
        }
    };
    let (key, group) = tokio::try_join!(key, group)?;
    let created = key.as_ref().map(|key| key.created);
    let since = created.unwrap_or_else(|| now - 30 * DAY);
    let lines = peers.logs.since(&log::group(&places.function), since.saturating_mul(1000)).await?;
    let algorithm = key.and_then(|key| signing::PublicKey::from_pem(&key.pem).ok());
    Ok(Some(KeyState {
        algorithm: algorithm.map(|key| key.algorithm().as_str()),
        created,
        age_seconds: created.map(|created| (now - created).max(0)),
        last_rotated: secret.last_rotated,
        next_rotation: secret.next_rotation,
        keys_in_group: group.map(|group| group.keys.len()),
        unfinished: secret.unfinished().map(str::to_owned),
        last_failure: log::last_failure(&lines).map(|(at, reason)| LastFailure { at: at / 1000, reason }),
        late: lateness(secret.rotation_enabled, secret.next_rotation, created, places.every_days, now),
        key_id,
    }))
}

/// Whether a rotation is late, and why. `every_days` is the longest that the tenant's file allows between two;
/// the window of a rotation may be a day long on top.
fn lateness(
    enabled: bool,
    next: Option<i64>,
    created: Option<i64>,
    every_days: Option<u32>,
    now: i64,
) -> Option<Lateness> {
    if !enabled {
        return Some(Lateness::SwitchedOff);
    }
    let by_age = created.zip(every_days).map(|(created, days)| created + (i64::from(days) + 1) * DAY);
    // Secrets Manager may already have planned the next one; an old key is late all the same.
    let due = next.into_iter().chain(by_age).min()?;
    (due < now).then_some(Lateness::Missed { due })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_rotation_in_time_is_not_late() {
        assert_eq!(lateness(true, Some(NOW + 1), Some(NOW - 30 * DAY), Some(30), NOW), None);
        assert_eq!(lateness(true, None, None, None, NOW), None);
    }

    #[test]
    fn a_missed_time_an_old_key_and_a_schedule_switched_off_are_late() {
        assert_eq!(lateness(true, Some(NOW - 1), None, None, NOW), Some(Lateness::Missed { due: NOW - 1 }));
        let old = lateness(true, Some(NOW + 20 * DAY), Some(NOW - 32 * DAY), Some(30), NOW);
        assert_eq!(old, Some(Lateness::Missed { due: NOW - DAY }));
        let off = lateness(false, Some(NOW + 1), Some(NOW), Some(30), NOW);
        assert_eq!(off, Some(Lateness::SwitchedOff));
    }
}
