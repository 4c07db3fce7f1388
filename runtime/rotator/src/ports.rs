//! What the protocol asks of the world, as traits.
//!
//! The steps are written against these and nothing else, so the same functions run in Lambda, in the tests
//! with a world in memory, and in a model that explores every order of calls. One method is one call to a
//! service: a run can be cut between any two of them.
#![expect(async_fn_in_trait, reason = "every caller runs on one task, and a model has no threads at all")]

use std::collections::BTreeMap;
use std::fmt;

use contract::keyring::{KeyAlgorithm, Keyring, PrivateKeyPem};

/// A call that did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("`{call}` failed with `{code}`: {message}")]
pub struct Fault {
    /// The service's name of the call.
    pub call: &'static str,
    /// What the protocol makes of it.
    pub kind: FaultKind,
    /// The service's error code.
    pub code: String,
    /// The service's message. Never the raw response, which may hold what was sent.
    pub message: String,
}

/// What the protocol makes of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The thing does not exist.
    NotFound,
    /// Something of that name, caller reference or token exists already.
    AlreadyExists,
    /// It changed since it was read: read again.
    Stale,
    /// Something else still refers to it.
    InUse,
    /// Anything else.
    Other,
}

/// One page of a list, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page<T> {
    /// What this page holds.
    pub items: Vec<T>,
    /// Marker of the next page; none on the last.
    pub next: Option<String>,
}

/// Id and name of a public key or a key group, as lists give them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Id that the service gave.
    pub id: String,
    /// Name that its maker gave.
    pub name: String,
}

/// A public key as it stands in CloudFront.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    /// The key in PEM.
    pub pem: String,
    /// Version of the object, for `If-Match`.
    pub etag: String,
}

/// A key group as it stands in CloudFront.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyGroup {
    /// Id that distributions refer to.
    pub id: String,
    /// Name; an update sends it again.
    pub name: String,
    /// Version of the object, for `If-Match`.
    pub etag: String,
    /// Ids of the public keys in it.
    pub keys: Vec<String>,
    /// When it was last written, in seconds since the epoch by CloudFront's clock.
    pub modified: u64,
}

/// Public keys and key groups of CloudFront.
pub trait Keys {
    /// Makes a public key and gives its id. A used name or caller reference is `AlreadyExists`.
    async fn create_public_key(&self, name: &str, caller_reference: &str, pem: &str)
    -> Result<String, Fault>;
    /// One page of the account's public keys.
    async fn public_keys(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault>;
    /// One public key; none where it does not exist.
    async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, Fault>;
    /// Deletes a public key. In a group it is `InUse`.
    async fn delete_public_key(&self, id: &str, etag: &str) -> Result<(), Fault>;
    /// One page of the account's key groups.
    async fn key_groups(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault>;
    /// One key group; none where it does not exist.
    async fn key_group(&self, id: &str) -> Result<Option<KeyGroup>, Fault>;
    /// Makes a key group and gives its id. A used name is `AlreadyExists`.
    async fn create_key_group(&self, name: &str, keys: &[String]) -> Result<String, Fault>;
    /// Replaces the keys of `group`, provided it is still as it was read (`Stale` otherwise).
    async fn update_key_group(&self, group: &KeyGroup, keys: &[String]) -> Result<(), Fault>;
    /// Deletes a key group. One that a distribution trusts is `InUse`.
    async fn delete_key_group(&self, id: &str, etag: &str) -> Result<(), Fault>;
}

/// Rotation switch and staging labels of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SecretState {
    /// Whether rotation is switched on.
    pub rotation_enabled: bool,
    /// Staging labels by version id.
    pub stages: BTreeMap<String, Vec<String>>,
}

impl SecretState {
    /// Whether `version` carries `label`.
    #[must_use]
    pub fn has(&self, version: &str, label: &str) -> bool {
        self.stages.get(version).is_some_and(|labels| labels.iter().any(|l| l == label))
    }

