//! `generator policy check --deployed`: what stands, judged by the rules of today.
//!
//! Templates are read from the stacks, settings from what the deployment has recorded. Where nothing speaks of the
//! stacks as they stand, their settings are not known: rules that look at any are not judged, and that is told.

use serde_json::{Value, json};

use super::check::answer;
use super::judging::{locate, rules, today};
use crate::aws::{Cloud, Peers};
use crate::cli::args::PolicyCheckArgs;
use crate::cli::commands::support::{account, as_tenant, connect, render_all};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::artifacts::{self, ArtifactBucket};
use crate::deploy::record::{self, Record, Recorded};
use crate::policy::{Date, Document, Finding, Judgement, Rules, Stage, Subject, judge};
use crate::render::{RenderedTenant, Templates, read_template};

pub(super) async fn run(context: &Context, args: &PolicyCheckArgs) -> Result<Answer, Failure> {
    let tenants = select::load(context, &args.selection)?;
    let (rules, _) = rules(context, &tenants)?;
    let bench = Bench { without_settings: rules.without_settings(), rules: &rules, today: today(context) };
    let templates = Templates::load(&context.settings.templates)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let (mut judged, mut unknown) = (Vec::new(), Vec::new());
    for (tenant, rendered) in tenants.iter().zip(&rendered) {
        let standing = standing(context, &cloud, rendered).await?;
        for name in &standing.missing {
            context.note(format!("{}: {name} is not deployed", tenant.name));
        }
        if standing.stacks.is_empty() {
            continue;
        }
        let today = Subject::of(tenant);
        let settings = match standing.settings() {
            Ok(settings) => Some(Subject::new(today.organisation(), today.name(), settings)),
            Err(reason) => {
                context.note(format!(
                    "{}: the settings of what stands are not known, and rules that look at any are not judged: \
                     {reason}; `generator deploy --tenant {}` records them",
                    tenant.name, tenant.name
                ));
                unknown.push(json!({ "tenant": tenant.name, "reason": reason }));
                None
            }
        };
        let mut judgement = bench.judge(&standing, &today, settings.as_ref())?;
        locate(context, &templates, tenant, &mut judgement.findings)?;
        if let Some(settings) = &settings {
            judgement.findings.iter_mut().for_each(|finding| unplace(finding, settings, &today));
        }
        judged.push((tenant.name.clone(), judgement));
    }
    let mut answer = answer(context, &rules, &judged);
    if !unknown.is_empty() {
        answer.human.push_str(&format!("settings not known: {}\n", names(&unknown).join(", ")));
    }
    answer.json["settings_unknown"] = Value::Array(unknown);
    Ok(answer)
}

fn names(unknown: &[Value]) -> Vec<&str> {
    unknown.iter().filter_map(|one| one["tenant"].as_str()).collect()
}

/// What stands of a tenant.
struct Standing {
    recorded: Recorded,
    stacks: Vec<Stack>,
    /// Names of stacks that there should be.
    missing: Vec<String>,
}

struct Stack {
    id: String,
    name: String,
    region: String,
    template: String,
}

/// Reads a tenant's record and the templates of its stacks, where it says that they are; else where today's file
/// puts them.
async fn standing(context: &Context, cloud: &Cloud, rendered: &RenderedTenant) -> Result<Standing, Failure> {
    let peers = as_tenant(cloud, rendered).await;
    let account = account(&peers).await?;
    let bucket = ArtifactBucket::new(&peers, &context.settings.organisation, &account, None);
    let recorded = record::read(&peers.s3(artifacts::REGION), bucket.name(), &rendered.tenant).await?;
    let places: Vec<(String, String, String)> = match &recorded {
        Recorded::Known(record) => {
            record.stacks.iter().map(|one| (one.id.clone(), one.name.clone(), one.region.clone())).collect()
        }
        Recorded::Nothing | Recorded::Unreadable(_) => {
            let all = rendered.stacks.iter();
            all.map(|one| (one.id.as_str().to_string(), one.name.clone(), one.region.clone())).collect()
        }
    };
    let (mut stacks, mut missing) = (Vec::new(), Vec::new());
    for (id, name, region) in places {
        match peers.cloudformation(&region).template(&name).await? {
            Some(template) => stacks.push(Stack { id, name, region, template }),
            None => missing.push(name),
        }
    }
    Ok(Standing { recorded, stacks, missing })
}

