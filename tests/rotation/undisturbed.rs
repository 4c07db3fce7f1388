//! Whatever befalls the rotator, the invariants hold on the real state, and cookies stay good.

use super::line::Trouble;
use super::site::{Ground, STEPS, Site, cookie, token};

/// Checks everything, rotates once more, and checks that nothing was left behind.
async fn unharmed(site: &Site<'_>, before: &[signing::CookieSet], when: &str) {
    let (standing, keyring) = (site.standing().await, site.keyring().await);
    standing.check(&keyring, before, when);
    let again = token("again");
    site.rotate(&again).await.unwrap_or_else(|error| panic!("{when}: {error}"));
    let standing = site.standing().await;
    standing.check(&site.keyring().await, before, when);
    assert_eq!(standing.orphans(), Vec::<&String>::new(), "{when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotator_killed_at_any_request_goes_on_with_one_key_and_nobody_is_locked_out() {
    let ground = Ground::start("killed").await;
    for request in 1.. {
        let mut died = false;
        for after in [false, true] {
            let when = format!("killed at request {request}, after it: {after}");
            let site = ground.site(&format!("k{request}{after}")).await;
            let (old, id) = (site.keyring().await, token("first"));
            site.begin(&id).await;
            let line = site.line(Trouble::Death { request, after });
            died = line.outlived_by(site.steps(&line, &id)).await.is_none();
            let during = site.standing().await;
            during.check(&site.keyring().await, &[cookie(&old)], &when);
            // The service tries the whole rotation again.
            let retried = site.steps(&site.line(Trouble::None), &id).await;
            retried.unwrap_or_else(|error| panic!("{when}: {error}"));
            let standing = site.standing().await;
            assert_eq!(standing.group.len(), 2, "{when}: {standing:?}");
            assert_eq!(standing.orphans(), Vec::<&String>::new(), "{when}");
            standing.check(&site.keyring().await, &[cookie(&old)], &when);
            assert_ne!(site.keyring().await.key_id, old.key_id, "{when}");
        }
        if !died {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_in_any_order_and_number_harm_nothing() {
    let ground = Ground::start("shuffled").await;
    for seed in 1..=12_u64 {
        let site = ground.site(&format!("s{seed}")).await;
        let (old, id) = (site.keyring().await, token("first"));
        site.begin(&id).await;
        let line = site.line(Trouble::None);
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..8 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // What comes too early is refused, and that is all.
            let _ = site.step(&line, STEPS[usize::try_from(random % 4).expect("small")], &id).await;
            site.standing().await.check(&site.keyring().await, &[cookie(&old)], &format!("seed {seed}"));
        }
        let ended = site.steps(&line, &id).await;
        ended.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(site.standing().await.group.len(), 2, "seed {seed}");
        unharmed(&site, &[cookie(&old), cookie(&site.keyring().await)], &format!("seed {seed}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rotators_at_once_harm_nothing() {
    let ground = Ground::start("doubled").await;
    for round in 0..8 {
        let site = ground.site(&format!("d{round}")).await;
        let (old, id) = (site.keyring().await, token("first"));
        site.begin(&id).await;
        let (one, other) = (site.line(Trouble::None), site.line(Trouble::None));
        let _ = tokio::join!(site.steps(&one, &id), site.steps(&other, &id));
        let when = format!("round {round}");
        site.standing().await.check(&site.keyring().await, &[cookie(&old)], &when);
        // Where the two have cancelled each other, the next rotation does it.
        let _ = site.steps(&one, &id).await;
        unharmed(&site, &[cookie(&old), cookie(&site.keyring().await)], &when).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_slows_a_rotation_down_and_no_more() {
    let ground = Ground::start("throttled").await;
    let site = ground.site("t").await;
    let (old, id) = (site.keyring().await, token("first"));
    site.begin(&id).await;
    let line = site.line(Trouble::Throttling(4));
    site.steps(&line, &id).await.expect("a rotation on a busy account");
    assert!(line.requests() > 20, "{}", line.requests());
    unharmed(&site, &[cookie(&old)], "throttled").await;
}
