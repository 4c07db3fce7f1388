//! Rules between settings: combinations that AWS refuses or that make no sense.

mod edge;
mod keys;
mod page;
mod sign_in;
mod storage;

use super::decode::Setting;
use super::problem::Problem;
use super::settings::Settings;
use super::source::Place;

/// Everything that is wrong between the settings of the tenant whose file has this name.
#[must_use]
pub fn check(file: &str, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(name) = settings.name.as_ref().filter(|name| name.as_str() != file) {
        let message = format!("the name `{name}` is not the file's, which is `{file}`");
        problems.push(conflict(settings.name.place, message, "rename the file, or take the line out"));
    }
    edge::check(settings, &mut problems);
    keys::check(settings, &mut problems);
    page::check(settings, &mut problems);
    sign_in::check(settings, &mut problems);
    storage::check(settings, &mut problems);
    accounts(settings, &mut problems);
    problems
}

/// What belongs to another account than the tenant's cannot be used or is a slip.
fn accounts(settings: &Settings, problems: &mut Vec<Problem>) {
    let Some(account) = settings.account.as_ref() else { return };
    let certificate =
        settings.edge.certificate_arn.derive(|arn| arn.as_ref().map(|a| a.account().to_string()));
    let web_acl = settings.edge.web_acl_arn.derive(|arn| arn.as_ref().map(|a| a.account().to_string()));
    let role = settings.role_arn.derive(|arn| arn.as_ref().map(|a| a.account().to_string()));
    for other in [certificate, web_acl, role] {
        if let Some(number) = other.as_ref().filter(|number| number.as_str() != account.as_str()) {
            let message =
                format!("`{}` belongs to account `{number}`, the tenant to `{account}`", other.path);
            let problem =
                conflict(other.place, message, "use one of the tenant's account, or change `account`");
            problems.push(problem.related(settings.account.place, "the tenant's account"));
        }
    }
}

fn conflict(place: Place, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::new(place, message).help(help)
}

/// Whether both values stand in the same file, so that one person wrote both.
fn same_file<A, B>(one: &Setting<A>, other: &Setting<B>) -> bool {
    one.place.source == other.place.source
}
