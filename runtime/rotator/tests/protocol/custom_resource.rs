//! Requests of CloudFormation that come again, come late, or meet what others have made.

use contract::keyring::KeyAlgorithm;
use rotator::error::Error;
use rotator::steps::Step;
use rotator::tenant::Tenant;

use super::cloud::{Cloud, STEPS, tenant};

#[tokio::test]
async fn an_update_keeps_group_and_key() {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    let (id, group, current) = (cloud.state.borrow().group.clone(), cloud.group_keys(), cloud.current());
    let updated = cloud.establish("request-2").await.expect("an update");
    assert_eq!(Some(updated), id.map(|group| group.id));
    assert_eq!((cloud.group_keys(), cloud.current()), (group, current));
}

#[tokio::test]
async fn a_keyring_made_again_with_an_old_secret_gets_a_new_key() {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    let id = cloud.state.borrow().group.clone().expect("a group").id;
    cloud.remove(&id).await.expect("removed");
    cloud.state.borrow_mut().retired.clear();
    let again = cloud.establish("request-9").await.expect("made again");
    assert_ne!(again, id);
    assert_eq!(cloud.group_keys(), [cloud.current().key_id]);
}

#[tokio::test]
async fn a_delete_removes_this_tenant_only_and_may_be_repeated() {
    let cloud = Cloud::established().await;
    for name in ["example-demo2-key-1", "example-demo-key-key-1", "somebody"] {
        cloud.state.borrow_mut().keys.insert(format!("X-{name}"), (name.into(), "public".into()));
    }
    let id = cloud.state.borrow().group.clone().expect("a group").id;
    for _ in 0..2 {
        cloud.remove(&id).await.expect("removed");
    }
    assert_eq!(cloud.state.borrow().keys.len(), 3);
    assert!(cloud.state.borrow().group.is_none());
}

#[tokio::test]
async fn a_delete_of_a_group_in_use_says_why_and_removes_nothing() {
    let cloud = Cloud::established().await;
    cloud.state.borrow_mut().group_trusted = true;
    let id = cloud.state.borrow().group.clone().expect("a group").id;
    let refused = cloud.remove(&id).await.expect_err("a distribution trusts it");
    assert!(matches!(refused, Error::GroupInUse(_)), "{refused}");
    assert_eq!(cloud.state.borrow().keys.len(), 1);
}

#[tokio::test]
async fn a_late_delete_of_a_replaced_group_leaves_the_new_one() {
    let cloud = Cloud::established().await;
    cloud.remove("2f0c7d6e-8a1b-4c3d-9e5f-001122334455").await.expect("nothing to do");
    assert!(cloud.state.borrow().group.is_some());
    cloud.remove("example-demo-edge-Keyring-1A2B3C").await.expect("never answered");
    assert!(cloud.state.borrow().group.is_none());
}

#[tokio::test]
async fn a_late_request_after_the_secret_was_deleted_leaves_no_key_behind() {
    let cloud = Cloud::established().await;
    let id = cloud.state.borrow().group.clone().expect("a group").id;
    cloud.remove(&id).await.expect("removed");
    {
        let mut state = cloud.state.borrow_mut();
        state.secret_gone = true;
        state.versions.clear();
        state.stages.clear();
    }
    cloud.establish("request-1").await.expect_err("there is no secret");
    assert!(cloud.state.borrow().keys.is_empty());
}

#[tokio::test]
async fn repeated_and_late_deliveries_of_creation_and_update_make_no_second_key() {
    let cloud = Cloud::established().await;
    for request in ["request-1", "request-2", "request-2", "request-1"] {
        cloud.establish(request).await.expect("delivered again");
    }
    cloud.rotate("token-a").await.expect("a rotation");
    let (current, group) = (cloud.current(), cloud.group_keys());
    for request in ["request-1", "request-2"] {
        cloud.establish(request).await.expect("delivered late");
    }
    assert_eq!((cloud.current(), cloud.group_keys()), (current, group));
    cloud.assert_no_orphan("after late deliveries");
}

fn with_rsa() -> Tenant {
    Tenant { algorithm: KeyAlgorithm::Rsa2048, ..tenant() }
}

/// What the service does meanwhile: it waits until a rotation is asked for and drives it.
async fn rotate_when_asked(cloud: &Cloud) {
    let token = loop {
        if let Some(token) = cloud.state.borrow_mut().asked_for.take() {
            break token;
        }
        tokio::task::yield_now().await;
    };
    cloud.begin(&token);
    for step in STEPS {
        cloud.step_as(&with_rsa(), step, &token).await.expect("a step");
    }
}

#[tokio::test]
async fn another_algorithm_comes_by_a_rotation_and_both_keys_are_good_meanwhile() {
    let cloud = Cloud::established().await;
    let old = cloud.current().key_id;
    let tenant = with_rsa();
    let update = cloud.establish_as(&tenant, "request-2");
    let (updated, ()) = tokio::join!(update, rotate_when_asked(&cloud));
    updated.expect("the update ends when the rotation has");
    assert_eq!(cloud.current().algorithm, KeyAlgorithm::Rsa2048);
    assert_eq!(cloud.group_keys(), [cloud.current().key_id, old]);
    // Delivered again, it finds nothing to do.
    cloud.establish_as(&tenant, "request-2").await.expect("the same request");
    assert_eq!(cloud.state.borrow().asked_for, None);
}

#[tokio::test]
async fn a_rotation_begun_for_the_old_algorithm_is_cancelled() {
    let cloud = Cloud::established().await;
    cloud.begin("token-a");
    cloud.step(Step::Create, "token-a").await.expect("a key of the old algorithm");
    let tenant = with_rsa();
    let update = cloud.establish_as(&tenant, "request-2");
    let (updated, ()) = tokio::join!(update, rotate_when_asked(&cloud));
    updated.expect("updated");
    assert_eq!(cloud.current().algorithm, KeyAlgorithm::Rsa2048);
    cloud.assert_no_orphan("of the cancelled rotation");
}

#[tokio::test]
async fn an_algorithm_whose_rotation_does_not_end_or_has_no_room_fails_the_update() {
    let cloud = Cloud::established().await;
    let slow = cloud.establish_as(&with_rsa(), "request-2").await;
    assert!(matches!(slow, Err(Error::AlgorithmPending(_))), "{slow:?}");
    for token in ["token-a", "token-b", "token-c"] {
        cloud.rotate(token).await.expect("room for it");
    }
    let full = cloud.establish_as(&with_rsa(), "request-3").await;
    assert!(matches!(full, Err(Error::GroupFull { .. })), "{full:?}");
}
