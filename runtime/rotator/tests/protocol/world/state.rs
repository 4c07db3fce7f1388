//! What the services hold, and what each call does to it.

use std::collections::{BTreeMap, BTreeSet};

use contract::edge_config::KEYRING_MAX_AGE_SECONDS;
use contract::keyring::{KeyAlgorithm, Keyring, PrivateKeyPem};
use rotator::ports::{
    Fault, FaultKind, KeyGroup, KeyPair, Listed, NewVersion, Page, PublicKey, SecretState, Sighting, Version,
    label,
};

use super::{Answered, COOKIE_MINUTES};

/// Items on a page of a list, but for a model, which has no use for pages.
const PAGE: usize = 2;

/// How the edge that is visited answers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Edge {
    /// As CloudFront does.
    #[default]
    True,
    /// Alike to everybody: a page over the refusal, or a country that is blocked.
    Alike,
    /// Not at all.
    Silent,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Public keys by id: name and PEM.
    pub(crate) keys: BTreeMap<String, (String, String)>,
    pub(crate) group: Option<KeyGroup>,
    /// Keys that the group held before, and when each content was replaced: an edge may still go by it.
    pub(crate) past: Vec<(u64, Vec<String>)>,
    pub(crate) versions: BTreeMap<String, Option<Keyring>>,
    pub(crate) stages: BTreeMap<String, Vec<String>>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) now: u64,
    /// When each key stopped being current: signers may have read it until then.
    pub(crate) retired: BTreeMap<String, u64>,
    /// While keys are being revoked on purpose, cookies of theirs are promised nothing.
    pub(crate) revoking: bool,
    pub(crate) group_trusted: bool,
    /// The secret was deleted.
    pub(crate) secret_gone: bool,
    /// Token of a rotation that was asked of the service.
    pub(crate) asked_for: Option<String>,
    pub(crate) edge: Edge,
    /// Seconds after which the edge that is visited knows of a change.
    pub(crate) edge_lag: u64,
    /// A world for a model: lists have one page, and caller references can be used again.
    pub(crate) plain: bool,
    ids: u64,
    pairs: u64,
    references: BTreeSet<String>,
}

pub(crate) fn fault(kind: FaultKind) -> Fault {
    Fault { call: "Test", kind, code: format!("{kind:?}"), message: "refused".into() }
}

impl State {
    pub(crate) fn create_public_key(&mut self, name: &str, reference: &str, pem: &str) -> Answered<String> {
        let named = self.keys.values().any(|(used, _)| used == name);
        if named || (!self.plain && !self.references.insert(reference.into())) {
            return Err(fault(FaultKind::AlreadyExists));
        }
        self.ids += 1;
        let id = format!("K{}", self.ids);
        self.keys.insert(id.clone(), (name.into(), pem.into()));
        Ok(id)
    }

    pub(crate) fn public_keys(&self, marker: Option<&str>) -> Page<Listed> {
        let listed =
            |(id, (name, _)): (&String, &(String, String))| Listed { id: id.clone(), name: name.clone() };
        self.page(self.keys.iter().map(listed).collect(), marker)
    }

    pub(crate) fn public_key(&self, id: &str) -> Option<PublicKey> {
        self.keys.get(id).map(|(_, pem)| PublicKey { pem: pem.clone(), etag: "E".into() })
    }

    pub(crate) fn delete_public_key(&mut self, id: &str) -> Answered<()> {
        if self.group.as_ref().is_some_and(|group| group.keys.iter().any(|key| key == id)) {
            return Err(fault(FaultKind::InUse));
        }
        self.keys.remove(id).map(drop).ok_or_else(|| fault(FaultKind::NotFound))
    }

    pub(crate) fn key_groups(&self, marker: Option<&str>) -> Page<Listed> {
        let others = if self.plain { 0 } else { 3 };
        let mut all: Vec<Listed> =
            (0..others).map(|i| Listed { id: format!("other-{i}"), name: format!("other-{i}") }).collect();
        all.extend(self.group.iter().map(|g| Listed { id: g.id.clone(), name: g.name.clone() }));
        self.page(all, marker)
    }

    fn page(&self, all: Vec<Listed>, marker: Option<&str>) -> Page<Listed> {
        let length = if self.plain { usize::MAX } else { PAGE };
        let from: usize = marker.map_or(0, |marker| marker.parse().expect("a marker that was given out"));
        let next = from.saturating_add(length);
        let marker = (next < all.len()).then(|| next.to_string());
        Page { items: all.into_iter().skip(from).take(length).collect(), next: marker }
    }

