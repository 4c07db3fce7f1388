//! Rules of `sign_in` and `token`.

use super::{conflict, same_file};
use crate::tenant::decode::Setting;
use crate::tenant::problem::Problem;
use crate::tenant::settings::{MfaMethod, MfaMode, Settings};
use crate::tenant::values::Scope;

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let sign_in = &settings.sign_in;
    existing(settings, problems);
    if sign_in.callback_urls.is_none() && sign_in.existing.client_id.is_none() {
        let help = "list at least one page that takes the authorization code";
        let message = "`sign_in.callback_urls` is not set, so that nobody could sign in";
        problems.push(conflict(sign_in.callback_urls.place, message, help));
    }
    let mfa = &sign_in.mfa;
    if *mfa.mode != MfaMode::Off && mfa.methods.is_empty() {
        let message = format!("`sign_in.mfa.mode: {}` needs a method", *mfa.mode);
        problems.push(
            conflict(mfa.mode.place, message, "list `totp` or `email` in `sign_in.mfa.methods`")
                .related(mfa.methods.place, "no method is listed here"),
        );
    }
    let by_mail = *mfa.mode != MfaMode::Off && mfa.methods.contains(&MfaMethod::Email);
    if by_mail && sign_in.email.identity_arn.is_none() {
        let message = "the second factor `email` needs a sender of your own";
        let help = "set `sign_in.email.identity_arn` to an identity of Amazon SES";
        problems.push(conflict(mfa.methods.place, message, help));
    }
    if sign_in.email.from.is_some() && sign_in.email.identity_arn.is_none() {
        let message = "`sign_in.email.from` is of no use without an identity that may send";
        problems.push(conflict(sign_in.email.from.place, message, "set `sign_in.email.identity_arn`"));
    }
    scopes(settings, problems);
}

fn existing(settings: &Settings, problems: &mut Vec<Problem>) {
    let sign_in = &settings.sign_in;
    let existing = &sign_in.existing;
    match existing.user_pool_id.as_ref() {
        None if existing.client_id.is_some() => {
            let message = "an existing app client needs the existing user pool that it belongs to";
            problems.push(conflict(existing.client_id.place, message, "set `sign_in.existing.user_pool_id`"));
        }
        Some(pool) if pool.region() != settings.region.as_str() => {
            let message = format!("user pool `{pool}` stands in `{}`", pool.region());
            problems.push(
                conflict(existing.user_pool_id.place, message, "set `region` to the user pool's")
                    .related(settings.region.place, "the tenant's region"),
            );
        }
        Some(_) => {
            reach_nothing(&existing.user_pool_id, &sign_in.domain_prefix, problems);
            reach_nothing(&existing.user_pool_id, &sign_in.self_sign_up, problems);
            reach_nothing(&existing.user_pool_id, &sign_in.mfa.mode, problems);
            reach_nothing(&existing.user_pool_id, &sign_in.email.identity_arn, problems);
            reach_nothing(&existing.user_pool_id, &sign_in.password.minimum_length, problems);
        }
        None => {}
    }
}

/// Refuses a setting for a new pool that one person wrote beside an existing one.
fn reach_nothing<A, B>(existing: &Setting<A>, setting: &Setting<B>, problems: &mut Vec<Problem>) {
    if setting.is_written && same_file(existing, setting) {
        let message = format!("`{}` does not reach an existing user pool", setting.path);
        problems.push(
            conflict(setting.place, message, "take it out, and set it in the pool itself")
                .related(existing.place, "the pool is brought here"),
        );
    }
}

fn scopes(settings: &Settings, problems: &mut Vec<Problem>) {
    let sign_in = &settings.sign_in;
    let own_pool = sign_in.existing.user_pool_id.is_none();
    let given = |scope: &Scope| match scope.custom() {
        Some((server, name)) => {
            sign_in.resource_servers.get(server).is_some_and(|scopes| scopes.contains_key(name))
        }
        None => true,
    };
    let of_clients = sign_in.clients.values().filter_map(|client| {
        let place = client.scopes.place;
        client.scopes.as_ref().map(|scopes| (scopes, place, &client.scopes.path))
    });
    let first = (&*sign_in.scopes, sign_in.scopes.place, &sign_in.scopes.path);
    for (scopes, place, path) in std::iter::once(first).chain(of_clients) {
        for scope in scopes.iter().filter(|scope| own_pool && !given(scope)) {
            let message = format!("`{path}` has `{scope}`, which no resource server gives");
            problems.push(conflict(place, message, "declare it in `sign_in.resource_servers`"));
        }
    }
    // Of an existing client nobody here knows what it may ask for.
    if sign_in.existing.client_id.is_some() {
        return;
    }
    let asked = |scope: &Scope| {
        sign_in.scopes.contains(scope)
            || sign_in.clients.values().filter_map(|client| client.scopes.as_ref()).any(|s| s.contains(scope))
    };
    for scope in settings.token.scopes.iter().filter(|scope| !asked(scope)) {
        let message = format!("`token.scopes` demands `{scope}`, which no app client can get");
        problems.push(
            conflict(settings.token.scopes.place, message, "let a client ask for it: `sign_in.scopes`")
                .related(sign_in.scopes.place, "the scopes that the client may ask for"),
        );
    }
}
