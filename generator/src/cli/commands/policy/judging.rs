//! Tenants, rendered and judged: what `validate`, `render`, `deploy` and `policy check` share.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;
use wildmatch::WildMatch;

use super::check::finding_json;
use crate::cli::commands::parallel;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::explain::Explainer;
use crate::policy::{
    self, Date, Document, Exemption, Finding, Judgement, Level, Rules, Stage, Subject, judge, survey,
};
use crate::program::media_cdn;
use crate::render::{RenderedTenant, Templates, render_documents};
use crate::report::Event;
use crate::tenant::{self, Tenant, amended};

/// A tenant with what was judged of it.
pub(in crate::cli::commands) struct Judged {
    pub tenant: Tenant,
    pub subject: Subject,
    pub rendered: RenderedTenant,
    pub judgement: Judgement,
}

/// Every selected tenant, judged by every rule.
pub(in crate::cli::commands) struct Trial {
    pub rules: Arc<Rules>,
    pub tenants: Vec<Judged>,
    pub today: Date,
    /// Names of all tenants, selected or not.
    names: Vec<String>,
}

/// The day, as exemptions count.
pub(super) fn today(context: &Context) -> Date {
    OffsetDateTime::from(context.clock.now()).date()
}

/// The rules, with what all tenants together are called and carry. A tenant file that is wrong takes part by
/// its name only: it is refused where it is selected. `read` are those that the caller has read already.
pub(super) fn rules(context: &Context, read: &[Tenant]) -> Result<(Rules, Vec<String>), Failure> {
    let settings = &context.settings;
    if !settings.policies.is_dir() {
        context
            .note(format!("there are no policies in `{}`: nothing is judged", settings.policies.display()));
    }
    let names = tenant::list(&settings.tenants)?;
    let load = |names: &[String]| tenant::load(&settings.tenants, &settings.organisation, names);
    let rest: Vec<String> =
        names.iter().filter(|name| read.iter().all(|tenant| tenant.name != **name)).cloned().collect();
    let rest = load(&rest).unwrap_or_else(|_| {
        rest.iter().filter_map(|name| load(std::slice::from_ref(name)).ok()).flatten().collect()
    });
    let mut all: Vec<&Tenant> = read.iter().chain(&rest).collect();
    // Where two tenants carry the same, the first by name is told to the second, whichever were selected.
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let subjects: Vec<Subject> = all.into_iter().map(Subject::of).collect();
    let known = survey(&settings.organisation, &names, &subjects);
    Ok((policy::load(&settings.policies, &known, today(context))?, names))
}

/// Renders and judges tenants. What a policy at level `remediate` sets is set before rendering.
pub(in crate::cli::commands) fn judge_all(context: &Context, tenants: Vec<Tenant>) -> Result<Trial, Failure> {
    let (rules, names) = rules(context, &tenants)?;
    let templates = Templates::load(&context.settings.templates)?;
    let today = today(context);
    let judged = parallel::each(tenants, |tenant| one(context, &rules, &templates, tenant, today));
    let tenants = judged.into_iter().collect::<Result<_, _>>()?;
    Ok(Trial { rules: Arc::new(rules), tenants, today, names })
}

fn one(
    context: &Context,
    rules: &Rules,
    templates: &Templates,
    tenant: Tenant,
    today: Date,
) -> Result<Judged, Failure> {
    let (tenant, subject, mut judgement) = settings(context, rules, tenant, today)?;
    let (mut rendered, documents) = render_documents(templates, &tenant, &media_cdn(&tenant)?)?;
    for (stack, body) in rendered.stacks.iter().zip(&documents) {
        let document =
            Document { stack: Some(stack.id.as_str()), name: &stack.name, region: &stack.region, body };
        judgement.add(judge(rules, Stage::Stack, &document, &subject, today));
    }
    locate(context, templates, &tenant, &mut judgement.findings)?;
    if context.settings.local {
        rendered.account = None;
        rendered.role_arn = None;
    }
    Ok(Judged { tenant, subject, rendered, judgement })
}

/// Judges the settings, sets what is to be set, and judges that as mandatory.
fn settings(
    context: &Context,
    rules: &Rules,
    tenant: Tenant,
    today: Date,
) -> Result<(Tenant, Subject, Judgement), Failure> {
    let subject = Subject::of(&tenant);
    let mut judgement = judge(rules, Stage::Tenant, &Document::settings(&subject), &subject, today);
    let changes: Vec<_> = judgement
        .findings
        .iter()
        .filter(|finding| finding.exemption.is_none() && !finding.is_error)
        .filter_map(|finding| Some((finding.path.clone(), finding.remediation.as_ref()?.new.clone())))
        .collect();
    if changes.is_empty() {
        return Ok((tenant, subject, judgement));
    }
    let tenant = amended(&context.settings.tenants, &tenant, &changes)?;
    let subject = Subject::of(&tenant);
    let again = judge(rules, Stage::Tenant, &Document::settings(&subject), &subject, today);
    for finding in &mut judgement.findings {
        if let Some(set) = finding.remediation.as_mut().filter(|_| finding.exemption.is_none()) {
            set.is_applied = true;
        }
    }
    // What the set value violates still, or anew, counts as at level `mandatory`.
    let known: BTreeSet<(String, Vec<String>)> = judgement
        .findings
        .iter()
        .filter(|finding| finding.remediation.is_none())
        .map(|finding| (finding.policy.clone(), finding.path.clone()))
        .collect();
    for mut finding in again.findings {
        if !known.contains(&(finding.policy.clone(), finding.path.clone())) {
            finding.remediation = None;
            if finding.level == Level::Remediate {
                finding.level = Level::Mandatory;
            }
            judgement.findings.push(finding);
        }
    }
    Ok((tenant, subject, judgement))
}