    pub(crate) fn create_key_group(&mut self, name: &str, keys: &[String]) -> Answered<String> {
        if self.group.is_some() {
            return Err(fault(FaultKind::AlreadyExists));
        }
        self.ids += 1;
        let id = format!("group-{}", self.ids);
        let (name, etag, modified) = (name.into(), "1".into(), self.now);
        self.group = Some(KeyGroup { id: id.clone(), name, etag, keys: keys.to_vec(), modified });
        Ok(id)
    }

    pub(crate) fn update_key_group(&mut self, group: &KeyGroup, keys: &[String]) -> Answered<()> {
        if keys.iter().any(|key| !self.keys.contains_key(key)) {
            return Err(fault(FaultKind::Other));
        }
        match &mut self.group {
            Some(held) if held.etag == group.etag => {
                self.past.push((self.now, std::mem::replace(&mut held.keys, keys.to_vec())));
                let version: u32 = held.etag.parse().expect("a number");
                held.etag = (version + 1).to_string();
                held.modified = self.now;
                Ok(())
            }
            Some(_) => Err(fault(FaultKind::Stale)),
            None => Err(fault(FaultKind::NotFound)),
        }
    }

    pub(crate) fn delete_key_group(&mut self, etag: &str) -> Answered<()> {
        match &self.group {
            Some(_) if self.group_trusted => Err(fault(FaultKind::InUse)),
            Some(group) if group.etag != etag => Err(fault(FaultKind::Stale)),
            held => {
                let held = held.is_some();
                self.group = None;
                if held { Ok(()) } else { Err(fault(FaultKind::NotFound)) }
            }
        }
    }

    pub(crate) fn secret_state(&self) -> SecretState {
        SecretState { rotation_enabled: true, stages: self.stages.clone() }
    }

    pub(crate) fn keyring(&self, version: Version<'_>) -> Option<Keyring> {
        match version {
            Version::Current => self.current(),
            Version::Pending(id) => self.labelled(id, label::PENDING),
            Version::Replacement(id) => self.labelled(id, label::REPLACEMENT),
        }
    }

    pub(crate) fn put_keyring(&mut self, version: NewVersion<'_>, keyring: &Keyring) -> Answered<()> {
        if self.secret_gone {
            return Err(fault(FaultKind::NotFound));
        }
        let slot = self.versions.entry(version.token.into()).or_insert(None);
        if slot.as_ref().is_some_and(|written| written != keyring) {
            return Err(fault(FaultKind::AlreadyExists));
        }
        if version.label == label::CURRENT {
            self.move_current(version.token);
        } else {
            self.move_label(version.label, version.token);
        }
        self.versions.insert(version.token.into(), Some(keyring.clone()));
        Ok(())
    }

    pub(crate) fn move_current_from(&mut self, to: &str, from: Option<&str>) -> Answered<()> {
        if self.holder(label::CURRENT).as_deref() != from {
            return Err(fault(FaultKind::Other));
        }
        self.move_current(to);
        Ok(())
    }

    pub(crate) fn drop_label(&mut self, version: &str, label: &str) -> Answered<()> {
        let stages = self.stages.get_mut(version).ok_or_else(|| fault(FaultKind::NotFound))?;
        stages.retain(|stage| stage != label);
        self.forget_unlabelled();
        Ok(())
    }

    pub(crate) fn ask_for_rotation(&mut self, token: &str) -> Answered<()> {
        if self.under_way() {
            return Err(fault(FaultKind::InUse));
        }
        self.asked_for = Some(token.into());
        Ok(())
    }

    pub(crate) fn put_parameter(&mut self, name: &str, value: &str) -> Answered<()> {
        self.parameters.insert(name.into(), value.into());
        Ok(())
    }

    pub(crate) fn delete_parameter(&mut self, name: &str) -> Answered<()> {
        self.parameters.remove(name).map(drop).ok_or_else(|| fault(FaultKind::NotFound))
    }

    pub(crate) fn generate(&mut self, _algorithm: KeyAlgorithm) -> KeyPair {
        self.pairs += 1;
        KeyPair {
            private: PrivateKeyPem::new(format!("private-{}", self.pairs)),
            public: format!("public-{}", self.pairs),
        }
    }

