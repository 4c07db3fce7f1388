//! The public keys that guard a distribution, as they stand in the cloud now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signing::{PublicKey, TrustedKey};

use crate::aws::AwsError;
use crate::aws::cloudfront::CloudFront;
use crate::clock::Clock;

/// Longest time for which a removed key is still honoured.
const FRESH: Duration = Duration::from_secs(1);

/// Keys of one key group. Cheap to clone.
type Keys = Arc<Vec<TrustedKey>>;

/// The keys of one key group, read again when they are older than a second.
#[derive(Debug)]
pub(super) struct KeyGroup {
    id: String,
    cloudfront: CloudFront,
    clock: Arc<dyn Clock>,
    /// The keys, and when somebody began to read them.
    state: Mutex<Option<(Keys, Duration)>>,
    /// Only one reads at a time.
    reading: tokio::sync::Mutex<()>,
    /// Keys that were read before: a key never changes under its id.
    known: Mutex<BTreeMap<String, PublicKey>>,
}

impl KeyGroup {
    pub(super) fn new(id: String, cloudfront: CloudFront, clock: Arc<dyn Clock>) -> Self {
        Self {
            id,
            cloudfront,
            clock,
            state: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The keys at present. A key that is missing in what was read before is looked for once more: a rotation may
    /// just have added it.
    pub(super) async fn keys(&self, wanted: &str) -> Result<Keys, AwsError> {
        if let Some(keys) = self.younger_than(FRESH)
            && keys.iter().any(|key| key.id == wanted)
        {
            return Ok(keys);
        }
        let asked = self.clock.elapsed();
        let _one = self.reading.lock().await;
        // Somebody may have begun to read after this was asked: that is news enough.
        if let Some(keys) = self.read_since(asked) {
            return Ok(keys);
        }
        let begun = self.clock.elapsed();
        let keys = Arc::new(self.read().await?);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = Some((Arc::clone(&keys), begun));
        Ok(keys)
    }

    fn read_since(&self, moment: Duration) -> Option<Keys> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, begun) = state.as_ref()?;
        (*begun >= moment).then(|| Arc::clone(keys))
    }

    fn younger_than(&self, age: Duration) -> Option<Keys> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, read) = state.as_ref()?;
        (self.clock.elapsed().saturating_sub(*read) < age).then(|| Arc::clone(keys))
    }

    async fn read(&self) -> Result<Vec<TrustedKey>, AwsError> {
        let group = self.cloudfront.key_group(&self.id).await?;
        let mut trusted = Vec::new();
        for id in group.map(|group| group.keys).unwrap_or_default() {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
            let key = match known {
                Some(key) => Some(key),
                None => {
                    self.cloudfront.public_key(&id).await?.and_then(|key| PublicKey::from_pem(&key.pem).ok())
                }
            };
            if let Some(key) = key {
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), key.clone());
                trusted.push(TrustedKey { id, key });
            }
        }
        Ok(trusted)
    }
}