impl Standing {
    /// The settings that became what stands, or why nobody knows them.
    fn settings(&self) -> Result<Value, String> {
        let record: &Record = match &self.recorded {
            Recorded::Known(record) => record,
            Recorded::Nothing => {
                return Err("whoever deployed it recorded none, as older releases do not".into());
            }
            Recorded::Unreadable(reason) => {
                return Err(format!("what was recorded cannot be read: {reason}"));
            }
        };
        match self.stacks.iter().find(|stack| !record.speaks_of(&stack.name, &stack.template)) {
            None => Ok(record.settings.clone()),
            Some(changed) => Err(format!("`{}` was changed by something else since", changed.name)),
        }
    }
}

/// The rules as they are today.
struct Bench<'r> {
    rules: &'r Rules,
    without_settings: Rules,
    today: Date,
}

impl Bench<'_> {
    /// Judges templates, and settings where they are known. `nameless` lends its name where they are not.
    fn judge(
        &self,
        standing: &Standing,
        nameless: &Subject,
        settings: Option<&Subject>,
    ) -> Result<Judgement, Failure> {
        let nothing = Subject::new(nameless.organisation(), nameless.name(), Value::Null);
        let (rules, subject) = match settings {
            Some(subject) => (self.rules, subject),
            None => (&self.without_settings, &nothing),
        };
        let mut judgement = Judgement::default();
        for stack in &standing.stacks {
            let body = read_template(&stack.template).map_err(|reason| {
                let message = format!("the deployed template of `{}` cannot be read: {reason}", stack.name);
                Failure::new(Exit::Failure, message)
            })?;
            let (name, region) = (stack.name.as_str(), stack.region.as_str());
            let document = Document { stack: Some(&stack.id), name, region, body: &body };
            judgement.add(judge(rules, Stage::Stack, &document, subject, self.today));
        }
        if let Some(subject) = settings {
            judgement.add(judge(rules, Stage::Tenant, &Document::settings(subject), subject, self.today));
        }
        Ok(judgement)
    }
}

/// Takes the line off a finding about a setting that the file says otherwise today.
fn unplace(finding: &mut Finding, deployed: &Subject, today: &Subject) {
    let pointer: String =
        finding.path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
    let same = deployed.settings().pointer(&pointer) == today.settings().pointer(&pointer);
    if finding.stage == Stage::Tenant && !same {
        finding.place = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(recorded: Recorded, template: &str) -> Standing {
        let stack = Stack {
            id: "edge".into(),
            name: "example-demo-edge".into(),
            region: "us-east-1".into(),
            template: template.into(),
        };
        Standing { recorded, stacks: vec![stack], missing: Vec::new() }
    }

    fn record() -> Recorded {
        let json = json!({
            "format": 1, "release": "1.0.0", "tenant": "demo", "settings": { "region": "eu-north-1" },
            // The SHA-256 of "E".
            "stacks": [{ "id": "edge", "name": "example-demo-edge", "region": "us-east-1",
                "template": "a9f51566bd6705f7ea6ad54bb9deb449f795582d6529a0e22207b8981233ec58" }],
        });
        Recorded::Known(std::sync::Arc::new(serde_json::from_value(json).expect("a record")))
    }

    #[test]
    fn settings_are_known_of_the_very_templates_that_they_became() {
        assert_eq!(standing(record(), "E").settings(), Ok(json!({ "region": "eu-north-1" })));
        let reason = |standing: Standing| standing.settings().expect_err("not known");
        assert!(reason(standing(record(), "changed")).contains("`example-demo-edge` was changed"));
        assert!(reason(standing(Recorded::Nothing, "E")).contains("recorded none"));
        assert!(reason(standing(Recorded::Unreadable("why".into()), "E")).contains("cannot be read: why"));
    }
}