    pub(crate) fn visit(&self, key_id: &str, private: &PrivateKeyPem) -> Answered<Sighting> {
        if self.edge == Edge::Silent {
            return Err(fault(FaultKind::Other));
        }
        let pair = private.expose().strip_prefix("private-");
        let public = self.keys.get(key_id).and_then(|(_, pem)| pem.strip_prefix("public-"));
        // The edge goes by the oldest content that was replaced too short a time ago for it to know.
        let mut views = self.past.iter().filter(|(replaced, _)| self.now < replaced + self.edge_lag);
        let view = views.next().map(|(_, keys)| keys).or(self.group.as_ref().map(|group| &group.keys));
        let trusted = pair == public && view.is_some_and(|keys| keys.iter().any(|key| key == key_id));
        let seen = if self.edge == Edge::Alike || !trusted { "403" } else { "404" };
        Ok(Sighting(seen.into()))
    }

    pub(crate) fn current(&self) -> Option<Keyring> {
        let version = self.holder(label::CURRENT)?;
        self.versions.get(&version).cloned().flatten()
    }

    /// What the version `id` holds, provided that it has `label`.
    fn labelled(&self, id: &str, label: &str) -> Option<Keyring> {
        if self.has(id, label) { self.versions.get(id).cloned().flatten() } else { None }
    }

    pub(crate) fn has(&self, version: &str, label: &str) -> bool {
        self.stages.get(version).is_some_and(|stages| stages.iter().any(|stage| stage == label))
    }

    pub(crate) fn holder(&self, label: &str) -> Option<String> {
        self.stages.keys().find(|version| self.has(version, label)).cloned()
    }

    /// Whether a rotation has begun and not ended, as the service sees it.
    pub(crate) fn under_way(&self) -> bool {
        self.holder(label::PENDING).is_some_and(|pending| !self.has(&pending, label::CURRENT))
    }

    /// What Secrets Manager does before it calls the four steps.
    pub(crate) fn begin(&mut self, token: &str) {
        self.move_label(label::PENDING, token);
        self.versions.entry(token.into()).or_insert(None);
        self.forget_unlabelled();
    }

    fn move_label(&mut self, label: &str, to: &str) {
        for stages in self.stages.values_mut() {
            stages.retain(|stage| stage != label);
        }
        self.stages.entry(to.into()).or_default().push(label.into());
    }

    fn move_current(&mut self, to: &str) {
        // A key that does not exist has no cookies left to open.
        if let Some(keyring) = self.current().filter(|keyring| self.keys.contains_key(&keyring.key_id)) {
            self.retired.insert(keyring.key_id, self.now);
        }
        let from = self.holder(label::CURRENT);
        self.move_label(label::CURRENT, to);
        if let Some(from) = from.filter(|from| from != to) {
            self.move_label(label::PREVIOUS, &from);
        }
        self.forget_unlabelled();
    }

    fn forget_unlabelled(&mut self) {
        self.stages.retain(|_, stages| !stages.is_empty());
    }

    /// Keys that cookies may be alive of: any number of signers may have read the keyring up to the moment
    /// at which it stopped being current, keep it for as long as they may, and give a cookie at the end.
    pub(crate) fn alive(&self) -> impl Iterator<Item = String> {
        let life = KEYRING_MAX_AGE_SECONDS + u64::from(COOKIE_MINUTES) * 60;
        self.within(life)
    }

    /// Keys of the keyrings that a signer may hold.
    pub(crate) fn held_by_signers(&self) -> impl Iterator<Item = String> {
        self.within(KEYRING_MAX_AGE_SECONDS)
    }

    fn within(&self, seconds: u64) -> impl Iterator<Item = String> {
        let retired = self.retired.iter().filter(move |(_, retired)| *retired + seconds > self.now);
        retired.map(|(key, _)| key.clone()).chain(self.current().map(|current| current.key_id))
    }

    /// Whether the secret names a key that exists and is the other half of its private key.
    pub(crate) fn secret_is_whole(&self) -> bool {
        let Some(current) = self.current() else { return true };
        let pair = current.private_key.expose().strip_prefix("private-");
        match self.keys.get(&current.key_id) {
            Some((_, pem)) => pair.is_some() && pair == pem.strip_prefix("public-"),
            None => self.group.is_none(),
        }
    }

    /// The invariants that hold at every moment.
    pub(crate) fn check(&self) {
        assert!(self.secret_is_whole(), "the current key is gone, or key id and private key disagree");
        let Some(group) = &self.group else { return };
        assert!(!group.keys.is_empty() && group.keys.len() <= 4, "group of {} keys", group.keys.len());
        for key in self.alive() {
            assert!(self.revoking || group.keys.contains(&key), "cookies of `{key}` are refused");
        }
    }
}
