//! Every code that a program can meet in JSON lines: what it means, what it carries, what to do. Codes never change
//! their meaning, and are never used again for another.

/// What an event carries under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Text.
    Text,
    /// Text, or `null`.
    MaybeText,
    /// A whole number, not below zero.
    Count,
    /// `true` or `false`.
    Flag,
    /// A list of changed resources.
    Changes,
    /// Any JSON.
    Anything,
}

/// What is known of one code.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What it carries beside `elapsed_ms`.
    pub carries: &'static [(&'static str, Carries)],
    /// What to do about it; empty where there is nothing to do.
    pub next: &'static str,
}

use Carries::{Anything, Changes, Count, Flag, MaybeText, Text};

const fn code(
    code: &'static str,
    means: &'static str,
    carries: &'static [(&'static str, Carries)],
    next: &'static str,
) -> Code {
    Code { code, means, carries, next }
}

/// The events, in the order in which a run meets them.
pub const EVENTS: &[Code] = &[
    code(
        "STEP_STARTED",
        "a piece of work that may take over a second begins",
        &[("tenant", MaybeText), ("step", Text)],
        "",
    ),
    code(
        "STEP_FINISHED",
        "that piece of work is done",
        &[("tenant", MaybeText), ("step", Text), ("milliseconds", Count)],
        "",
    ),
    code("NOTE", "something worth knowing", &[("tenant", MaybeText), ("message", Text)], ""),
    code(
        "WARNING",
        "something to be looked at",
        &[("tenant", MaybeText), ("message", Text), ("help", MaybeText)],
        "do what `help` says",
    ),
    code(
        "ACCOUNT_CHECKED",
        "the credentials are for the tenant's account",
        &[("tenant", Text), ("account", Text)],
        "",
    ),
    code("BUCKET_CREATED", "the bucket for the runtime zips was made", &[("bucket", Text)], ""),
    code(
        "ARTIFACT_UPLOADED",
        "a runtime zip was uploaded",
        &[("bucket", Text), ("key", Text), ("bytes", Count)],
        "",
    ),
    code("ARTIFACT_PRESENT", "a runtime zip is in place", &[("bucket", Text), ("key", Text)], ""),
    code(
        "RUN_STARTED",
        "a run over tenants begins, or goes on",
        &[("run", Text), ("journal", Text), ("tenants", Count), ("done", Count)],
        "keep the name: `generator resume` takes it",
    ),
    code("WAVE_STARTED", "a wave of a run begins", &[("wave", Text), ("tenants", Count)], ""),
    code("WAVE_BAKING", "the pause before the next wave begins", &[("seconds", Count)], ""),
    code(
        "JOB_STARTED",
        "a tenant's job begins; `attempt` is 1 for the first try",
        &[("tenant", Text), ("attempt", Count)],
        "",
    ),
    code(
        "STACK_UNCHANGED",
        "a stack is as rendered, and nothing was written",
        &[("tenant", Text), ("stack", Text), ("region", Text)],
        "",
    ),
    code(
        "STACK_BUSY",
        "somebody else works on the stack; the end is waited for",
        &[("tenant", Text), ("stack", Text), ("status", Text)],
        "`--refuse-busy` refuses instead",
    ),
    code(
        "STACK_LEFTOVER",
        "an earlier attempt has left something that `action` deals with",
        &[("tenant", Text), ("stack", Text), ("status", Text), ("action", Text)],
        "",
    ),
    code(
        "CHANGES_FOUND",
        "CloudFormation has worked out what would change",
        &[("tenant", Text), ("stack", Text), ("changes", Changes)],
        "",
    ),
    code(
        "STACK_DEPLOYING",
        "the changes are being executed",
        &[("tenant", Text), ("stack", Text), ("region", Text), ("changes", Count)],
        "",
    ),
    code(
        "RESOURCE_PROGRESS",
        "a resource has another status, in CloudFormation's words",
        &[
            ("tenant", Text),
            ("stack", Text),
            ("resource", Text),
            ("kind", Text),
            ("status", Text),
            ("reason", MaybeText),
        ],
        "",
    ),
    code(
        "STACK_DEPLOYED",
        "a stack has reached a good end",
        &[("tenant", Text), ("stack", Text), ("status", Text), ("milliseconds", Count)],
        "",
    ),
    code(
        "STACK_FAILED",
        "a stack has reached a bad end; `resource` failed first and says why in `reason`, `stands` tells what is there now",
        &[
            ("tenant", Text),
            ("stack", Text),
            ("status", Text),
            ("resource", MaybeText),
            ("reason", MaybeText),
            ("stands", Text),
            ("help", Text),
        ],
        "do what `help` says",
    ),
    code(
        "STACK_DELETING",
        "a stack is being deleted",
        &[("tenant", Text), ("stack", Text), ("region", Text)],
        "",
    ),
    code(
        "STACK_DELETED",
        "a stack is gone",
        &[("tenant", Text), ("stack", Text), ("milliseconds", Count)],
        "",
    ),
    code(
        "EDGE_DETACHED",
        "the functions are off a distribution, and every edge knows",
        &[("tenant", Text), ("distribution", Text)],
        "",
    ),
    code(
        "RESOURCE_REMOVED",
        "something outside of a stack was removed",
        &[("tenant", Text), ("kind", Text), ("name", Text)],
        "",
    ),
    code(
        "RESOURCE_KEPT",
        "something that holds data was kept",
        &[("tenant", Text), ("kind", Text), ("name", Text), ("help", Text)],
        "`help` tells how it would be deleted",
    ),
    code(
        "RESOURCE_REMAINING",
        "something that should be gone is not",
        &[("tenant", Text), ("kind", Text), ("name", Text), ("reason", Text), ("help", Text)],
        "do what `help` says; `generator resume` asks again",
    ),
    code(
        "PAGE_DONE",
        "the files of a tenant's page are as they should be; those that had changed were written",
        &[("tenant", Text), ("path", Text), ("written", Count), ("removed", Count), ("unchanged", Count)],
        "",
    ),
    code(
        "TENANT_DONE",
        "all stacks of a tenant are as rendered",
        &[("tenant", Text), ("changed", Flag), ("milliseconds", Count)],
        "",
    ),
    code(
        "JOB_DONE",
        "a tenant's job is done",
        &[("tenant", Text), ("summary", Text), ("milliseconds", Count), ("done", Count), ("tenants", Count)],
        "",
    ),
    code(
        "TENANT_FAILED",
        "a tenant could not be brought to where it should be",
        &[("tenant", Text), ("message", Text), ("help", MaybeText)],
        "do what `help` says, then `generator resume`",
    ),
    code(
        "RUN_STOPPING",
        "a run begins nothing more; what is in flight goes on to its end",
        &[("reason", Text), ("in_flight", Count)],
        "`generator resume` goes on with it",
    ),
    code(
        "RESULT",
        "the answer of the command, the last line of one that answers",
        &[("result", Anything)],
        "",
    ),
    code(
        "ERROR",
        "the command failed; `exit` is its exit code, `error` the code of the failure",
        &[("exit", Count), ("error", Text), ("message", Text), ("help", MaybeText)],
        "do what `help` says; `generator explain` knows the code",
    ),
];

