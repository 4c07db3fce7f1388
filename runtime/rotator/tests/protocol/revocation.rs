//! Revocations: complete, cut off, repeated, and beside other work.

use rotator::error::Error;
use rotator::steps::Step;

use super::cloud::{Cloud, Cut};
use super::interleaved::{ORDERS, mix};

/// A tenant whose keys have leaked: one current and one retired.
async fn leaked() -> Cloud {
    let cloud = Cloud::established().await;
    cloud.rotate("token-a").await.expect("a rotation");
    cloud.state.borrow_mut().revoking = true;
    cloud
}

/// Nothing of the older keys is left, and rotations go on.
async fn only(cloud: &Cloud, key: &str, when: &str) {
    assert_eq!(cloud.current().key_id, key, "{when}");
    assert_eq!(cloud.current().retired, [], "{when}");
    assert_eq!(cloud.group_keys(), [key], "{when}");
    assert_eq!(cloud.state.borrow().keys.len(), 1, "{when}");
    {
        // From here on the promise to cookies holds again, for those of the new key.
        let mut state = cloud.state.borrow_mut();
        state.revoking = false;
        state.retired.clear();
    }
    // What a rotation that was under way is answered is its own end; the next one goes through.
    cloud.rotate("token-z").await.unwrap_or_else(|error| panic!("{when}: {error}"));
    cloud.assert_no_orphan(when);
}

#[tokio::test]
async fn all_older_keys_leave_at_once_and_a_repeated_call_changes_nothing() {
    let cloud = leaked().await;
    let key = cloud.revoke("revoke-1").await.expect("revoked");
    assert_eq!(cloud.revoke("revoke-1").await.expect("the same again"), key);
    only(&cloud, &key, "revoked").await;
    let late = cloud.revoke("revoke-1").await;
    assert!(matches!(late, Err(Error::Superseded(_))), "{late:?}");
}

#[tokio::test]
async fn a_revocation_cut_off_anywhere_goes_on_with_the_same_key() {
    for call in 1.. {
        for after in [false, true] {
            let cut = Cut { call, after };
            let cloud = leaked().await;
            cloud.cut(cut);
            let first = cloud.revoke("revoke-1").await;
            let was_cut = cloud.revive();
            let key = cloud.revoke("revoke-1").await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
            only(&cloud, &key, &format!("{cut:?}")).await;
            if !was_cut {
                first.expect("not cut off");
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_at_any_stage_ends_with_the_revocation() {
    for done in 0..=3 {
        let cloud = leaked().await;
        cloud.begin("token-b");
        for step in [Step::Create, Step::Set, Step::Test].into_iter().take(done) {
            cloud.step(step, "token-b").await.expect("a step");
        }
        let key = cloud.revoke("revoke-1").await.expect("revoked");
        if done > 0 {
            cloud.steps("token-b").await.expect_err("it was made to follow a revoked key");
        }
        only(&cloud, &key, &format!("after {done} steps")).await;
    }
}

/// After a revocation beside something else: nothing of the keys that had leaked, and the way is free.
async fn none_of(cloud: &Cloud, leaked: &[String], revoked: Result<String, Error>, when: &str) {
    match revoked {
        Ok(_) => {
            for key in leaked {
                assert!(!cloud.group_keys().contains(key), "`{key}` is in the group, {when}");
                assert!(!cloud.state.borrow().keys.contains_key(key), "`{key}` exists, {when}");
            }
        }
        // The other run has swept the new key away before it was stored: another token is needed.
        Err(error) => assert!(matches!(error, Error::Call(_)), "{when}: {error}"),
    }
    let key = cloud.revoke("revoke-2").await.expect("once more, alone");
    only(cloud, &key, when).await;
}

#[tokio::test]
async fn a_revocation_beside_a_rotation_leaves_no_older_key() {
    for seed in 0..ORDERS {
        for done in [0, 2] {
            let cloud = leaked().await;
            let old = cloud.group_keys();
            cloud.begin("token-b");
            for step in [Step::Create, Step::Set].into_iter().take(done) {
                cloud.step(step, "token-b").await.expect("a step");
            }
            cloud.pass(700);
            let (revoked, _) = mix(seed, cloud.revoke("revoke-1"), cloud.steps("token-b"));
            none_of(&cloud, &old, revoked, &format!("order {seed} after {done} steps")).await;
        }
    }
}

#[tokio::test]
async fn a_revocation_beside_a_late_finish_or_an_update_leaves_no_older_key() {
    for seed in 0..ORDERS {
        let cloud = leaked().await;
        let old = cloud.group_keys();
        let (revoked, _) = mix(seed, cloud.revoke("revoke-1"), cloud.establish("request-2"));
        none_of(&cloud, &old, revoked, &format!("order {seed} beside an update")).await;
        let cloud = leaked().await;
        let old = cloud.group_keys();
        let (revoked, _) = mix(seed, cloud.revoke("revoke-1"), cloud.step(Step::Finish, "token-a"));
        none_of(&cloud, &old, revoked, &format!("order {seed} beside a finish")).await;
    }
}
