//! Rules of `page`.

use super::conflict;
use crate::tenant::problem::Problem;
use crate::tenant::settings::Settings;

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let page = &settings.page;
    if page.folder.is_none() {
        // A path alone is no mistake: `_defaults.yaml` may say where pages lie.
        return;
    }
    let expires = &settings.bucket.lifecycle.expire_days;
    if expires.is_some() {
        let message = "the page would be deleted with everything else of that age";
        let help = "leave one of the two out: S3 cannot except a folder from a rule of the whole bucket";
        problems.push(
            conflict(page.folder.place, message, help).related(expires.place, "every object is deleted here"),
        );
    }
    let existing = &settings.sign_in.existing.user_pool_id;
    if existing.is_some() {
        let message = "the page cannot be told where to sign in: of an existing user pool that is not known";
        let help = "keep the page elsewhere, on an origin that `cors.origins` lists";
        problems.push(
            conflict(page.folder.place, message, help).related(existing.place, "the pool is brought here"),
        );
    }
    let paths = &settings.edge.paths;
    for (list, what) in [(&paths.public, "public already"), (&paths.protected, "to be protected")] {
        for pattern in list.iter().filter(|pattern| pattern.as_str().starts_with(page.path.as_str())) {
            let message =
                format!("`{pattern}` is {what}, and lies within the page, which everybody may read");
            let help = "take it out, or let the page lie under another path";
            problems.push(
                conflict(list.place, message, help).related(page.path.place, "the page lies under this path"),
            );
        }
    }
}
