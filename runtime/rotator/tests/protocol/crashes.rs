//! Runs that are cut off before and after every call, and then repeated as the services repeat them.

use super::cloud::{Cloud, Cut, tenant};

/// No run of the tests makes as many calls.
const CALLS_MAX: usize = 100;

/// Every place at which a run can be cut off.
fn cuts() -> impl Iterator<Item = Cut> + Clone {
    (1..=CALLS_MAX).flat_map(|call| [false, true].map(|after| Cut { call, after }))
}

async fn rotated(cloud: &Cloud, token: &str, when: &str) {
    cloud.steps(token).await.unwrap_or_else(|error| panic!("{when}: {error}"));
    assert!(cloud.state.borrow().stages[token].iter().any(|stage| stage == "AWSCURRENT"), "{when}");
    assert_eq!(cloud.group_keys().len(), 2, "{when}");
    cloud.assert_no_orphan(when);
    let published = cloud.state.borrow().parameters[&tenant().names.key_id_parameter()].clone();
    assert_eq!(published, cloud.current().key_id, "{when}");
}

#[tokio::test]
async fn a_rotation_cut_off_anywhere_ends_with_one_new_key() {
    for cut in cuts() {
        let cloud = Cloud::established().await;
        cloud.begin("token-a");
        cloud.cut(cut);
        let first = cloud.steps("token-a").await;
        let was_cut = cloud.revive();
        assert_eq!(first.is_err(), was_cut, "{cut:?}: {first:?}");
        rotated(&cloud, "token-a", &format!("{cut:?}")).await;
        if !was_cut {
            return;
        }
    }
    panic!("a rotation makes more than {CALLS_MAX} calls");
}

#[tokio::test]
async fn a_rotation_cut_off_twice_ends_with_one_new_key() {
    for first in cuts() {
        for second in cuts() {
            let cloud = Cloud::established().await;
            cloud.begin("token-a");
            cloud.cut(first);
            let _ = cloud.steps("token-a").await;
            if !cloud.revive() {
                return;
            }
            cloud.cut(second);
            let _ = cloud.steps("token-a").await;
            let was_cut = cloud.revive();
            rotated(&cloud, "token-a", &format!("{first:?}, {second:?}")).await;
            if !was_cut {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_cut_off_and_given_up_leaves_nothing_behind_after_the_next() {
    for cut in cuts() {
        let cloud = Cloud::established().await;
        cloud.begin("token-a");
        cloud.cut(cut);
        let _ = cloud.steps("token-a").await;
        if !cloud.revive() {
            return;
        }
        let finished = cloud.state.borrow().stages["token-a"].len() > 1;
        cloud.begin("token-b");
        cloud.steps("token-b").await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert_eq!(cloud.group_keys().len(), if finished { 3 } else { 2 }, "{cut:?}");
        cloud.assert_no_orphan(&format!("{cut:?}"));
    }
}

#[tokio::test]
async fn a_creation_cut_off_anywhere_goes_on_when_it_is_delivered_again() {
    for cut in cuts() {
        let cloud = Cloud::default();
        cloud.cut(cut);
        let first = cloud.establish("request-1").await;
        let was_cut = cloud.revive();
        let id = cloud.establish("request-1").await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(first.map_or(true, |first| first == id), "{cut:?}");
        assert_eq!(cloud.group_keys(), [cloud.current().key_id], "{cut:?}");
        cloud.assert_no_orphan(&format!("{cut:?}"));
        if !was_cut {
            return;
        }
    }
}

#[tokio::test]
async fn a_creation_cut_off_anywhere_is_removed_by_its_delete_cut_off_anywhere() {
    for cut in cuts() {
        for second in cuts() {
            let cloud = Cloud::default();
            cloud.cut(cut);
            let _ = cloud.establish("request-1").await;
            if !cloud.revive() {
                return;
            }
            cloud.cut(second);
            let unmade = tenant().names.key_group();
            let _ = cloud.remove(&unmade).await;
            let was_cut = cloud.revive();
            let removed = cloud.remove(&unmade).await;
            removed.unwrap_or_else(|error| panic!("{cut:?}, {second:?}: {error}"));
            let state = cloud.state.borrow();
            let left = (state.keys.len(), state.group.is_some(), state.parameters.len());
            assert_eq!(left, (0, false, 0), "{cut:?}, {second:?}");
            if !was_cut {
                break;
            }
        }
    }
}
