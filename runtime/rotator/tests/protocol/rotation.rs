//! Rotations that are repeated, come late, or come too soon.

use rotator::error::Error;
use rotator::lifetime::FINISH_WITHIN;
use rotator::ports::label;
use rotator::steps::{Outcome, Step};

use super::cloud::{Cloud, STEPS, tenant};

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn each_step_twice_makes_one_key() {
    let cloud = Cloud::established().await;
    let before = cloud.current().key_id;
    cloud.begin("token-a");
    for step in STEPS {
        cloud.step(step, "token-a").await.expect("a step");
        cloud.step(step, "token-a").await.expect("the same step again");
    }
    let current = cloud.current();
    assert_eq!(cloud.group_keys(), [current.key_id.clone(), before.clone()]);
    assert_eq!(current.retired[0].key_id, before);
    assert_eq!(cloud.state.borrow().keys.len(), 2);
    let parameter = tenant().names.key_id_parameter();
    assert_eq!(cloud.state.borrow().parameters[&parameter], current.key_id);
}

#[tokio::test]
async fn a_key_leaves_with_the_next_rotation_after_its_last_cookie() {
    let cloud = Cloud::established().await;
    let first = cloud.current().key_id;
    cloud.rotate("token-a").await.expect("a rotation");
    let second = cloud.current().key_id;
    cloud.pass(DAY);
    cloud.rotate("token-b").await.expect("a rotation a day later");
    assert_eq!(cloud.group_keys(), [cloud.current().key_id, second]);
    assert!(!cloud.state.borrow().keys.contains_key(&first));
    cloud.assert_no_orphan("after the second rotation");
}

#[tokio::test]
async fn rotations_in_quick_succession_keep_all_keys_until_one_more_is_refused_with_a_time() {
    let cloud = Cloud::established().await;
    for token in ["token-a", "token-b", "token-c"] {
        cloud.rotate(token).await.expect("room for it");
    }
    assert_eq!(cloud.group_keys().len(), 4);
    let keys = cloud.state.borrow().keys.len();
    let from = match cloud.rotate("token-d").await {
        Err(Error::GroupFull { from, .. }) => from,
        other => panic!("a fifth key was not refused: {other:?}"),
    };
    assert_eq!(cloud.state.borrow().keys.len(), keys, "a refused rotation made a key");
    let now = cloud.state.borrow().now;
    cloud.pass(from - now);
    cloud.steps("token-d").await.expect("the time given");
    cloud.assert_no_orphan("after the delayed rotation");
}

#[tokio::test]
async fn steps_of_an_earlier_rotation_change_nothing() {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    cloud.rotate("token-b").await.expect("another");
    // Some peers leave the pending label on a version that was current.
    cloud.state.borrow_mut().stages.get_mut("token-a").expect("a").push(label::PENDING.into());
    let (current, group) = (cloud.current(), cloud.group_keys());
    for step in STEPS {
        let late = cloud.step(step, "token-a").await;
        assert!(matches!(late, Err(Error::Superseded(_))), "{step:?}: {late:?}");
    }
    let unknown = cloud.step(Step::Set, "token-x").await;
    assert!(matches!(unknown, Err(Error::UnknownVersion(_))), "{unknown:?}");
    assert_eq!((cloud.current(), cloud.group_keys()), (current, group));
}

#[tokio::test]
async fn a_pending_label_that_was_left_on_an_old_version_keeps_no_key() {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    for token in ["token-b", "token-c"] {
        cloud.pass(DAY);
        cloud.rotate(token).await.expect("a rotation a day later");
    }
    cloud.begin("token-d");
    cloud.state.borrow_mut().stages.insert("token-a".into(), vec![label::PENDING.into()]);
    cloud.pass(DAY);
    cloud.steps("token-d").await.expect("a rotation beside the old label");
    assert_eq!(cloud.group_keys().len(), 2);
    cloud.assert_no_orphan("beside an old label");
    let late = cloud.step(Step::Finish, "token-a").await;
    assert!(late.is_err(), "{late:?}");
}

#[tokio::test]
async fn a_late_finish_of_the_current_version_spares_the_key_of_the_next() {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    cloud.begin("token-b");
    for done in [&[Step::Create][..], &[Step::Set], &[Step::Test]] {
        for step in done {
            cloud.step(*step, "token-b").await.expect("a step");
        }
        cloud.step(Step::Finish, "token-a").await.expect("a repeated finish");
    }
    cloud.step(Step::Finish, "token-b").await.expect("its own finish");
}

#[tokio::test]
async fn a_rotation_that_took_too_long_is_cancelled_and_the_next_one_goes_through() {
    let cloud = Cloud::established().await;
    let before = cloud.current().key_id;
    cloud.begin("token-a");
    for step in [Step::Create, Step::Set, Step::Test] {
        cloud.step(step, "token-a").await.expect("a step");
    }
    cloud.pass(FINISH_WITHIN + 1);
    let late = cloud.step(Step::Finish, "token-a").await;
    assert!(matches!(late, Err(Error::TooLate)), "{late:?}");
    assert_eq!(cloud.current().key_id, before);
    assert!(!cloud.state.borrow().stages.contains_key("token-a"), "it still blocks the next rotation");
    cloud.rotate("token-b").await.expect("the next rotation");
    cloud.assert_no_orphan("after a cancelled rotation");
}

#[tokio::test]
async fn a_pending_key_that_somebody_deleted_cancels_the_rotation() {
    let cloud = Cloud::established().await;
    cloud.begin("token-a");
    cloud.step(Step::Create, "token-a").await.expect("a step");
    cloud.state.borrow_mut().keys.remove("K3").expect("the new key");
    let gone = cloud.step(Step::Create, "token-a").await;
    assert!(matches!(gone, Err(Error::PendingKeyGone(_))), "{gone:?}");
    cloud.rotate("token-b").await.expect("the next rotation");
}

#[tokio::test]
async fn the_trial_with_an_empty_version_is_survived() {
    let cloud = Cloud::established().await;
    cloud.begin("token-a");
    let tried = cloud.step(Step::Test, "token-a").await.expect("a trial");
    assert_eq!(tried, Outcome::NothingPending);
    let early = cloud.step(Step::Finish, "token-a").await;
    assert!(matches!(early, Err(Error::NoValue(_))), "{early:?}");
}

#[tokio::test]
async fn a_group_that_others_write_meanwhile_is_read_again() {
    let cloud = Cloud::established().await;
    cloud.begin("token-a");
    cloud.step(Step::Create, "token-a").await.expect("a step");
    let calls = *cloud.calls.borrow();
    for meddle in 1..12 {
        *cloud.meddle_at.borrow_mut() = Some(calls + meddle);
        cloud.step(Step::Set, "token-a").await.expect("a step");
    }
    assert_eq!(cloud.group_keys().len(), 2);
}
