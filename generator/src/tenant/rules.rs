//! Rules between settings: combinations that AWS refuses or that make no sense.

use contract::edge_config::KEYRING_MAX_AGE_SECONDS;
use contract::keyring::PROPAGATION_SECONDS;

use super::problem::Problem;
use super::settings::{SameSite, Settings};
use super::source::Place;

/// Region that CloudFront reads certificates from.
const CERTIFICATE_REGION: &str = "us-east-1";
/// What a rotation period must exceed the life of a cookie by, in minutes: a signer may hold an old key, and
/// CloudFront needs time to learn a new one.
const ROTATION_MARGIN_MINUTES: u64 = (KEYRING_MAX_AGE_SECONDS + PROPAGATION_SECONDS) / 60;

/// Everything that is wrong between the settings of one tenant.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let edge = &settings.edge;
    match edge.certificate_arn.as_ref() {
        None if !edge.aliases.is_empty() => problems.push(conflict(
            edge.aliases.place,
            "`edge.aliases` needs a certificate",
            "set `edge.certificate_arn` to a certificate in us-east-1 that covers the aliases",
        )),
        Some(_) if edge.aliases.is_empty() => problems.push(conflict(
            edge.certificate_arn.place,
            "`edge.certificate_arn` is of no use without aliases",
            "set `edge.aliases`, or leave the certificate out",
        )),
        Some(arn) if arn.region() != CERTIFICATE_REGION => problems.push(conflict(
            edge.certificate_arn.place,
            &format!("the certificate stands in `{}`, and CloudFront reads us-east-1 only", arn.region()),
            "request or import the certificate in us-east-1",
        )),
        _ => {}
    }
    if *settings.cookies.same_site == SameSite::None && settings.cors.origins.is_empty() {
        let problem = conflict(
            settings.cookies.same_site.place,
            "`cookies.same_site: none` is of no use while no other origin may use the media",
            "list the pages' origins in `cors.origins`, or set `lax`",
        );
        problems.push(problem.related(settings.cors.origins.place, "no origin is listed here"));
    }
    if settings.sign_in.callback_urls.is_empty() {
        problems.push(conflict(
            settings.sign_in.callback_urls.place,
            "`sign_in.callback_urls` is empty, so that nobody could sign in",
            "list at least one page that takes the authorization code",
        ));
    }
    let least = u64::from(settings.cookies.minutes.get()) + ROTATION_MARGIN_MINUTES;
    if u64::from(settings.keys.rotation_days.get()) * 24 * 60 < least {
        let problem = conflict(
            settings.keys.rotation_days.place,
            &format!(
                "a rotation every `{}` day is shorter than the {least} minutes for which a retired key is needed",
                settings.keys.rotation_days.get()
            ),
            "rotate less often, or shorten `cookies.minutes`",
        );
        problems.push(problem.related(settings.cookies.minutes.place, "cookies live this many minutes"));
    }
    problems
}

fn conflict(place: Place, message: &str, help: &str) -> Problem {
    Problem::new(place, message).help(help)
}