/// Finds the lines behind findings. Tracing is slow, so it is done for tenants with findings only.
pub(super) fn locate(
    context: &Context,
    templates: &Templates,
    tenant: &Tenant,
    findings: &mut [Finding],
) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(());
    }
    let explainer = Explainer::new(&context.settings.tenants, tenant, templates)?;
    findings.iter_mut().for_each(|finding| locate_one(&explainer, finding, &[]));
    Ok(())
}

/// Finds the line behind one finding; `changed` are the keys of the property that a change is about.
pub(super) fn locate_one(explainer: &Explainer, finding: &mut Finding, changed: &[String]) {
    match &finding.stack {
        None => {
            let path: Vec<&str> = finding.path.iter().map(String::as_str).collect();
            finding.place = explainer.setting_spot(&path);
        }
        Some(stack) => {
            let path = match (finding.stage, &finding.resource) {
                (Stage::Change, Some(resource)) => {
                    let mut path = vec!["Resources".to_string(), resource.clone()];
                    if !changed.is_empty() {
                        path.push("Properties".into());
                        path.extend_from_slice(changed);
                    }
                    path
                }
                _ => finding.path.clone(),
            };
            (finding.place, finding.template) = explainer.document_spot(stack, &path, &finding.fix);
        }
    }
}

impl Trial {
    /// Everything that was found, tenant by tenant.
    pub(super) fn judgement(&self) -> Judgement {
        let mut all = Judgement::default();
        self.tenants.iter().for_each(|judged| all.add(judged.judgement.clone()));
        all
    }

    /// Exemptions that cover nothing although all that they speak of was judged. What concerns change sets is
    /// never judged here.
    pub(super) fn unused(&self) -> Vec<&Exemption> {
        let judged: BTreeSet<&str> = self.tenants.iter().map(|judged| judged.tenant.name.as_str()).collect();
        let findings: Vec<Finding> = self.judgement().findings;
        policy::unused(&self.rules.exemptions, &findings, |exemption| {
            let concerned = self
                .names
                .iter()
                .filter(|name| exemption.tenants.iter().any(|glob| WildMatch::new(glob).matches(name)));
            let mut concerned = concerned.peekable();
            let offline = exemption
                .policies
                .iter()
                .filter_map(|id| self.rules.policy(id))
                .all(|policy| policy.on.stage() != Stage::Change);
            offline && concerned.peek().is_some() && concerned.all(|name| judged.contains(name.as_str()))
        })
    }

    /// The refusal where exemptions are left over.
    pub(super) fn check_unused(&self) -> Result<(), Failure> {
        let unused: Vec<String> =
            self.unused().iter().map(|exemption| format!("`{}`", exemption.id)).collect();
        if unused.is_empty() {
            return Ok(());
        }
        let folder = self.rules.exemptions.first().map_or("", |_| policy::EXEMPTIONS_FILE);
        Err(Failure::new(Exit::Usage, format!("nothing is covered by the exemption {}", unused.join(", ")))
            .help(format!("take it out of `{folder}`")))
    }

    /// Tells what does not block, and refuses what does.
    pub(in crate::cli::commands) fn pass(&self, context: &Context) -> Result<(), Failure> {
        let findings: Vec<Finding> = self.judgement().findings;
        let (blocking, rest): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(Finding::blocks);
        rest.iter().for_each(|finding| tell(context, finding));
        if blocking.is_empty() {
            return self.check_unused();
        }
        Err(refusal(&blocking))
    }

    /// Everything that was found, for programs.
    pub(in crate::cli::commands) fn findings(&self) -> Value {
        self.judgement().findings.iter().map(finding_json).collect()
    }

    /// The rendered tenants.
    pub(in crate::cli::commands) fn rendered(&self) -> Vec<RenderedTenant> {
        self.tenants.iter().map(|judged| judged.rendered.clone()).collect()
    }
}

/// Tells a finding that stops nothing.
pub(super) fn tell(context: &Context, finding: &Finding) {
    let message = policy::excerpt(finding);
    // Level and place stand in the excerpt.
    context.sink.emit(&Event::Note { tenant: None, message });
}

/// The failure that findings lead to.
pub(super) fn refusal(blocking: &[Finding]) -> Failure {
    let count = match blocking.len() {
        1 => "1 finding blocks".to_string(),
        count => format!("{count} findings block"),
    };
    Failure::new(Exit::Policy, policy::human(blocking))
        .help(format!("{count}; `generator policy show {}` tells why the rule exists", blocking[0].policy))
}
