//! A world in memory: CloudFront, Secrets Manager and Parameter Store as strict as AWS documents them,
//! stricter where it documents nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use contract::keyring::{KeyAlgorithm, Keyring, PrivateKeyPem};
use contract::names::Names;
use rotator::error::Error;
use rotator::ports::{
    Clock, Fault, FaultKind, KeyGroup, KeyPair, KeyPairs, Keys, Listed, NewVersion, Page, Parameters,
    PublicKey, SecretState, Secrets, Version, label,
};
use rotator::steps::{self, Outcome, Request, Step};
use rotator::tenant::Tenant;

pub(crate) const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:example-demo-keyring";
pub(crate) const COOKIE_MINUTES: u32 = 60;
pub(crate) const STEPS: [Step; 4] = [Step::Create, Step::Set, Step::Test, Step::Finish];
const PAGE: usize = 2;

pub(crate) fn tenant() -> Tenant {
    Tenant {
        names: Names::new("example", "demo"),
        algorithm: KeyAlgorithm::EcdsaP256,
        cookie_minutes: COOKIE_MINUTES,
    }
}

/// Where a run is cut off: at the call with this number, before or after its effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) call: usize,
    pub(crate) after: bool,
}

#[derive(Default, Clone)]
pub(crate) struct State {
    pub(crate) keys: BTreeMap<String, (String, String)>,
    pub(crate) group: Option<KeyGroup>,
    pub(crate) versions: BTreeMap<String, Option<Keyring>>,
    pub(crate) stages: BTreeMap<String, Vec<String>>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) now: u64,
    /// When each key stopped being current.
    pub(crate) retired: BTreeMap<String, u64>,
    pub(crate) group_trusted: bool,
    names_ever: u64,
    references: BTreeSet<String>,
    pub(crate) calls: usize,
    pub(crate) meddle_at: Option<usize>,
    cut: Option<Cut>,
    dead: bool,
}

#[derive(Default)]
pub(crate) struct Cloud {
    pub(crate) state: RefCell<State>,
}

fn fault(kind: FaultKind) -> Fault {
    Fault { call: "Test", kind, code: format!("{kind:?}"), message: "refused".into() }
}

impl Cloud {
    /// A tenant whose keyring was just made.
    pub(crate) async fn established() -> Self {
        let cloud = Self::default();
        cloud.state.borrow_mut().now = 1_000_000;
        cloud.establish("request-1").await.expect("a first keyring");
        cloud
    }

    pub(crate) async fn establish(&self, request: &str) -> Result<String, Error> {
        rotator::custom_resource::establish(self, &tenant(), SECRET, request).await
    }

    /// What Secrets Manager does before it calls the four steps.
    pub(crate) fn begin(&self, token: &str) {
        let mut state = self.state.borrow_mut();
        for stages in state.stages.values_mut() {
            stages.retain(|stage| stage != label::PENDING);
        }
        state.stages.entry(token.into()).or_default().push(label::PENDING.into());
        state.versions.entry(token.into()).or_insert(None);
        state.forget_unlabelled();
    }

    pub(crate) async fn step(&self, step: Step, token: &str) -> Result<Outcome, Error> {
        let request = Request { step, secret: SECRET.into(), token: token.into(), rotation_token: None };
        steps::run(self, &tenant(), &request).await
    }

    /// The four steps, ended by the first failure.
    pub(crate) async fn steps(&self, token: &str) -> Result<(), Error> {
        for step in STEPS {
            self.step(step, token).await?;
        }
        Ok(())
    }

    pub(crate) async fn rotate(&self, token: &str) -> Result<(), Error> {
        self.begin(token);
        self.steps(token).await
    }

    pub(crate) fn cut(&self, cut: Cut) {
        let mut state = self.state.borrow_mut();
        state.cut = Some(Cut { call: state.calls + cut.call, ..cut });
    }

    /// Starts the function anew. Answers whether it had been cut off.
    pub(crate) fn revive(&self) -> bool {
        let mut state = self.state.borrow_mut();
        state.cut = None;
        std::mem::take(&mut state.dead)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.state.borrow_mut().now += seconds;
    }

    pub(crate) fn current(&self) -> Keyring {
        self.state.borrow().current().expect("a current keyring")
    }

    pub(crate) fn group_keys(&self) -> Vec<String> {
        self.state.borrow().group.as_ref().expect("a key group").keys.clone()
    }

    /// No public key stands outside the group.
    pub(crate) fn assert_no_orphan(&self, when: &str) {
        let state = self.state.borrow();
        let group = &state.group.as_ref().expect("a key group").keys;
        for id in state.keys.keys() {
            assert!(group.contains(id), "orphan `{id}` {when}");
        }
    }

