//! The wait for the edges, and what is seen there.

use rotator::error::Error;
use rotator::lifetime::SETTLE;
use rotator::steps::{Outcome, Step};

use super::cloud::{Cloud, tenant};
use super::world::Edge;

/// A rotation whose key stands in the group.
async fn set() -> Cloud {
    let cloud = Cloud::established().await;
    cloud.pass(24 * 3600);
    cloud.begin("token-a");
    for step in [Step::Create, Step::Set] {
        cloud.step(step, "token-a").await.expect("a step");
    }
    cloud
}

fn now(cloud: &Cloud) -> u64 {
    cloud.state.borrow().now
}

#[tokio::test]
async fn the_wait_counts_from_the_change_of_the_group_however_often_it_is_broken_off() {
    let cloud = set().await;
    let begun = now(&cloud);
    cloud.pass(SETTLE - 100);
    // A repeated set writes nothing, so it does not put the clock back.
    cloud.step(Step::Set, "token-a").await.expect("a repeated step");
    assert_eq!(cloud.step(Step::Test, "token-a").await.expect("seen"), Outcome::Done);
    assert_eq!(now(&cloud), begun + SETTLE);
    assert_eq!(cloud.step(Step::Test, "token-a").await.expect("seen again"), Outcome::Done);
    assert_eq!(now(&cloud), begun + SETTLE, "waited again");
}

#[tokio::test]
async fn a_test_that_has_no_time_to_wait_fails_and_the_next_one_goes_on_with_the_same_key() {
    let cloud = set().await;
    let keys = cloud.state.borrow().keys.clone();
    cloud.state.borrow_mut().edge_lag = 2_000;
    let slow = cloud.step(Step::Test, "token-a").await.expect_err("the edge does not know the key");
    match &slow {
        Error::NotSeen { host, why, .. } => assert!(host == "d1.example" && why.contains("403"), "{slow}"),
        other => panic!("{other}"),
    }
    assert!(now(&cloud) <= 1_000_000 + 24 * 3600 + 900, "longer than one invocation may take");
    assert!(!cloud.is_current("token-a"));
    cloud.pass(1_200);
    cloud.steps("token-a").await.expect("the service's next attempt");
    assert!(cloud.is_current("token-a"));
    assert_eq!(cloud.state.borrow().keys, keys, "another key was made");
}

#[tokio::test]
async fn a_finish_before_its_time_is_refused_whoever_asks_for_it() {
    let cloud = set().await;
    let early = cloud.step(Step::Finish, "token-a").await;
    let from = now(&cloud) + SETTLE;
    assert!(matches!(early, Err(Error::Settling { from: f, .. }) if f == from), "{early:?}");
    cloud.pass(SETTLE);
    cloud.step(Step::Finish, "token-a").await.expect("in time, although no test was asked for");
}

#[tokio::test]
async fn an_edge_that_answers_alike_whatever_it_is_shown_leaves_the_wait_alone_to_speak() {
    let cloud = set().await;
    cloud.state.borrow_mut().edge = Edge::Alike;
    assert_eq!(cloud.step(Step::Test, "token-a").await.expect("waited"), Outcome::Unseen);
    assert_eq!(now(&cloud), 1_000_000 + 24 * 3600 + SETTLE);
}

#[tokio::test]
async fn an_edge_that_nobody_reaches_fails_the_test_in_time() {
    let cloud = set().await;
    cloud.state.borrow_mut().edge = Edge::Silent;
    let silent = cloud.step(Step::Test, "token-a").await;
    assert!(matches!(silent, Err(Error::NotSeen { .. })), "{silent:?}");
    assert!(now(&cloud) <= 1_000_000 + 24 * 3600 + 900);
}

#[tokio::test]
async fn without_a_distribution_there_is_nobody_to_lock_out() {
    let cloud = set().await;
    cloud.state.borrow_mut().parameters.remove(&tenant().names.config_parameter());
    assert_eq!(cloud.step(Step::Test, "token-a").await.expect("nothing to see"), Outcome::Unseen);
}
