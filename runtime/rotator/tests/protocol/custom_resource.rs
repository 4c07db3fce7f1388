//! Requests of CloudFormation that come again, come late, or meet what others have made.

use rotator::custom_resource::remove;
use rotator::error::Error;

use super::cloud::{Cloud, tenant};

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
    remove(&cloud, &tenant(), &id).await.expect("removed");
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
        remove(&cloud, &tenant(), &id).await.expect("removed");
    }
    assert_eq!(cloud.state.borrow().keys.len(), 3);
    assert!(cloud.state.borrow().group.is_none());
}

#[tokio::test]
async fn a_delete_of_a_group_in_use_says_why_and_removes_nothing() {
    let cloud = Cloud::established().await;
    cloud.state.borrow_mut().group_trusted = true;
    let id = cloud.state.borrow().group.clone().expect("a group").id;
    let refused = remove(&cloud, &tenant(), &id).await.expect_err("a distribution trusts it");
    assert!(matches!(refused, Error::GroupInUse(_)), "{refused}");
    assert_eq!(cloud.state.borrow().keys.len(), 1);
}

#[tokio::test]
async fn a_late_delete_of_a_replaced_group_leaves_the_new_one() {
    let cloud = Cloud::established().await;
    remove(&cloud, &tenant(), "2f0c7d6e-8a1b-4c3d-9e5f-001122334455").await.expect("nothing to do");
    assert!(cloud.state.borrow().group.is_some());
    remove(&cloud, &tenant(), "example-demo-edge-Keyring-1A2B3C").await.expect("never answered");
    assert!(cloud.state.borrow().group.is_none());
}
