//! Deploying to a cloud that has a bad day, and with a process that is killed: what comes of it, what is said, and
//! that nothing is done twice.

mod faults;
mod interrupted;
mod killed;
mod peer;
mod proxy;
mod scenes;
mod watching;

use self::killed::{killed_and_resumed, planned_killed_and_resumed};
use crate::rotate::world::World;

/// One test, as a world takes its time to make.
#[test]
fn a_bad_day_of_the_cloud_is_neither_a_wrong_end_nor_a_second_write() {
    let world = World::deployed("faults", 1);
    faults::go_through(&world);
    watching::what_is_said_fits_the_schema(&world);
    scenes::go_through(&world);
}

#[test]
fn an_interrupted_command_finishes_what_is_in_flight_and_leaves_nothing_unused() {
    let world = World::empty("interrupted", 10);
    interrupted::go_through(&world);
}

#[test]
fn a_deployment_that_is_killed_and_resumed_ends_as_rendered_and_does_nothing_twice() {
    let world = World::empty("killed", 6);
    killed_and_resumed(&world, 4);
}

#[test]
fn a_plan_whose_execution_is_killed_and_resumed_ends_as_planned_and_does_nothing_twice() {
    let world = World::empty("killed-plan", 5);
    planned_killed_and_resumed(&world, 3);
}

/// The whole proof: `cargo test --test acceptance fifty_tenants -- --ignored --nocapture`.
#[test]
#[ignore = "takes some minutes on two cores"]
fn fifty_tenants_killed_at_twenty_points_end_as_rendered_and_nothing_was_done_twice() {
    let world = World::empty("killed-50", 50);
    killed_and_resumed(&world, 20);
}
