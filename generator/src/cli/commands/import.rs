//! `generator import`: a bucket or user pool that is there comes under its tenant, untouched.

use std::sync::Arc;

use serde_json::{Value, json};

use super::policy::{PolicyGate, judge_all};
use super::support::{as_tenant, connect, engine};
use crate::cli::args::ImportArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::{DataLossGate, Gate, Importable, import, importable};
use crate::plan::Allowed;

pub(super) async fn run(context: &Context, args: &ImportArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let chosen = chosen(args, tenants.len())?;
    let trial = judge_all(context, tenants)?;
    trial.pass(context)?;
    let policies = Arc::new(PolicyGate::new(context, &trial, Allowed::default()));
    let gates: [Arc<dyn Gate>; 2] = [Arc::new(DataLossGate::default()), policies];
    let cloud = connect(context).await?;
    let (mut human, mut json) = (String::new(), Vec::new());
    for tenant in trial.rendered() {
        let cloud = as_tenant(&cloud, &tenant).await;
        let engine = engine(context, args.service_role_arn.clone());
        context.interrupts.clean_up_after(engine.work.unused.clone(), cloud.clone());
        let mut found = importable(&engine, &cloud, &tenant).await?;
        for (logical_id, id) in &chosen {
            choose(&mut found, logical_id, id.as_deref())?;
        }
        if !chosen.is_empty() {
            found.retain(|one| chosen.iter().any(|(logical_id, _)| *logical_id == one.logical_id));
        }
        human.push_str(&format!("{}\n", tenant.tenant));
        for one in &found {
            human.push_str(&format!("  {} ({}) {} -> {}\n", one.logical_id, one.kind, one.id, one.stack));
        }
        let told: Vec<Value> = found.iter().map(told).collect();
        json.push(json!({ "tenant": tenant.tenant, "resources": told, "imported": !args.dry_run && !found.is_empty() }));
        if found.is_empty() {
            human.push_str("  nothing is there that could be taken in\n");
            continue;
        }
        if args.dry_run {
            continue;
        }
        context.confirm(&format!("Take {} into tenant {}?", counted(found.len()), tenant.tenant))?;
        import(&engine, &cloud, &tenant, &found, &gates).await?;
        human.push_str(&format!(
            "  taken in, untouched; `generator plan --tenant {}` shows what deploying would change\n",
            tenant.tenant
        ));
    }
    if args.dry_run {
        human.push_str("nothing was changed\n");
    }
    Ok(Answer::new(human, Value::Array(json)))
}

fn counted(count: usize) -> String {
    if count == 1 { "1 resource".into() } else { format!("{count} resources") }
}

/// `LOGICAL_ID` or `LOGICAL_ID=ID`.
fn chosen(args: &ImportArgs, tenants: usize) -> Result<Vec<(String, Option<String>)>, Failure> {
    let read = |text: &String| match text.split_once('=') {
        Some((logical_id, id)) => (logical_id.to_owned(), Some(id.to_owned())),
        None => (text.clone(), None),
    };
    let chosen: Vec<_> = args.resources.iter().map(read).collect();
    if tenants > 1 && chosen.iter().any(|(_, id)| id.is_some()) {
        return Err(Failure::new(Exit::Usage, "a resource has one id, and several tenants are selected")
            .help("select one tenant with `--tenant`"));
    }
    Ok(chosen)
}

fn choose(found: &mut [Importable], logical_id: &str, id: Option<&str>) -> Result<(), Failure> {
    let Some(one) = found.iter_mut().find(|one| one.logical_id == logical_id) else {
        let message =
            format!("`{logical_id}` is not there under the tenant's name, or stands in its stack already");
        return Err(Failure::new(Exit::NotFound, message)
            .help("a bucket or pool of another name is brought along by `bucket.existing_name` or `sign_in.existing`"));
    };
    match id {
        Some(id) if one.kind == "AWS::S3::Bucket" && one.id != id => {
            let message =
                format!("the tenant's bucket is called `{}`, and a bucket cannot be renamed", one.id);
            Err(Failure::new(Exit::Usage, message)
                .help(format!("bring it along with `bucket.existing_name: {id}` in the tenant's file")))
        }
        Some(id) => {
            one.id = id.to_owned();
            Ok(())
        }
        None => Ok(()),
    }
}

fn told(one: &Importable) -> Value {
    json!({ "logical_id": one.logical_id, "type": one.kind, "id": one.id, "stack": one.stack, "region": one.region })
}
