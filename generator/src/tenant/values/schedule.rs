//! When keys are rotated.

use crate::tenant::declare::text;

text!(
    /// A schedule as Secrets Manager takes it, at most once a day.
    Schedule {
        wanted: "`rate(30 days)` with 1 to 365 days, or `cron(0 4 1 * ? *)`: once at a full hour in UTC",
        example: "rate(30 days)",
        pattern: concat!(
            r"^(rate\((1 day|([2-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-5]) days)\)",
            r"|cron\(0 ([0-9]|1[0-9]|2[0-3]) ",
            r"((\*|L|([1-9]|[12][0-9]|3[01])(,([1-9]|[12][0-9]|3[01]))*) ([*]|[0-9A-Z,/*-]+) \?",
            r"|\? ([*]|[0-9A-Z,/*-]+) (\*|[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(#[1-5]|L)?) \*\))$"
        ),
        longest: 80,
    }
);

impl Schedule {
    /// Fewest days between two rotations.
    #[must_use]
    pub fn least_days(&self) -> u32 {
        let text = self.as_str();
        if let Some(rate) = text.strip_prefix("rate(") {
            return rate.split(' ').next().and_then(|days| days.parse().ok()).unwrap_or(1);
        }
        let fields: Vec<&str> = text.trim_start_matches("cron(").trim_end_matches(')').split(' ').collect();
        let (day, weekday) = (fields.get(2).copied(), fields.get(4).copied());
        match (day, weekday) {
            // One day of the month: February is the shortest.
            (Some(day), Some("?")) if day == "L" || day.parse::<u32>().is_ok() => 28,
            (Some(days), Some("?")) if days != "*" => apart(days),
            (Some("?"), Some(weekday)) if weekday != "*" => 7,
            _ => 1,
        }
    }
}

/// Fewest days between any two of several days of the month, the turn of the month included.
fn apart(days: &str) -> u32 {
    let mut days: Vec<u32> = days.split(',').filter_map(|day| day.parse().ok()).collect();
    days.sort_unstable();
    let within = days.windows(2).map(|pair| pair[1] - pair[0]);
    let around = days.first().zip(days.last()).map(|(first, last)| (28 + first).saturating_sub(*last));
    within.chain(around).min().unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_gap_of_a_schedule_is_known() {
        for (schedule, days) in [
            ("rate(1 day)", 1),
            ("rate(30 days)", 30),
            ("cron(0 4 1 * ? *)", 28),
            ("cron(0 4 1,15 * ? *)", 14),
            ("cron(0 4 * * ? *)", 1),
            ("cron(0 4 ? * SUN *)", 7),
        ] {
            assert_eq!(Schedule(schedule.into()).least_days(), days, "{schedule}");
        }
    }
}
