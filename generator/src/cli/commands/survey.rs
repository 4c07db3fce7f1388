//! Looking at many tenants without changing them: several at a time, and whatever becomes of the others.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::support::combined;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::report::Event;

/// Tenants looked at at a time.
const AT_ONCE: usize = 8;

/// What was seen of each tenant, in the order in which they were given.
pub(super) struct Survey<T> {
    found: Vec<(String, Result<T, Failure>)>,
}

/// Looks at `tenants`, each with its name. Those that cannot be looked at are warned of and hide no others; only
/// where none can, that is the failure.
pub(super) async fn survey<I, T, F>(
    context: &Context,
    doing: &str,
    tenants: impl IntoIterator<Item = (String, I)>,
    look: impl Fn(I) -> F,
) -> Result<Survey<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut looking = JoinSet::new();
    for (index, (tenant, given)) in tenants.into_iter().enumerate() {
        let (permits, look) = (Arc::clone(&permits), look(given));
        looking.spawn(async move {
            let _permit = permits.acquire().await;
            (index, tenant, look.await)
        });
    }
    let all = async move {
        let mut found = Vec::with_capacity(looking.len());
        while let Some(joined) = looking.join_next().await {
            found.push(joined.map_err(|error| Failure::new(Exit::Bug, error.to_string()))?);
        }
        found.sort_by_key(|(index, ..)| *index);
        Ok(found.into_iter().map(|(_, tenant, seen)| (tenant, seen)).collect::<Vec<_>>())
    };
    let found = context.step::<_, Failure>(doing, all).await?;
    let nothing_seen = !found.is_empty() && found.iter().all(|(_, seen)| seen.is_err());
    let survey = Survey { found };
    if nothing_seen {
        return Err(survey.into_failure(context));
    }
    alike(survey.failures()).iter().for_each(|group| group.warn(context));
    Ok(survey)
}

impl<T> Survey<T> {
    /// What was seen, with each tenant's name.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&str, &T)> {
        self.found.iter().filter_map(|(tenant, seen)| Some((tenant.as_str(), seen.as_ref().ok()?)))
    }

    /// An entry for each tenant: what `shown` makes of what was seen, or the name with the error.
    pub(super) fn json(&self, shown: impl Fn(&str, &T) -> Value) -> Vec<Value> {
        let entry = |(tenant, seen): &(String, Result<T, Failure>)| match seen {
            Ok(seen) => shown(tenant, seen),
            Err(failure) => {
                let error = json!({"code": failure.code, "message": failure.message, "help": failure.help});
                json!({"tenant": tenant, "error": error})
            }
        };
        self.found.iter().map(entry).collect()
    }

    /// The exit code for all: that of each tenant that was seen, and those of the failures.
    pub(super) fn exit(&self, of_seen: impl Fn(&T) -> Exit) -> Exit {
        let exits: Vec<_> = self
            .found
            .iter()
            .map(|(_, seen)| seen.as_ref().map_or_else(|error| error.exit, &of_seen))
            .collect();
        combined(&exits)
    }

    /// Whether every tenant could be looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.found.iter().all(|(_, seen)| seen.is_ok())
    }

    fn failures(&self) -> impl Iterator<Item = (&str, &Failure)> {
        self.found.iter().filter_map(|(tenant, seen)| Some((tenant.as_str(), seen.as_ref().err()?)))
    }

    /// The first failure; those that say something else are warned of.
    fn into_failure(self, context: &Context) -> Failure {
        alike(self.failures()).iter().skip(1).for_each(|group| group.warn(context));
        let (several, exit) = (self.found.len() > 1, self.exit(|_| Exit::Ok));
        let mut failures = self.found.into_iter().filter_map(|(tenant, seen)| Some((tenant, seen.err()?)));
        let Some((tenant, mut first)) = failures.next() else {
            return Failure::new(Exit::Bug, "a failure was asked for where there is none");
        };
        if several {
            (first.message, first.exit) = (format!("{tenant}: {}", first.message), exit);
        }
        first
    }
}

/// Tenants that failed with the same words.
struct Alike<'a> {
    tenants: Vec<&'a str>,
    failure: &'a Failure,
}

/// Most names that a warning lists.
const NAMED: usize = 5;

impl Alike<'_> {
    fn warn(&self, context: &Context) {
        let named = self.tenants[..self.tenants.len().min(NAMED)].join(", ");
        let more = match self.tenants.len().saturating_sub(NAMED) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        context.sink.emit(&Event::Warning {
            tenant: (self.tenants.len() == 1).then(|| self.tenants[0].to_owned()),
            message: format!("{named}{more}: {}", self.failure.message),
            help: self.failure.help.clone(),
        });
    }
}

fn alike<'a>(failures: impl Iterator<Item = (&'a str, &'a Failure)>) -> Vec<Alike<'a>> {
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for (tenant, failure) in failures {
        match groups.iter_mut().find(|group| group.failure.message == failure.message) {
            Some(group) => group.tenants.push(tenant),
            None => groups.push(Alike { tenants: vec![tenant], failure }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey_of(seen: [Result<u8, &str>; 4]) -> Survey<u8> {
        let names = ["acme", "demo", "globex", "initech"].map(str::to_owned);
        let failure = |message| Failure::new(Exit::Access, message);
        Survey { found: names.into_iter().zip(seen.map(|seen| seen.map_err(failure))).collect() }
    }

    #[test]
    fn one_that_fails_hides_no_other_and_is_told_in_the_exit_code() {
        let survey = survey_of([Ok(1), Err("denied"), Ok(3), Ok(4)]);
        assert_eq!(survey.seen().collect::<Vec<_>>(), [("acme", &1), ("globex", &3), ("initech", &4)]);
        assert_eq!(survey.exit(|_| Exit::Ok), Exit::Partial);
        let json = survey.json(|tenant, seen| json!({"tenant": tenant, "seen": seen}));
        assert_eq!(json[0], json!({"tenant": "acme", "seen": 1}));
        assert_eq!(json[1]["error"], json!({"code": "ACCESS", "message": "denied", "help": null}));
        assert!(!survey.is_whole());
    }

    #[test]
    fn failures_with_the_same_words_are_told_together() {
        let survey = survey_of([Err("denied"), Err("gone"), Err("denied"), Ok(4)]);
        let groups = alike(survey.failures());
        let told: Vec<_> =
            groups.iter().map(|group| (group.failure.message.as_str(), group.tenants.clone())).collect();
        assert_eq!(told, [("denied", vec!["acme", "globex"]), ("gone", vec!["demo"])]);
    }
}
