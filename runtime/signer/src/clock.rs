//! Time, read once per request and passed down.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in time on two clocks: the wall clock, which tokens and cookies are judged by but which may
/// jump, and the steady clock, which never goes back but may stand still while Lambda freezes a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock, in seconds since the epoch.
    pub epoch: u64,
    /// Steady clock, since some fixed point in the life of the process.
    pub steady: Duration,
}

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        static START: OnceLock<Instant> = OnceLock::new();
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { epoch, steady: START.get_or_init(Instant::now).elapsed() }
    }

    /// How long ago `earlier` was: the longer answer of the two clocks, so that neither a jump back nor a
    /// freeze makes anything look younger than it is.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let wall = Duration::from_secs(self.epoch.saturating_sub(earlier.epoch));
        wall.max(self.steady.saturating_sub(earlier.steady))
    }
}

/// `epoch` seconds as ISO 8601 in UTC, such as `2026-01-01T00:00:00Z`.
#[must_use]
pub fn iso(epoch: u64) -> String {
    let (days, second) = (epoch / 86_400, epoch % 86_400);
    // Years are counted from 1 March, so that the leap day is the last of its year, in eras of 400 years.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_clock_makes_a_thing_younger() {
        let at = |epoch, steady| Moment { epoch, steady: Duration::from_secs(steady) };
        assert_eq!(at(200, 20).since(at(100, 10)), Duration::from_secs(100));
        assert_eq!(at(50, 20).since(at(100, 10)), Duration::from_secs(10));
        assert_eq!(at(50, 5).since(at(100, 10)), Duration::ZERO);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(epoch), text);
        }
    }
}