/// The failures, as `error` of `ERROR` names them.
pub const FAILURES: &[Code] = &[
    code("FAILURE", "a failure of no other kind", &[], "read the message"),
    code("USAGE", "wrong arguments, tenant files, templates or settings", &[], "mend what the message names"),
    code(
        "ACCESS",
        "no credentials, expired ones, or ones for another account",
        &[],
        "log in, or choose another `--profile`; what was started goes on in the cloud, and `generator resume` finds it",
    ),
    code("DEPLOYMENT", "a deployment failed", &[], "read which resource failed first"),
    code(
        "POLICY",
        "a policy or a guard refused",
        &[],
        "change the tenant, or give the consent that the message names",
    ),
    code("NOT_FOUND", "what was asked for does not exist", &[], "check the name"),
    code("CHANGES", "changes, drift or late rotations are present, where that was asked", &[], ""),
    code("CANCELLED", "a person said no, or stopped the run", &[], "`generator resume` goes on with a run"),
    code(
        "TIMEOUT",
        "a wait has ended without what was waited for",
        &[],
        "what was waited for may still come: `generator resume` looks again",
    ),
    code("PARTIAL", "some of several tenants failed", &[], "`generator resume` tries them again"),
    code("BUG", "a bug of generator", &[], "report it"),
    code(
        "STACK_FAILED",
        "CloudFormation could not make or change a stack",
        &[],
        "mend what the first failing resource names; a stack that was rolled back is as it was before",
    ),
    code(
        "STACK_REFUSED",
        "a stack is in a status in which a person must act first",
        &[],
        "see `generator explain stack-states`",
    ),
    code(
        "STACK_STATUS_UNKNOWN",
        "CloudFormation uses a status that this version does not know",
        &[],
        "look at the stack, or use a newer version",
    ),
    code(
        "CHANGE_UNKNOWN",
        "a change set has a word that this version does not know",
        &[],
        "look at the change set, or use a newer version",
    ),
    code(
        "CHANGE_SET_FAILED",
        "CloudFormation could not work out the changes",
        &[],
        "mend what its reason names",
    ),
    code(
        "GATE_REFUSED",
        "the changes would lose data, or a policy does not let them through",
        &[],
        "change the tenant, or give the consent that the message names",
    ),
    code(
        "SIGHT_LOST",
        "what was started cannot be watched any more; it goes on in the cloud",
        &[],
        "mend the cause, such as expired credentials, then `generator resume`",
    ),
    code(
        "WRITE_UNKNOWN",
        "the answer to a request was lost, and whether it was done cannot be seen",
        &[],
        "`generator resume` looks before it does anything",
    ),
    code(
        "STACK_OVERTAKEN",
        "somebody else has changed a stack after its changes were worked out",
        &[],
        "run the same command again: it works them out anew",
    ),
    code(
        "STACK_VANISHED",
        "a stack that was being worked on is gone",
        &[],
        "find out who deleted it, then deploy again",
    ),
    code(
        "ACCOUNT_WRONG",
        "the credentials are for another account than the tenant's",
        &[],
        "choose another profile or role, or change `account` in the tenant's file",
    ),
    code(
        "TEMPLATE_TOO_LARGE",
        "a template is too large for a request and there is nowhere to put it",
        &[],
        "deploy with an artifacts bucket",
    ),
    code(
        "OUTPUT_MISSING",
        "a stack lacks an output that another one needs",
        &[],
        "report it, with the template",
    ),
    code(
        "ARTIFACT_MISSING",
        "a template needs a runtime zip that was not packed",
        &[],
        "run `generator package`",
    ),
    code(
        "STACKS_UNSETTLED",
        "the stacks of a tenant keep changing each other's parameters",
        &[],
        "report it, with the tenant's file",
    ),
    code(
        "TEMPLATE_UNREADABLE",
        "a deployed or rendered template cannot be compared",
        &[],
        "look at the template in CloudFormation; report it where it is the tool's own",
    ),
    code(
        "PREFLIGHT_FAILED",
        "something stands in the way of the first write, and nothing was written",
        &[],
        "do what the check says, then run the same command again",
    ),
    code(
        "PAGE_REFUSED",
        "the files of the page cannot be read, or cannot be told from others in the bucket",
        &[],
        "do what the message says, then run the same command again",
    ),
    code(
        "NAME_AMBIGUOUS",
        "a name that should tell one thing tells several",
        &[],
        "say which with `--resource`, or delete those that are of no use",
    ),
    code(
        "PLAN_MOVED",
        "what a plan rests on is not so any more",
        &[],
        "make a new plan: `generator plan --out FILE`",
    ),
    code("CALL_FAILED", "a call to AWS failed", &[], "read what the service said"),
];

