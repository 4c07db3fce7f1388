//! Rules of `keys`.

use contract::edge_config::KEYRING_MAX_AGE_SECONDS;
use contract::keyring::PROPAGATION_SECONDS;

use super::conflict;
use crate::tenant::problem::Problem;
use crate::tenant::settings::Settings;

/// What a rotation period must exceed the life of a cookie by, in minutes: a signer may hold an old key, and
/// CloudFront needs time to learn a new one.
const ROTATION_MARGIN_MINUTES: u64 = (KEYRING_MAX_AGE_SECONDS + PROPAGATION_SECONDS) / 60;

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let (rotation, minutes) = (&settings.keys.rotation, &settings.cookies.minutes);
    let least = u64::from(minutes.get()) + ROTATION_MARGIN_MINUTES;
    let period = u64::from(rotation.least_days()) * 24 * 60;
    if period < least {
        let message = format!(
            "`{}` may rotate after {period} minutes, and a retired key is needed for {least}: cookie life, \
             caches and propagation",
            rotation.as_str()
        );
        problems.push(
            conflict(rotation.place, message, "rotate less often, or shorten `cookies.minutes`")
                .related(minutes.place, "cookies live this many minutes"),
        );
    }
}
