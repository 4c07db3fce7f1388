//! `generator gc`: what no stack uses any more goes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::support::{account, as_tenant, connect, engine, render_all, table};
use crate::cli::args::GcArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{CollectRequest, Leftover, collect};

/// Seconds of a day.
const DAY: i64 = 86_400;

pub(super) async fn run(context: &Context, args: &GcArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    // Each account once, with the regions of all its tenants.
    let mut accounts: BTreeMap<String, (crate::aws::Cloud, BTreeSet<String>)> = BTreeMap::new();
    for tenant in &rendered {
        let cloud = as_tenant(&cloud, tenant).await;
        let name = account(&cloud).await?;
        let regions = tenant.stacks.iter().map(|stack| stack.region.clone());
        accounts.entry(name).or_insert_with(|| (cloud, BTreeSet::new())).1.extend(regions);
    }
    if !args.dry_run {
        let names: Vec<_> = accounts.keys().map(String::as_str).collect();
        context.confirm(&format!("Delete what no stack uses in account {}?", names.join(", ")))?;
    }
    let engine = engine(context, None);
    let (mut human, mut json, mut left) = (String::new(), Vec::new(), 0);
    for (account, (cloud, regions)) in accounts {
        let request = CollectRequest {
            organisation: context.settings.organisation.clone(),
            account: account.clone(),
            regions,
            minimum_age: i64::from(args.min_age) * DAY,
            delete: !args.dry_run,
        };
        let looking = format!("looking for what no stack uses in account {account}");
        let unused = context.step(&looking, collect(&engine, &cloud, &request)).await?;
        left += unused.iter().filter(|one| one.left.is_some()).count();
        human.push_str(&format!("account {account}\n{}", shown(&unused, args)));
        json.push(json!({ "account": account, "deleted": !args.dry_run, "unused": unused }));
    }
    if args.dry_run {
        human.push_str("nothing was changed\n");
    }
    let exit = if left > 0 { Exit::Failure } else { Exit::Ok };
    Ok(Answer::new(human, Value::Array(json)).exit(exit))
}

fn shown(unused: &[Leftover], args: &GcArgs) -> String {
    if unused.is_empty() {
        return format!("  nothing unused is older than {} days\n", args.min_age);
    }
    let rows: Vec<_> = unused
        .iter()
        .map(|one| {
            let what = match (&one.left, args.dry_run) {
                (Some(reason), _) => format!("left: {reason}"),
                (None, true) => "would be deleted".into(),
                (None, false) => "deleted".into(),
            };
            [one.kind.to_owned(), one.name.clone(), format!("{} d", one.age / DAY), what]
        })
        .collect();
    let bytes: u64 = unused.iter().filter(|one| one.left.is_none()).map(|one| one.bytes).sum();
    format!("{}  {} in all, {bytes} bytes\n", table(&rows), unused.len())
}