    /// The version that carries `label`.
    #[must_use]
    pub fn holder(&self, label: &str) -> Option<&str> {
        self.stages.keys().find(|version| self.has(version, label)).map(String::as_str)
    }
}

/// A version of the keyring secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version<'a> {
    /// The one that signers read.
    Current,
    /// The one with this id, provided that it is pending.
    Pending(&'a str),
    /// The one with this id, provided that it is to replace revoked keys.
    Replacement(&'a str),
}

/// A new version of the keyring secret.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion<'a> {
    /// Becomes the version's id.
    pub token: &'a str,
    /// What Secrets Manager gave the rotation to prove itself by.
    pub rotation_token: Option<&'a RotationToken>,
    /// Label that it gets: [`label::CURRENT`], [`label::PENDING`] or [`label::REPLACEMENT`].
    pub label: &'a str,
}

/// Staging labels: three of Secrets Manager and one of our own.
pub mod label {
    /// What readers get.
    pub const CURRENT: &str = "AWSCURRENT";
    /// What a rotation prepares.
    pub const PENDING: &str = "AWSPENDING";
    /// What was current before.
    pub const PREVIOUS: &str = "AWSPREVIOUS";
    /// What replaces revoked keys, until it is current. A label of its own, so that a rotation under way
    /// and the replacement never take it from each other.
    pub const REPLACEMENT: &str = "REPLACEMENT";
}

/// Proof by which a rotation may write its pending version. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct RotationToken(String);

impl RotationToken {
    /// The token's text, for the one call that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RotationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RotationToken(redacted)")
    }
}

/// The keyring secret in Secrets Manager.
pub trait Secrets {
    /// Rotation switch and labels.
    async fn secret_state(&self, secret: &str) -> Result<SecretState, Fault>;
    /// What a version holds; none where the version or its value is missing or empty.
    async fn keyring(&self, secret: &str, version: Version<'_>) -> Result<Option<Keyring>, Fault>;
    /// Writes a version. A token that was used for another value is `AlreadyExists`.
    async fn put_keyring(
        &self,
        secret: &str,
        version: NewVersion<'_>,
        keyring: &Keyring,
    ) -> Result<(), Fault>;
    /// Moves [`label::CURRENT`] to the version `to`, provided that `from` has it now.
    async fn move_current(&self, secret: &str, to: &str, from: Option<&str>) -> Result<(), Fault>;
    /// Takes a label from a version: without [`label::PENDING`] on it, the next rotation can begin.
    async fn drop_label(&self, secret: &str, version: &str, label: &str) -> Result<(), Fault>;
    /// Asks the service for a rotation at once. While another is under way it is `InUse`.
    async fn rotate(&self, secret: &str, token: &str) -> Result<(), Fault>;
}

/// Parameter Store.
pub trait Parameters {
    /// Value of a parameter; none where it does not exist.
    async fn parameter(&self, name: &str) -> Result<Option<String>, Fault>;
    /// Writes a parameter, over an older value.
    async fn put_parameter(&self, name: &str, value: &str) -> Result<(), Fault>;
    /// Deletes a parameter (`NotFound` where there is none).
    async fn delete_parameter(&self, name: &str) -> Result<(), Fault>;
}

/// A new key pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPair {
    /// PKCS#8 PEM.
    pub private: PrivateKeyPem,
    /// `SubjectPublicKeyInfo` PEM, as CloudFront takes it.
    pub public: String,
}

/// Key pairs: the only place with randomness.
pub trait KeyPairs {
    /// Makes a pair.
    async fn generate(&self, algorithm: KeyAlgorithm) -> Result<KeyPair, Fault>;
    /// Whether a signature by the private key of `keyring` passes with the public key `pem`.
    async fn proves(&self, keyring: &Keyring, pem: &str) -> Result<bool, Fault>;
}

/// What an edge answered to a viewer, reduced to what tells one kind of answer from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sighting(pub String);

/// The edges of CloudFront, as viewers meet them.
pub trait Edges {
    /// Whether there are any, and so whether a change of a key group takes time to reach them. An emulator
    /// of CloudFront's API has none.
    fn has_edges(&self) -> bool;
    /// Asks the nearest edge for a protected path of `host`, with cookies signed by `private` that name the
    /// key `key_id`. Where nobody answers, or nobody says anything of the cookies, it is a fault.
    async fn visit(&self, host: &str, key_id: &str, private: &PrivateKeyPem) -> Result<Sighting, Fault>;
}

/// Time.
pub trait Clock {
    /// Seconds since the epoch.
    fn now(&self) -> u64;
    /// Lets time pass.
    async fn sleep(&self, seconds: u64);
}

/// Everything together.
pub trait World: Keys + Secrets + Parameters + KeyPairs + Edges + Clock {}

impl<T: Keys + Secrets + Parameters + KeyPairs + Edges + Clock> World for T {}
