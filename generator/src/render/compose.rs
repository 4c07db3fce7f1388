//! From a deployment to rendered stacks: fragments are put together, wired and written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::canonical;
use super::check;
use super::document::fragment;
use super::engine::Templates;
use super::error::RenderError;
use super::origins::Origins;
use super::rendered::{
    PageAllowed, ParameterSource, RenderedPage, RenderedStack, RenderedTenant, StackParameter,
};
use super::tags;
use super::trace::StackTrace;
use super::values::Wiring;
use crate::program::stack::Stack;
use crate::program::{ArtifactFact, Deployment, StackId};
use crate::tenant::Tenant;
use crate::tenant::settings::{Settings, UploadMode};
use crate::tenant::values::ReturnUrl;

const FORMAT_VERSION: &str = "2010-09-09";
const SECTIONS: [&str; 3] = ["Conditions", "Resources", "Outputs"];

/// Renders every stack of a tenant.
///
/// # Errors
/// A [`RenderError`] that names the template, the setting or the place in the document.
pub fn render(
    templates: &Templates,
    tenant: &Tenant,
    deployment: &Deployment,
) -> Result<RenderedTenant, RenderError> {
    compose(templates, tenant, deployment, &mut None).map(|(rendered, _)| rendered)
}

/// Renders every stack of a tenant as [`render`] does, and hands over the documents behind the texts: the
/// stacks' in their order, functions in their long form.
///
/// # Errors
/// As of [`render`].
pub fn render_documents(
    templates: &Templates,
    tenant: &Tenant,
    deployment: &Deployment,
) -> Result<(RenderedTenant, Vec<Value>), RenderError> {
    compose(templates, tenant, deployment, &mut None)
}

/// Renders every stack of a tenant as [`render`] does, and tells where each scalar comes from. Slower.
///
/// # Errors
/// As of [`render`].
pub fn render_traced(
    templates: &Templates,
    tenant: &Tenant,
    deployment: &Deployment,
) -> Result<(RenderedTenant, Vec<StackTrace>), RenderError> {
    let mut traces = Some(Vec::new());
    let (rendered, _) = compose(templates, tenant, deployment, &mut traces)?;
    Ok((rendered, traces.unwrap_or_default()))
}

fn compose(
    templates: &Templates,
    tenant: &Tenant,
    deployment: &Deployment,
    traces: &mut Option<Vec<StackTrace>>,
) -> Result<(RenderedTenant, Vec<Value>), RenderError> {
    let mut drafts = Vec::new();
    let mut exports: BTreeMap<(StackId, String), Value> = BTreeMap::new();
    for stack in &deployment.stacks {
        let mut wiring = Wiring::default();
        let mut origins = traces.is_some().then(Origins::default);
        let sections = draft(templates, stack, &mut wiring, &mut origins)?;
        exports.append(&mut wiring.exports);
        drafts.push((stack, sections, wiring.parameters, origins));
    }
    let (mut stacks, mut documents) = (Vec::new(), Vec::new());
    for (stack, mut sections, parameters, mut origins) in drafts {
        let wanted = exports.iter().filter(|((id, _), _)| *id == stack.id);
        for ((_, name), intrinsic) in wanted {
            add_output(stack, &mut sections.outputs, name, intrinsic, &mut origins)?;
        }
        tags::add(&mut sections.resources, &stack.tags, &mut |resource, property, value| {
            if let Some(origins) = &mut origins {
                origins.tags(tenant, resource, property, value);
            }
        });
        let (rendered, document) = finish(stack, sections, parameters)?;
        if let (Some(traces), Some(origins)) = (traces.as_mut(), origins.as_mut()) {
            origins.frame(&document, &rendered.parameters);
            let (document, origins) = (Value::Object(document.clone()), std::mem::take(&mut origins.0));
            traces.push(StackTrace { stack: stack.id, document, origins });
        }
        stacks.push(rendered);
        documents.push(Value::Object(document));
    }
    let rendered = RenderedTenant {
        tenant: tenant.name.clone(),
        account: tenant.settings.account.as_ref().map(|account| account.as_str().to_string()),
        role_arn: tenant.settings.role_arn.as_ref().map(|arn| arn.as_str().to_string()),
        stacks,
        page: page(&tenant.settings),
    };
    Ok((rendered, documents))
}