    /// One call: cut off as asked for, and everything that must always hold checked after its effect.
    async fn call<T>(&self, effect: impl FnOnce(&mut State) -> Result<T, Fault>) -> Result<T, Fault> {
        // Lets another run go first where two are mixed.
        let mut yielded = false;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let state = &mut *self.state.borrow_mut();
        state.calls += 1;
        let cut = state.cut.filter(|cut| cut.call == state.calls);
        if state.dead || cut.is_some_and(|cut| !cut.after) {
            state.dead = true;
            return Err(fault(FaultKind::Other));
        }
        if state.meddle_at == Some(state.calls)
            && let Some(group) = &mut state.group
        {
            group.etag.push('+');
        }
        let result = effect(state);
        state.check();
        if cut.is_some() {
            state.dead = true;
            return Err(fault(FaultKind::Other));
        }
        result
    }
}

impl State {
    fn current(&self) -> Option<Keyring> {
        let version = self.holder(label::CURRENT)?;
        self.versions.get(&version).cloned().flatten()
    }

    fn holder(&self, label: &str) -> Option<String> {
        let holds = |stages: &Vec<String>| stages.iter().any(|stage| stage == label);
        self.stages.iter().find(|(_, stages)| holds(stages)).map(|(version, _)| version.clone())
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

    /// The invariants that hold at every moment.
    fn check(&self) {
        let current = self.current();
        if let Some(current) = &current {
            assert!(self.keys.contains_key(&current.key_id) || self.group.is_none(), "current key is gone");
            let pair = current.private_key.expose().strip_prefix("private-");
            let public = self.keys.get(&current.key_id).and_then(|(_, pem)| pem.strip_prefix("public-"));
            assert!(public.is_none() || pair == public, "key id and private key disagree");
        }
        let Some(group) = &self.group else { return };
        assert!(!group.keys.is_empty() && group.keys.len() <= 4, "group of {} keys", group.keys.len());
        let signing = current.iter().map(|current| &current.key_id);
        let cookies = |retired: &u64| retired + u64::from(COOKIE_MINUTES) * 60 + 600 + 900 > self.now;
        let alive = self.retired.iter().filter(|(_, retired)| cookies(retired)).map(|(key, _)| key);
        for key in signing.chain(alive) {
            assert!(group.keys.contains(key), "cookies of `{key}` are refused");
        }
    }
}

fn page(all: Vec<Listed>, marker: Option<&str>) -> Page<Listed> {
    let from = marker.map_or(0, |marker| marker.parse().expect("a marker that was given out"));
    let next = (from + PAGE < all.len()).then(|| (from + PAGE).to_string());
    Page { items: all.into_iter().skip(from).take(PAGE).collect(), next }
}

impl Keys for Cloud {
    async fn create_public_key(&self, name: &str, reference: &str, pem: &str) -> Result<String, Fault> {
        self.call(|state| {
            let named = state.keys.values().any(|(used, _)| used == name);
            if named || !state.references.insert(reference.into()) {
                return Err(fault(FaultKind::AlreadyExists));
            }
            state.names_ever += 1;
            let id = format!("K{}", state.names_ever);
            state.keys.insert(id.clone(), (name.into(), pem.into()));
            Ok(id)
        })
        .await
    }

    async fn public_keys(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        self.call(|state| {
            let listed =
                |(id, (name, _)): (&String, &(String, String))| Listed { id: id.clone(), name: name.clone() };
            Ok(page(state.keys.iter().map(listed).collect(), marker))
        })
        .await
    }

    async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, Fault> {
        let found = |state: &mut State| {
            state.keys.get(id).map(|(_, pem)| PublicKey { pem: pem.clone(), etag: "E".into() })
        };
        self.call(|state| Ok(found(state))).await
    }

    async fn delete_public_key(&self, id: &str, _etag: &str) -> Result<(), Fault> {
        self.call(|state| {
            if state.group.as_ref().is_some_and(|group| group.keys.iter().any(|key| key == id)) {
                return Err(fault(FaultKind::InUse));
            }
            state.keys.remove(id).map(drop).ok_or_else(|| fault(FaultKind::NotFound))
        })
        .await
    }

    async fn key_groups(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        self.call(|state| {
            let mut all: Vec<Listed> =
                (0..3).map(|i| Listed { id: format!("other-{i}"), name: format!("other-{i}") }).collect();
            all.extend(state.group.iter().map(|g| Listed { id: g.id.clone(), name: g.name.clone() }));
            Ok(page(all, marker))
        })
        .await
    }

    async fn key_group(&self, id: &str) -> Result<Option<KeyGroup>, Fault> {
        self.call(|state| Ok(state.group.clone().filter(|group| group.id == id))).await
    }

