//! How many tenants may fail before the rest is left alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of tenants, or a share of all of a run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MaxFailures {
    /// This many.
    Count(usize),
    /// This many of a hundred, rounded down: 10 % of 19 tenants is one tenant.
    Percent(u8),
}

impl MaxFailures {
    /// How many of `tenants` may fail.
    #[must_use]
    pub fn of(self, tenants: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => tenants * usize::from(percent) / 100,
        }
    }
}

impl FromStr for MaxFailures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is neither a number of tenants nor a share such as `5%`");
        match text.strip_suffix('%') {
            Some(share) => {
                share.parse().ok().filter(|percent: &u8| *percent <= 100).map(Self::Percent).ok_or_else(wrong)
            }
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl TryFrom<String> for MaxFailures {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MaxFailures> for String {
    fn from(failures: MaxFailures) -> Self {
        failures.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_a_number_is_itself() {
        let of = |text: &str, tenants| text.parse::<MaxFailures>().expect("a limit").of(tenants);
        assert_eq!((of("0", 300), of("3", 300), of("10%", 19), of("100%", 7), of("0%", 9)), (0, 3, 1, 7, 0));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "%", "101%", "-1", "1.5%", "few", "300%"] {
            assert!(text.parse::<MaxFailures>().is_err(), "{text}");
        }
    }
}
