//! `generator new`: a small, valid file for a new tenant.

use std::fs;
use std::io::{ErrorKind, Write};

use serde_json::json;

use crate::cli::args::NewArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::tenant::{self, scaffold};

pub(super) fn run(context: &Context, args: &NewArgs) -> Result<Answer, Failure> {
    let settings = &context.settings;
    let folder = &settings.tenants;
    let text = scaffold::text(folder, &settings.organisation, &args.name, args.tier.as_deref())?;
    let path = folder.join(format!("{}.yaml", args.name));
    let shown = path.display().to_string();
    if args.dry_run {
        let human = format!("{text}\nnothing was written; this would be `{shown}`\n");
        return Ok(Answer::new(human, json!({ "path": shown, "text": text, "written": false })));
    }
    // Made only where nothing stands, in one step: a file that somebody else writes meanwhile is safe.
    let mut file = fs::File::create_new(&path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(Exit::Usage, format!("`{shown}` is there already"))
            .help("choose another name, or edit the file"),
        _ => Failure::new(Exit::Failure, format!("cannot write `{shown}`: {error}")),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::new(Exit::Failure, format!("cannot write `{shown}`: {error}")))?;
    drop(file);
    tenant::load(folder, &settings.organisation, std::slice::from_ref(&args.name))?;
    let human = format!("wrote `{shown}`\nedit it, then run `generator validate --tenant {}`\n", args.name);
    Ok(Answer::new(human, json!({ "path": shown, "text": text, "written": true })))
}