    async fn create_key_group(&self, name: &str, keys: &[String]) -> Result<String, Fault> {
        self.call(|state| {
            if state.group.is_some() {
                return Err(fault(FaultKind::AlreadyExists));
            }
            state.names_ever += 1;
            let id = format!("group-{}", state.names_ever);
            let group = KeyGroup { id: id.clone(), name: name.into(), etag: "E".into(), keys: keys.to_vec() };
            state.group = Some(group);
            Ok(id)
        })
        .await
    }

    async fn update_key_group(&self, group: &KeyGroup, keys: &[String]) -> Result<(), Fault> {
        self.call(|state| {
            if keys.iter().any(|key| !state.keys.contains_key(key)) {
                return Err(fault(FaultKind::Other));
            }
            match &mut state.group {
                Some(held) if held.etag == group.etag => {
                    held.keys = keys.to_vec();
                    held.etag.push('*');
                    Ok(())
                }
                Some(_) => Err(fault(FaultKind::Stale)),
                None => Err(fault(FaultKind::NotFound)),
            }
        })
        .await
    }

    async fn delete_key_group(&self, _id: &str, etag: &str) -> Result<(), Fault> {
        self.call(|state| match &state.group {
            Some(_) if state.group_trusted => Err(fault(FaultKind::InUse)),
            Some(group) if group.etag != etag => Err(fault(FaultKind::Stale)),
            held => {
                let held = held.is_some();
                state.group = None;
                if held { Ok(()) } else { Err(fault(FaultKind::NotFound)) }
            }
        })
        .await
    }
}

impl Secrets for Cloud {
    async fn secret_state(&self, _secret: &str) -> Result<SecretState, Fault> {
        self.call(|state| Ok(SecretState { rotation_enabled: true, stages: state.stages.clone() })).await
    }

    async fn keyring(&self, _secret: &str, version: Version<'_>) -> Result<Option<Keyring>, Fault> {
        self.call(|state| {
            Ok(match version {
                Version::Current => state.current(),
                Version::Pending(id) => {
                    let pending = state.stages.get(id).is_some_and(|s| s.iter().any(|s| s == label::PENDING));
                    if pending { state.versions.get(id).cloned().flatten() } else { None }
                }
            })
        })
        .await
    }

    async fn put_keyring(&self, _: &str, version: NewVersion<'_>, keyring: &Keyring) -> Result<(), Fault> {
        self.call(|state| {
            let slot = state.versions.entry(version.token.into()).or_insert(None);
            if slot.as_ref().is_some_and(|written| written != keyring) {
                return Err(fault(FaultKind::AlreadyExists));
            }
            if version.label == label::CURRENT {
                state.move_current(version.token);
            } else {
                state.move_label(version.label, version.token);
            }
            state.versions.insert(version.token.into(), Some(keyring.clone()));
            Ok(())
        })
        .await
    }

    async fn move_current(&self, _secret: &str, to: &str, from: Option<&str>) -> Result<(), Fault> {
        self.call(|state| {
            if state.holder(label::CURRENT).as_deref() != from {
                return Err(fault(FaultKind::Other));
            }
            state.move_current(to);
            Ok(())
        })
        .await
    }

    async fn drop_pending(&self, _secret: &str, version: &str) -> Result<(), Fault> {
        self.call(|state| {
            let stages = state.stages.get_mut(version).ok_or_else(|| fault(FaultKind::NotFound))?;
            stages.retain(|stage| stage != label::PENDING);
            state.forget_unlabelled();
            Ok(())
        })
        .await
    }
}

impl Parameters for Cloud {
    async fn put_parameter(&self, name: &str, value: &str) -> Result<(), Fault> {
        self.call(|state| {
            state.parameters.insert(name.into(), value.into());
            Ok(())
        })
        .await
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), Fault> {
        self.call(|state| state.parameters.remove(name).map(drop).ok_or_else(|| fault(FaultKind::NotFound)))
            .await
    }
}

impl KeyPairs for Cloud {
    async fn generate(&self, _algorithm: KeyAlgorithm) -> Result<KeyPair, Fault> {
        let pair = |number: usize| KeyPair {
            private: PrivateKeyPem::new(format!("private-{number}")),
            public: format!("public-{number}"),
        };
        self.call(|state| Ok(pair(state.calls))).await
    }

    async fn proves(&self, keyring: &Keyring, pem: &str) -> Result<bool, Fault> {
        let private = keyring.private_key.expose().strip_prefix("private-");
        self.call(|_| Ok(private.is_some() && private == pem.strip_prefix("public-"))).await
    }
}

impl Clock for Cloud {
    fn now(&self) -> u64 {
        self.state.borrow().now
    }
}
