//! When a cookie expires.

/// Expiry of a cookie issued at `now`, all times in seconds since the epoch: `life_seconds` from now but
/// not past `token_expiry`, rounded down to a multiple of `slot_seconds` so that viewers of one slot share
/// a policy. Where rounding would leave less than one slot of life, the exact time is kept.
///
/// A token that has expired gives a time that is not after `now`: the caller must refuse then. A slot of
/// zero seconds rounds nothing.
#[must_use]
pub fn cookie_expiry(now: u64, life_seconds: u64, token_expiry: u64, slot_seconds: u64) -> u64 {
    let exact = now.saturating_add(life_seconds).min(token_expiry);
    let over = exact.checked_rem(slot_seconds).unwrap_or(0);
    let rounded = exact.saturating_sub(over);
    if rounded < now.saturating_add(slot_seconds) { exact } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_slot_share_an_expiry() {
        let first = cookie_expiry(6_000, 3_600, u64::MAX, 60);
        assert_eq!(first, 9_600);
        assert_eq!(cookie_expiry(6_059, 3_600, u64::MAX, 60), first);
        assert_eq!(cookie_expiry(6_060, 3_600, u64::MAX, 60), first + 60);
    }

    #[test]
    fn the_token_bounds_the_cookie() {
        assert_eq!(cookie_expiry(6_000, 3_600, 7_000, 60), 6_960);
        assert_eq!(cookie_expiry(6_000, 3_600, 5_999, 60), 5_999);
    }

    #[test]
    fn less_than_a_slot_is_not_rounded_away() {
        assert_eq!(cookie_expiry(6_001, 3_600, 6_061, 60), 6_061);
        assert_eq!(cookie_expiry(6_000, 3_600, 6_061, 60), 6_060);
        assert_eq!(cookie_expiry(6_000, 59, u64::MAX, 60), 6_059);
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        assert_eq!(cookie_expiry(6_000, 3_600, u64::MAX, 0), 9_600);
        assert_eq!(cookie_expiry(u64::MAX, u64::MAX, u64::MAX, u64::MAX), u64::MAX);
    }
}
