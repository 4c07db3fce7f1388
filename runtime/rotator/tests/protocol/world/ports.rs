//! The ports over a world in memory: each call is one effect on its state, handed to the driver.

use std::any::Any;
use std::hash::Hash;

use contract::keyring::{KeyAlgorithm, Keyring, PrivateKeyPem};
use rotator::ports::{
    Clock, Edges, Fault, KeyGroup, KeyPair, KeyPairs, Keys, Listed, NewVersion, Page, Parameters, PublicKey,
    SecretState, Secrets, Sighting, Version,
};

use super::{Answered, HOST, State};

/// Something that a call can answer, and that a model can keep.
pub(crate) trait Answer: Any + Send + Sync + Clone + Hash {}

impl<T: Any + Send + Sync + Clone + Hash> Answer for T {}

/// Decides which call has its effect when.
pub(crate) trait Driver {
    /// One call.
    async fn call<T: Answer>(&self, effect: impl FnOnce(&mut State) -> Answered<T>) -> Answered<T>;
    /// The time.
    fn now(&self) -> u64;
    /// Lets time pass.
    async fn sleep(&self, seconds: u64);
}

/// The world as a driver shows it.
pub(crate) struct In<D>(pub(crate) D);

impl<D: Driver> Keys for In<D> {
    async fn create_public_key(&self, name: &str, reference: &str, pem: &str) -> Result<String, Fault> {
        self.0.call(|state| state.create_public_key(name, reference, pem)).await
    }

    async fn public_keys(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        self.0.call(|state| Ok(state.public_keys(marker))).await
    }

    async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, Fault> {
        self.0.call(|state| Ok(state.public_key(id))).await
    }

    async fn delete_public_key(&self, id: &str, _etag: &str) -> Result<(), Fault> {
        self.0.call(|state| state.delete_public_key(id)).await
    }

    async fn key_groups(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        self.0.call(|state| Ok(state.key_groups(marker))).await
    }

    async fn key_group(&self, id: &str) -> Result<Option<KeyGroup>, Fault> {
        self.0.call(|state| Ok(state.group.clone().filter(|group| group.id == id))).await
    }

    async fn create_key_group(&self, name: &str, keys: &[String]) -> Result<String, Fault> {
        self.0.call(|state| state.create_key_group(name, keys)).await
    }

    async fn update_key_group(&self, group: &KeyGroup, keys: &[String]) -> Result<(), Fault> {
        self.0.call(|state| state.update_key_group(group, keys)).await
    }

    async fn delete_key_group(&self, _id: &str, etag: &str) -> Result<(), Fault> {
        self.0.call(|state| state.delete_key_group(etag)).await
    }
}

impl<D: Driver> Secrets for In<D> {
    async fn secret_state(&self, _secret: &str) -> Result<SecretState, Fault> {
        self.0.call(|state| Ok(state.secret_state())).await
    }

    async fn keyring(&self, _secret: &str, version: Version<'_>) -> Result<Option<Keyring>, Fault> {
        self.0.call(|state| Ok(state.keyring(version))).await
    }

    async fn put_keyring(&self, _: &str, version: NewVersion<'_>, keyring: &Keyring) -> Result<(), Fault> {
        self.0.call(|state| state.put_keyring(version, keyring)).await
    }

    async fn move_current(&self, _secret: &str, to: &str, from: Option<&str>) -> Result<(), Fault> {
        self.0.call(|state| state.move_current_from(to, from)).await
    }

    async fn drop_label(&self, _secret: &str, version: &str, label: &str) -> Result<(), Fault> {
        self.0.call(|state| state.drop_label(version, label)).await
    }

    async fn rotate(&self, _secret: &str, token: &str) -> Result<(), Fault> {
        self.0.call(|state| state.ask_for_rotation(token)).await
    }
}

impl<D: Driver> Parameters for In<D> {
    async fn parameter(&self, name: &str) -> Result<Option<String>, Fault> {
        self.0.call(|state| Ok(state.parameters.get(name).cloned())).await
    }

    async fn put_parameter(&self, name: &str, value: &str) -> Result<(), Fault> {
        self.0.call(|state| state.put_parameter(name, value)).await
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), Fault> {
        self.0.call(|state| state.delete_parameter(name)).await
    }
}

impl<D: Driver> KeyPairs for In<D> {
    async fn generate(&self, algorithm: KeyAlgorithm) -> Result<KeyPair, Fault> {
        self.0.call(|state| Ok(state.generate(algorithm))).await
    }

    async fn proves(&self, keyring: &Keyring, pem: &str) -> Result<bool, Fault> {
        let private = keyring.private_key.expose().strip_prefix("private-");
        Ok(private.is_some() && private == pem.strip_prefix("public-"))
    }
}

impl<D: Driver> Edges for In<D> {
    fn has_edges(&self) -> bool {
        true
    }

    async fn visit(&self, host: &str, key_id: &str, private: &PrivateKeyPem) -> Result<Sighting, Fault> {
        assert_eq!(host, HOST);
        self.0.call(|state| state.visit(key_id, private)).await
    }
}

impl<D: Driver> Clock for In<D> {
    fn now(&self) -> u64 {
        self.0.now()
    }

    async fn sleep(&self, seconds: u64) {
        self.0.sleep(seconds).await;
    }
}
