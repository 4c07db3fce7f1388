//! The world in memory with a knife: a run can be cut off before and after every call.

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::Deref;
use std::task::Poll;

use contract::keyring::Keyring;
use rotator::error::Error;
use rotator::ports::{FaultKind, label};
use rotator::revocation;
use rotator::steps::{self, Outcome, Request, Step};
use rotator::tenant::Tenant;

use super::world::{Answered, Driver, In, State, fault};
pub(crate) use super::world::{COOKIE_MINUTES, HOST, SECRET, tenant};

pub(crate) const STEPS: [Step; 4] = [Step::Create, Step::Set, Step::Test, Step::Finish];

/// Where a run is cut off: at the call with this number, before or after its effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) call: usize,
    pub(crate) after: bool,
}

/// Lets every call through but for the cut, and checks after each what must always hold.
#[derive(Default)]
pub(crate) struct Knife {
    pub(crate) state: RefCell<State>,
    pub(crate) calls: RefCell<usize>,
    pub(crate) meddle_at: RefCell<Option<usize>>,
    cut: RefCell<Option<Cut>>,
    dead: RefCell<bool>,
}

impl Driver for Knife {
    async fn call<T: super::world::Answer>(
        &self,
        effect: impl FnOnce(&mut State) -> Answered<T>,
    ) -> Answered<T> {
        // Lets another run go first where two are mixed.
        let mut yielded = false;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        *self.calls.borrow_mut() += 1;
        let (call, mut dead) = (*self.calls.borrow(), self.dead.borrow_mut());
        let cut = self.cut.borrow().filter(|cut| cut.call == call);
        if *dead || cut.is_some_and(|cut| !cut.after) {
            *dead = true;
            return Err(fault(FaultKind::Other));
        }
        let state = &mut *self.state.borrow_mut();
        if *self.meddle_at.borrow() == Some(call)
            && let Some(group) = &mut state.group
        {
            let version: u32 = group.etag.parse().expect("a number");
            group.etag = (version + 1).to_string();
        }
        let result = effect(state);
        state.check();
        if cut.is_some() {
            *dead = true;
            return Err(fault(FaultKind::Other));
        }
        result
    }

    fn now(&self) -> u64 {
        self.state.borrow().now
    }

    async fn sleep(&self, seconds: u64) {
        self.state.borrow_mut().now += seconds;
    }
}

/// The services as the tests use them.
pub(crate) struct Cloud(pub(crate) In<Knife>);

impl Default for Cloud {
    fn default() -> Self {
        Self(In(Knife::default()))
    }
}

impl Deref for Cloud {
    type Target = Knife;

    fn deref(&self) -> &Knife {
        &self.0.0
    }
}

impl Cloud {
    /// A tenant whose keyring was just made, and whose distribution stands.
    pub(crate) async fn established() -> Self {
        let cloud = Self::default();
        cloud.state.borrow_mut().now = 1_000_000;
        cloud.establish("request-1").await.expect("a first keyring");
        cloud.give_host();
        cloud
    }

    /// Writes the signer's configuration, which names the host.
    pub(crate) fn give_host(&self) {
        let config = format!(
            r#"{{"hosts": ["{HOST}"], "keyring_secret": "arn:s", "issuer": "https://i/p", "clients": [],
                "origins": [], "cookie": {{"minutes": {COOKIE_MINUTES}, "same_site": "lax", "hash": "sha256"}}}}"#
        );
        self.state.borrow_mut().parameters.insert(tenant().names.config_parameter(), config);
    }

    pub(crate) async fn establish(&self, request: &str) -> Result<String, Error> {
        self.establish_as(&tenant(), request).await
    }

    pub(crate) async fn establish_as(&self, tenant: &Tenant, request: &str) -> Result<String, Error> {
        let deadline = self.state.borrow().now + 900;
        rotator::custom_resource::establish(&self.0, tenant, SECRET, request, deadline).await
    }

    pub(crate) async fn remove(&self, physical_id: &str) -> Result<(), Error> {
        rotator::custom_resource::remove(&self.0, &tenant(), physical_id).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Result<String, Error> {
        revocation::revoke(&self.0, &tenant(), SECRET, token).await
    }

    pub(crate) fn begin(&self, token: &str) {
        self.state.borrow_mut().begin(token);
    }

    pub(crate) async fn step(&self, step: Step, token: &str) -> Result<Outcome, Error> {
        self.step_as(&tenant(), step, token).await
    }

    /// One invocation of fifteen minutes.
    pub(crate) async fn step_as(&self, tenant: &Tenant, step: Step, token: &str) -> Result<Outcome, Error> {
        let deadline = self.state.borrow().now + 870;
        let (secret, token) = (SECRET.into(), token.into());
        let request = Request { step, secret, token, rotation_token: None, deadline };
        steps::run(&self.0, tenant, &request).await
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
        *self.cut.borrow_mut() = Some(Cut { call: *self.calls.borrow() + cut.call, ..cut });
    }

    /// Starts the function anew. Answers whether it had been cut off.
    pub(crate) fn revive(&self) -> bool {
        *self.cut.borrow_mut() = None;
        std::mem::take(&mut *self.dead.borrow_mut())
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

    pub(crate) fn is_current(&self, token: &str) -> bool {
        self.state.borrow().has(token, label::CURRENT)
    }

    /// No public key stands outside the group.
    pub(crate) fn assert_no_orphan(&self, when: &str) {
        let state = self.state.borrow();
        let group = &state.group.as_ref().expect("a key group").keys;
        for id in state.keys.keys() {
            assert!(group.contains(id), "orphan `{id}` {when}");
        }
    }
}
