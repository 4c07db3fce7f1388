//! `generator rotate --revoke`: for a key that has leaked. Every cookie dies.

use contract::EDGE_REGION;
use serde_json::json;

use super::support::{account, connect_within};
use crate::cli::args::RotateArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::rotate::{request_token, revoke};
use crate::tenant::Tenant;

pub(super) async fn run(context: &Context, args: &RotateArgs) -> Result<Answer, Failure> {
    let named = &args.selection;
    let by_name = matches!(named.tenants.as_slice(), [name] if !name.contains(['*', '?']));
    if !by_name || named.all || !named.labels.is_empty() || named.changed_since.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "keys are revoked for one tenant at a time, asked for by its name",
        )
        .help("pass one `--tenant NAME` and nothing else to select by"));
    }
    let tenants = select::load(context, named)?;
    let [tenant] = tenants.as_slice() else {
        return Err(Failure::new(Exit::NotFound, "no tenant is left of the selection"));
    };
    if args.dry_run {
        let text = format!(
            "{}: all keys would be replaced, and every cookie would die\nnothing was changed",
            tenant.name
        );
        return Ok(Answer::new(text, json!({ "tenant": tenant.name })));
    }
    consent(context, args, tenant)?;
    let cloud = connect_within(context, args.fleet.calls).await?;
    let cloud = match tenant.settings.role_arn.as_ref().filter(|_| !context.settings.local) {
        Some(role) => cloud.assuming(&role.to_string()).await,
        None => cloud,
    };
    let account = account(&cloud).await?;
    let expected = tenant.settings.account.as_ref().filter(|_| !context.settings.local);
    if let Some(expected) = expected.map(ToString::to_string).filter(|expected| *expected != account) {
        let message = format!(
            "tenant `{}` belongs to account `{expected}`, but the credentials are for `{account}`",
            tenant.name
        );
        return Err(Failure::new(Exit::Access, message).help("choose another profile or role"));
    }
    let token = match &args.revoke_token {
        Some(token) => token.clone(),
        None => request_token(&format!("revoke-{:032x}", rand::random::<u128>()), &tenant.name, 0),
    };
    context.note(format!("{}: revoking all keys; token {token}", tenant.name));
    let functions = cloud.lambda(EDGE_REGION);
    let done = revoke(&functions, &tenant.name, &tenant.names.rotator_function(), &token).await?;
    let text = format!(
        "{}: revoked; only key {} opens anything now\nedges learn of it within minutes; viewers trade their token \
         for new cookies",
        tenant.name, done.key_id
    );
    Ok(Answer::new(text, json!({ "tenant": tenant.name, "key_id": done.key_id, "token": token })))
}

/// The name of the tenant, typed or given with its own flag. `--yes` is no consent to this.
fn consent(context: &Context, args: &RotateArgs, tenant: &Tenant) -> Result<(), Failure> {
    let name = &tenant.name;
    let wrong = |given: &str| {
        Failure::new(Exit::Cancelled, format!("`{given}` is not `{name}`; nothing was changed"))
    };
    match &args.confirm_revoke {
        Some(given) if given == name => Ok(()),
        Some(given) => Err(wrong(given)),
        None => {
            let question = format!(
                "Every cookie of `{name}` dies at once, and every viewer must get new ones. Type the tenant's name:"
            );
            let help = format!("pass `--confirm-revoke {name}`; `--yes` is no consent to this");
            let given = context.ask(&question, &help)?;
            if given == *name { Ok(()) } else { Err(wrong(&given)) }
        }
    }
}
