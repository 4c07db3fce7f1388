//! A CloudFormation that plays a script: states that the local cloud never reaches, or is through in no time. It lies
//! over the local cloud, which goes on answering for everything that the script says nothing about.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use regex::Regex;

use super::proxy::{Call, Fault, Proxy};

/// Of what each answer of CloudFormation is.
const SPACE: &str = "xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"";

/// A resource in a script: its name in the template, type, status and reason.
pub(super) type Told = (&'static str, &'static str, &'static str, &'static str);

/// What a stack goes through from one call on.
#[derive(Clone, Default)]
pub(super) struct Scene {
    /// The call that begins it; none for the first one.
    pub(super) begins: &'static str,
    /// Whether that call reaches the cloud.
    pub(super) reaches: bool,
    /// Statuses of the stack, one for each look; the last one stays. None: what the cloud says.
    pub(super) looks: Vec<&'static str>,
    /// Whether the cloud is seen again when all of them were shown.
    pub(super) passes: bool,
    /// What has happened to resources, newest first. None: what the cloud says.
    pub(super) events: Vec<Told>,
    /// Statuses of resources that are others than the cloud says.
    pub(super) resources: Vec<(&'static str, &'static str)>,
}

impl Scene {
    /// A stack that is found in these statuses.
    pub(super) fn found(looks: &[&'static str]) -> Self {
        Self { looks: looks.to_vec(), ..Self::default() }
    }

    /// What a call leads to that does not reach the cloud.
    pub(super) fn after(begins: &'static str, looks: &[&'static str]) -> Self {
        Self { begins, ..Self::found(looks) }
    }

    /// What a call leads to that does.
    pub(super) fn really(begins: &'static str) -> Self {
        Self { begins, reaches: true, ..Self::default() }
    }
}

/// A script under way.
struct Play {
    stack: String,
    now: Scene,
    next: VecDeque<Scene>,
}

/// Has the peer play scenes of one stack.
pub(super) fn play(proxy: &Proxy, stack: &str, scenes: Vec<Scene>) {
    let mut next = VecDeque::from(scenes);
    let begins_at_once = next.front().is_some_and(|scene| scene.begins.is_empty());
    let now = if begins_at_once { next.pop_front().unwrap_or_default() } else { Scene::default() };
    let play = Arc::new(Mutex::new(Play { stack: stack.to_owned(), now, next }));
    proxy.set(move |call, _| play.lock().expect("no panic").answer(call));
}

impl Play {
    fn answer(&mut self, call: &Call) -> Fault {
        if !call.body.contains(&self.stack) {
            return Fault::Pass;
        }
        let action = call.action.as_str();
        if self.next.front().is_some_and(|scene| scene.begins == action) {
            self.now = self.next.pop_front().unwrap_or_default();
            return if self.now.reaches { Fault::Pass } else { Fault::Answer(200, done(action)) };
        }
        let scene = &mut self.now;
        match action {
            "DescribeStacks" if !scene.looks.is_empty() => {
                let stays = scene.looks.len() == 1 && !scene.passes;
                let status = if stays { scene.looks[0] } else { scene.looks.remove(0) };
                Fault::change(move |body| with_status(&body, status))
            }
            "DescribeStackEvents" if !scene.events.is_empty() => {
                Fault::Answer(200, events(&parameter(call, "StackName"), &self.stack, &scene.events))
            }
            "ListStackResources" if !scene.resources.is_empty() => {
                let resources = scene.resources.clone();
                Fault::change(move |body| with_resources(body, &resources))
            }
            _ => Fault::Pass,
        }
    }
}

/// A call that did what was asked.
pub(super) fn done(action: &str) -> String {
    format!("<{action}Response {SPACE}><{action}Result/></{action}Response>")
}

/// An answer about a stack with another status.
pub(super) fn with_status(body: &str, status: &str) -> String {
    let pattern = Regex::new("<StackStatus>[A-Z_]+</StackStatus>").expect("a pattern");
    pattern.replace_all(body, format!("<StackStatus>{status}</StackStatus>")).into_owned()
}

fn with_resources(body: String, resources: &[(&str, &str)]) -> String {
    let entries = body.split_inclusive("</member>").map(|entry| {
        let named = |(id, _): &&(&str, &str)| entry.contains(&format!("<LogicalResourceId>{id}<"));
        match resources.iter().find(named) {
            Some((_, status)) => {
                let pattern = Regex::new("<ResourceStatus>[A-Z_]+<").expect("a pattern");
                pattern.replace(entry, format!("<ResourceStatus>{status}<")).into_owned()
            }
            None => entry.to_owned(),
        }
    });
    entries.collect()
}

/// Events of a stack, newest first, after all that the local cloud knows.
pub(super) fn events(arn: &str, stack: &str, told: &[Told]) -> String {
    let entry = |(place, (logical, kind, status, reason)): (usize, &Told)| {
        let second = told.len() - place;
        let (logical, physical) = if logical.is_empty() { (stack, arn) } else { (*logical, *logical) };
        format!(
            "<member><EventId>scripted-{status}-{second}</EventId><StackId>{arn}</StackId>\
             <StackName>{stack}</StackName><LogicalResourceId>{logical}</LogicalResourceId>\
             <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
             <Timestamp>2099-01-01T00:00:{second:02}.000Z</Timestamp><ResourceStatus>{status}</ResourceStatus>\
             <ResourceStatusReason>{reason}</ResourceStatusReason></member>"
        )
    };
    let all: String = told.iter().enumerate().map(entry).collect();
    let action = "DescribeStackEvents";
    format!(
        "<{action}Response {SPACE}><{action}Result><StackEvents>{all}</StackEvents></{action}Result></{action}Response>"
    )
}

/// A parameter of a call as it was meant.
fn parameter(call: &Call, name: &str) -> String {
    let raw =
        call.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    raw.replace("%3A", ":").replace("%2F", "/")
}
