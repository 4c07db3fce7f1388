//! How often to look, and for how long.

use std::time::Duration;

/// How often to look, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first wait between two looks at the secret; it grows by half each time.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// Wait before the first look into the function's log, and between two.
    pub log: Duration,
    /// How long a failed rotation may take to come right by itself. Secrets Manager tries again, and does not say
    /// when.
    pub patience: Duration,
    /// How long to ask again where the service says that an earlier rotation has not ended, and shows none. It
    /// tries out a schedule that was just set, for example.
    pub refused: Duration,
    /// How long a rotation may take altogether.
    pub deadline: Duration,
}

impl Pace {
    /// For AWS, where a rotation takes minutes and is tried again by itself.
    #[must_use]
    pub fn of_aws() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(20),
            log: Duration::from_secs(30),
            patience: Duration::from_secs(10 * 60),
            refused: Duration::from_secs(3 * 60),
            deadline: Duration::from_secs(60 * 60),
        }
    }

    /// For the local cloud, where it takes less than a second, and a failed one stays failed.
    #[must_use]
    pub fn of_local() -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(1),
            log: Duration::from_secs(3),
            patience: Duration::ZERO,
            refused: Duration::from_secs(30),
            deadline: Duration::from_secs(5 * 60),
        }
    }
}
