//! The rotation with all its neighbours, explored exhaustively within bounds.
//!
//! The functions that run are the rotator's own ([`replay`] runs them one call at a time). Around them:
//! - **Secrets Manager** begins rotations and asks for any step of any of them, at any time, as often as it
//!   likes, also while another run is under way;
//! - **runs** end between any two calls (a crash before a call and one after the call before it are the same
//!   thing to the world), live for fifteen minutes at most, and may let time pass between any two calls;
//! - **CloudFront** takes a change at once and tells its edges later: at any moment each edge may go by any
//!   content that the group had within the last [`Bounds::lag`] seconds;
//! - **signers and viewers** are as many as there could be: any signer may have read a keyring up to the
//!   moment at which it stopped being current, use it for as long as its cache allows, and give out a cookie
//!   with the whole life at the end of that;
//! - **time** goes from one moment at which something falls due to the next.
//!
//! What each test leaves out of that stands in its [`Bounds`].

mod moment;
mod replay;
mod walkthrough;

use std::io::{self, Write};
use std::time::Instant;

use contract::keyring::PROPAGATION_SECONDS;
use rotator::lifetime::SETTLE;
use stateright::{Checker, Model, Property};

use super::world::SECRET;
use moment::{Action, Moment};

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Rotations that Secrets Manager begins.
    pub(crate) rotations: usize,
    /// Runs that end before their time.
    pub(crate) crashes: u8,
    /// Runs that are started while another one is under way.
    pub(crate) overlaps: u8,
    /// Whether time goes on while a run is under way, and not only between two runs.
    pub(crate) late: bool,
    /// Whether stack updates come in between.
    pub(crate) updates: bool,
    /// Whether the keys are revoked at some time.
    pub(crate) revocation: bool,
    /// How long an edge may go by an older content of the group, in seconds.
    pub(crate) lag: u64,
    /// Rotations in the walkthrough's order of operations, instead of the rotator's own.
    pub(crate) walkthrough: usize,
}

const NOTHING: Bounds = Bounds {
    rotations: 0,
    crashes: 0,
    overlaps: 0,
    late: false,
    updates: false,
    revocation: false,
    lag: SETTLE,
    walkthrough: 0,
};

const COOKIES: &str = "1 a cookie that can be alive is accepted at every edge";
const SIGNERS: &str = "2 the key of every keyring that a signer may hold is in the group";
const ONE_KEY: &str = "3 one rotation brings one key into the group";
const NO_ORPHAN: &str = "3 after a rotation no key is left outside the group";
const SIZE: &str = "4 the group holds one to four keys";
const WHOLE: &str = "5 the secret names a key that exists and that its private key belongs to";
const REVOKED: &str = "a revoked key is gone and stays gone";
const ROTATED: &str = "every rotation can end";
const REVOKES: &str = "a revocation can end";

impl Model for Bounds {
    type State = Moment;
    type Action = Action;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment::established()]
    }

    fn actions(&self, moment: &Moment, actions: &mut Vec<Action>) {
        moment.actions(self, actions);
    }

    fn next_state(&self, moment: &Moment, action: Action) -> Option<Moment> {
        moment.after(self, &action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(COOKIES, |bounds: &Self, moment: &Moment| moment.cookies_accepted(bounds.lag)),
            Property::always(SIGNERS, |_: &Self, moment: &Moment| moment.signers_keys_in_group()),
            Property::always(ONE_KEY, |_: &Self, moment: &Moment| moment.one_key_each()),
            Property::always(NO_ORPHAN, |_: &Self, moment: &Moment| !moment.orphaned),
            Property::always(SIZE, |_: &Self, moment: &Moment| (1..=4).contains(&moment.group().len())),
            Property::always(WHOLE, |_: &Self, moment: &Moment| moment.world.secret_is_whole()),
            Property::always(REVOKED, |_: &Self, moment: &Moment| moment.revoked_are_gone()),
        ];
        if self.rotations > 0 {
            properties.push(Property::sometimes(ROTATED, |bounds: &Self, moment: &Moment| {
                moment.ended == bounds.rotations
            }));
        }
        if self.revocation {
            properties
                .push(Property::sometimes(REVOKES, |_: &Self, moment: &Moment| moment.revoked_at.is_some()));
        }
        properties
    }
}

/// Explores everything within `bounds` and answers what was violated.
fn explore(name: &str, bounds: Bounds) -> impl Checker<Bounds> {
    let begun = Instant::now();
    let checker = bounds.checker().threads(2).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    // Written past the test harness's capture, since nothing else shows how much was explored.
    let line = format!("{name}: {states} states, at most {depth} deep, {:.1?}\n", begun.elapsed());
    let _ = io::stderr().lock().write_all(line.as_bytes());
    assert!(checker.is_done());
    checker
}

#[test]
fn every_order_of_steps_with_repeats_crashes_and_late_runs_keeps_the_invariants() {
    let bounds = Bounds { rotations: 1, crashes: 1, late: true, updates: true, ..NOTHING };
    explore("late runs", bounds).assert_properties();
}

#[test]
fn two_rotations_in_a_row_keep_the_invariants() {
    let bounds = Bounds { rotations: 2, ..NOTHING };
    explore("two rotations", bounds).assert_properties();
}

#[test]
#[ignore = "takes some five minutes"]
fn two_rotations_with_stack_updates_and_late_runs_keep_the_invariants() {
    let bounds = Bounds { rotations: 2, late: true, updates: true, ..NOTHING };
    explore("two rotations and what comes between", bounds).assert_properties();
}

#[test]
fn two_runs_at_once_keep_the_invariants() {
    let bounds = Bounds { rotations: 1, overlaps: 1, ..NOTHING };
    explore("two runs at once", bounds).assert_properties();
}

#[test]
fn a_revocation_beside_a_rotation_keeps_the_invariants_of_the_keys_after_it() {
    let bounds = Bounds { rotations: 1, crashes: 1, revocation: true, ..NOTHING };
    explore("a revocation", bounds).assert_properties();
}

/// The model bites: the order of operations that this project set out to replace locks viewers out.
#[test]
fn the_walkthrough_locks_out_who_has_a_cookie() {
    let found = explore("the walkthrough", Bounds { walkthrough: 2, late: true, ..NOTHING });
    assert!(found.discovery(COOKIES).is_some());
}

/// And so does what is assumed of CloudFront: were it slower than the protocol waits, cookies would be refused.
#[test]
fn an_edge_slower_than_the_wait_would_lock_out() {
    let bounds = Bounds { rotations: 1, lag: PROPAGATION_SECONDS, ..NOTHING };
    assert!(explore("slow edges", bounds).discovery(COOKIES).is_some());
}
