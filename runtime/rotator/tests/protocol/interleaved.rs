//! Two runs at once, their calls mixed in many orders. What must always hold is checked at every call.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::cloud::Cloud;

/// Orders that are tried of each pair.
pub(super) const ORDERS: u64 = 3_000;

/// Runs both to their end; the bits of a generator seeded with `seed` say whose call comes next.
pub(super) fn mix<A, B>(seed: u64, one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    let mut context = Context::from_waker(Waker::noop());
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    loop {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (random >> 32) & 1 == 0 && first.is_none() {
            if let Poll::Ready(value) = one.as_mut().poll(&mut context) {
                first = Some(value);
            }
        } else if second.is_none()
            && let Poll::Ready(value) = other.as_mut().poll(&mut context)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => return (first, second),
            left => (first, second) = left,
        }
    }
}

#[tokio::test]
async fn a_repeated_finish_beside_the_next_rotation_harms_neither() {
    for seed in 0..ORDERS {
        let cloud = Cloud::established().await;
        cloud.rotate("token-a").await.expect("a rotation");
        cloud.begin("token-b");
        let late = cloud.step(rotator::steps::Step::Finish, "token-a");
        let (_, next) = mix(seed, late, cloud.steps("token-b"));
        next.unwrap_or_else(|error| panic!("order {seed}: {error}"));
        assert_eq!(cloud.group_keys().len(), 3, "order {seed}");
    }
}

#[tokio::test]
async fn the_same_rotation_twice_at_once_is_done_or_cancelled_and_the_next_one_clears_up() {
    for seed in 0..ORDERS {
        let cloud = Cloud::established().await;
        cloud.begin("token-a");
        let _ = mix(seed, cloud.steps("token-a"), cloud.steps("token-a"));
        // The service retries what failed. A cancelled rotation fails again, and the next one is due.
        let _ = cloud.steps("token-a").await;
        cloud.rotate("token-b").await.unwrap_or_else(|error| panic!("order {seed}: {error}"));
        cloud.assert_no_orphan(&format!("order {seed}"));
    }
}

#[tokio::test]
async fn the_same_creation_delivered_twice_at_once_gives_one_usable_keyring() {
    for seed in 0..ORDERS {
        let cloud = Cloud::default();
        let _ = mix(seed, cloud.establish("request-1"), cloud.establish("request-1"));
        cloud.establish("request-1").await.unwrap_or_else(|error| panic!("order {seed}: {error}"));
        assert!(cloud.group_keys().contains(&cloud.current().key_id), "order {seed}");
        cloud.rotate("token-a").await.unwrap_or_else(|error| panic!("order {seed}: {error}"));
        cloud.assert_no_orphan(&format!("order {seed}"));
    }
}
