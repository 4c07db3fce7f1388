//! `generator local`: the local cloud by itself.

use serde_json::json;

use crate::cli::args::LocalCommand;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::local::{self, Status};

pub(super) async fn run(context: &Context, command: LocalCommand) -> Result<Answer, Failure> {
    if matches!(command, LocalCommand::Reset) {
        context.confirm("Everything in the local cloud will be removed. Go on?")?;
    }
    let (cache, instance) = (context.settings.cache.clone(), context.settings.instance.clone());
    let sink = context.sink.clone();
    let progress = move |step: &str| {
        sink.emit(&crate::report::Event::Note { tenant: None, message: step.to_string() });
    };
    let work = move || {
        match command {
        LocalCommand::Up => local::up(&cache, &instance, &progress).map(|cloud| {
            let how = if cloud.started { "started" } else { "runs already" };
            Answer::new(
                format!("local cloud {how} at {}", cloud.endpoint),
                json!({ "running": true, "started": cloud.started, "endpoint": cloud.endpoint, "pid": cloud.pid }),
            )
        }),
        LocalCommand::Down => local::down(&cache, &instance).map(|ran| {
            let human = if ran { "local cloud stopped; what it holds is kept" } else { "it did not run" };
            Answer::new(human, json!({ "running": false, "stopped": ran }))
        }),
        LocalCommand::Status => local::status(&cache, &instance).map(shown),
        LocalCommand::Logs { lines } => local::logs(&cache, &instance, lines)
            .map(|text| Answer::new(text.clone(), json!({ "lines": text.lines().collect::<Vec<_>>() }))),
        LocalCommand::Reset => local::reset(&cache, &instance)
            .map(|()| Answer::new("local cloud stopped and emptied", json!({ "running": false }))),
    }
    };
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Failure::new(Exit::Bug, error.to_string()))??)
}

fn shown(status: Status) -> Answer {
    match status {
        Status::Running(cloud) => Answer::new(
            format!(
                "local cloud runs at {} (process {}, ministack {})",
                cloud.endpoint, cloud.pid, cloud.version
            ),
            json!({ "running": true, "endpoint": cloud.endpoint, "pid": cloud.pid, "version": cloud.version }),
        ),
        Status::Silent { pid, endpoint } => Answer::new(
            format!("local cloud (process {pid}) does not answer at {endpoint}"),
            json!({ "running": true, "answers": false, "endpoint": endpoint, "pid": pid }),
        )
        .exit(Exit::Failure),
        Status::Stopped => Answer::new("local cloud does not run", json!({ "running": false })),
    }
}