/// What is known of a code: an event, a failure, or both.
pub fn explain(code: &str) -> impl Iterator<Item = (&'static str, &'static Code)> {
    let of = |kind, all: &'static [Code]| all.iter().map(move |known| (kind, known));
    let code = code.to_owned();
    of("event", EVENTS).chain(of("failure", FAILURES)).filter(move |(_, known)| known.code == code)
}

/// Every code, as Markdown tables.
#[must_use]
pub fn table() -> String {
    let mut text = String::from("| event | means | carries | to do |\n|---|---|---|---|\n");
    for event in EVENTS {
        let carries: Vec<_> = event.carries.iter().map(|(name, _)| format!("`{name}`")).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            event.code,
            event.means,
            carries.join(", "),
            event.next
        ));
    }
    text.push_str("\n| failure | means | to do |\n|---|---|---|\n");
    for failure in FAILURES {
        text.push_str(&format!("| `{}` | {} | {} |\n", failure.code, failure.means, failure.next));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_event_of_the_code_is_explained_once_and_none_beside() {
        let source = include_str!("event.rs");
        let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""));
        let theirs: Vec<_> = arms.map(|(_, code)| code.trim_end_matches("\",")).collect();
        let ours: Vec<_> = EVENTS.iter().map(|event| event.code).collect();
        let set = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
        let mut expected = set(&theirs);
        expected.extend(["RESULT".to_owned(), "ERROR".to_owned()]);
        assert_eq!(set(&ours), expected);
        assert_eq!(set(&ours).len(), ours.len(), "a code is listed twice");
        assert!(theirs.len() > 25, "the arms were not found");
    }

    #[test]
    fn the_document_is_that_of_this_code() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let document = std::fs::read_to_string(docs.join("events.md")).expect("the document");
        assert!(document.contains(&table()), "run `generator explain codes`");
    }
}