fn page(settings: &Settings) -> Option<RenderedPage> {
    let folder = settings.page.folder.as_ref()?.to_string();
    let (sign_in, uploads) = (&settings.sign_in, &settings.uploads);
    let texts = |urls: &[ReturnUrl]| -> Vec<String> { urls.iter().map(ToString::to_string).collect() };
    Some(RenderedPage {
        folder,
        path: settings.page.path.to_string(),
        region: settings.region.to_string(),
        scopes: sign_in.scopes.iter().map(ToString::to_string).collect(),
        allowed: PageAllowed {
            callbacks: sign_in.callback_urls.as_ref().map(|urls| texts(urls)).unwrap_or_default(),
            logouts: texts(&sign_in.logout_urls),
            origins: (*uploads.mode != UploadMode::Off)
                .then(|| settings.cors.origins.iter().map(ToString::to_string).collect()),
        },
        largest: uploads.limit_megabytes.as_ref().map(|limit| u64::from(limit.get()) * 1_000_000),
    })
}

#[derive(Default)]
struct Sections {
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

fn draft(
    templates: &Templates,
    stack: &Stack,
    wiring: &mut Wiring,
    origins: &mut Option<Origins>,
) -> Result<Sections, RenderError> {
    let mut sections = Sections::default();
    for component in &stack.components {
        let found = origins.as_mut().map(|origins| &mut origins.0);
        let part = fragment(templates, component, stack.id, wiring, found)?;
        let path = templates.path(component.name);
        for (section, value) in part {
            let into = match section.as_str() {
                "Conditions" => &mut sections.conditions,
                "Resources" => &mut sections.resources,
                "Outputs" => &mut sections.outputs,
                _ => {
                    let message = format!("`{section}` is none of {}", SECTIONS.join(", "));
                    return Err(RenderError::Template { template: path, line: 0, message });
                }
            };
            let Value::Object(entries) = value else { continue };
            for (id, value) in entries {
                if into.contains_key(&id) {
                    let message = format!("`{section}.{id}` stands in another component already");
                    return Err(RenderError::Template { template: path, line: 0, message });
                }
                into.insert(id, value);
            }
        }
    }
    Ok(sections)
}

/// Adds an output that another stack needs. A template may declare the same output for people.
fn add_output(
    stack: &Stack,
    outputs: &mut Map<String, Value>,
    name: &str,
    intrinsic: &Value,
    origins: &mut Option<Origins>,
) -> Result<(), RenderError> {
    match outputs.get(name) {
        None => {
            let output = json!({ "Value": intrinsic });
            if let Some(origins) = origins {
                origins.output(stack.id, name, &output);
            }
            outputs.insert(name.to_string(), output);
            Ok(())
        }
        Some(declared) if declared.get("Value") == Some(intrinsic) => Ok(()),
        Some(_) => Err(RenderError::Document {
            stack: stack.name.clone(),
            message: format!("output `{name}` is declared with another value than other stacks need"),
        }),
    }
}

fn finish(
    stack: &Stack,
    sections: Sections,
    parameters: BTreeMap<String, ParameterSource>,
) -> Result<(RenderedStack, Map<String, Value>), RenderError> {
    let refuse = |message| RenderError::Document { stack: stack.name.clone(), message };
    let mut outputs: Vec<String> = sections.outputs.keys().cloned().collect();
    outputs.sort();
    let mut document = Map::new();
    document.insert("AWSTemplateFormatVersion".into(), json!(FORMAT_VERSION));
    document.insert("Description".into(), json!(stack.description));
    let declared: Map<_, _> =
        parameters.iter().map(|(name, source)| (name.clone(), declaration(source))).collect();
    for (section, content) in [
        ("Parameters", declared),
        ("Conditions", sections.conditions),
        ("Resources", sections.resources),
        ("Outputs", sections.outputs),
    ] {
        if !content.is_empty() {
            document.insert(section.into(), Value::Object(content));
        }
    }
    check::check(&document).map_err(refuse)?;
    let template = canonical::to_yaml(&document);
    check::check_size(&template).map_err(refuse)?;
    let rendered = RenderedStack {
        id: stack.id,
        name: stack.name.clone(),
        region: stack.region.clone(),
        template,
        parameters: parameters.into_iter().map(|(name, source)| StackParameter { name, source }).collect(),
        tags: stack.tags.clone(),
        outputs,
    };
    Ok((rendered, document))
}

fn declaration(source: &ParameterSource) -> Value {
    match source {
        ParameterSource::Output { stack, output } => json!({
            "Type": "String",
            "Description": format!("Output {output} of the {} stack", stack.as_str()),
        }),
        ParameterSource::LaterOutput { stack, output } => json!({
            "Type": "String",
            "Default": "",
            "Description": format!("Output {output} of the {} stack; empty until that stack exists", stack.as_str()),
        }),
        ParameterSource::Artifact { artifact, fact } => json!({
            "Type": "String",
            "Description": match fact {
                ArtifactFact::Bucket => "Bucket that holds the runtime zips".to_string(),
                ArtifactFact::Key => format!("Key of the {}'s zip; it changes with the bytes", artifact.as_str()),
                ArtifactFact::CodeSha256 => format!("SHA-256 of the {}'s zip in base64", artifact.as_str()),
            },
        }),
    }
}
