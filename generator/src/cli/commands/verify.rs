//! `generator verify`: a deployed tenant refuses and grants as it should.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use contract::EDGE_REGION;
use contract::edge_config::{EdgeConfig, TokenRules};
use contract::names::Names;
use serde_json::{Value, json};

use super::outputs;
use super::support::{as_tenant, connect, render_all};
use super::survey::survey;
use crate::aws::Cloud;
use crate::cli::args::VerifyArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::select;
use crate::deploy::describe;
use crate::render::{RenderedTenant, StackId};
use crate::report::Event;
use crate::verify::{
    Edge, FunctionEdge, HttpEdge, Target, TestUser, Token, Unready, Verification, VerifyError, verify,
};

/// The only scope of a token that Cognito gives for a password, not through its sign-in page.
const PASSWORD_SCOPE: &str = "aws.cognito.signin.user.admin";

/// Who signs in for a verification.
pub(super) enum SignIn {
    /// Nobody: only refusals are checked.
    Nobody,
    /// The owner of this access token.
    Owner(String),
    /// A user made for it.
    TestUser,
}

pub(super) async fn run(context: &Context, args: &VerifyArgs) -> Result<Answer, Failure> {
    let sign_in = match &args.token_file {
        Some(path) => SignIn::Owner(read_token(path)?),
        None if args.test_user || context.settings.local => SignIn::TestUser,
        None => SignIn::Nobody,
    };
    let tenants = select::load(context, &args.selection)?;
    let rendered = render_all(context, &tenants)?;
    let cloud = connect(context).await?;
    let sign_in = Arc::new(sign_in);
    let given = rendered.into_iter().map(|rendered| {
        (rendered.tenant.clone(), (context.clone(), cloud.clone(), rendered, Arc::clone(&sign_in)))
    });
    let look = |(context, cloud, rendered, sign_in): (Context, Cloud, RenderedTenant, Arc<SignIn>)| async move {
        let cloud = as_tenant(&cloud, &rendered).await;
        let outputs = outputs::of(&describe(&cloud, &rendered).await?);
        one(&context, &cloud, &rendered, &outputs, &sign_in).await
    };
    let survey = survey(context, "asking the edge", given, look).await?;
    let mut human = String::new();
    for (tenant, verification) in survey.seen() {
        human.push_str(&format!("{tenant}\n{}", listed(verification)));
    }
    let exit = survey.exit(|verification| if verification.passed() { Exit::Ok } else { Exit::Failure });
    let json = survey.json(|_, verification| json!(verification));
    Ok(Answer::new(human, Value::Array(json)).exit(exit))
}

/// Verifies one deployed tenant.
pub(super) async fn one(
    context: &Context,
    cloud: &Cloud,
    rendered: &RenderedTenant,
    outputs: &BTreeMap<String, String>,
    sign_in: &SignIn,
) -> Result<Verification, Failure> {
    let region = rendered.stack(StackId::Regional).map_or(EDGE_REGION, |stack| stack.region.as_str());
    let target = Target::of(&rendered.tenant, region, outputs)?;
    // The local cloud has no CloudFront in front of the function.
    let edge: Box<dyn Edge> = if cloud.is_local() {
        Box::new(FunctionEdge::new(cloud.lambda(EDGE_REGION), target.clone()))
    } else {
        Box::new(HttpEdge::new(&target))
    };
    let config = cloud.config(region);
    let endpoint = config.endpoint_url();
    let cloudfront = cloud.cloudfront();
    let clock = context.clock.as_ref();
    match sign_in {
        SignIn::Nobody => Ok(verify(&target, edge.as_ref(), &cloudfront, None, clock).await?),
        SignIn::Owner(access) => {
            let token = Token { access, endpoint, is_enough: true };
            Ok(verify(&target, edge.as_ref(), &cloudfront, Some(token), clock).await?)
        }
        SignIn::TestUser => {
            let cognito = cloud.cognito(region);
            let demanded = demanded(context, cloud, &rendered.tenant).await?;
            let group = demanded.groups.first().map(String::as_str);
            let (user, tokens) = TestUser::sign_in(&cognito, &target, group).await?;
            let is_enough =
                demanded.scopes.is_empty() || demanded.scopes.iter().any(|scope| scope == PASSWORD_SCOPE);
            if !is_enough {
                context.note(format!(
                    "{}: a user who signs in with a password gets none of the demanded scopes ({}); to see \
                     the cookies issued, sign in on the sign-in page and pass `--token-file`",
                    rendered.tenant,
                    demanded.scopes.join(", ")
                ));
            }
            let token = Token { access: tokens.access.expose(), endpoint, is_enough };
            let verified = verify(&target, edge.as_ref(), &cloudfront, Some(token), clock).await;
            if let Err(error) = user.delete().await {
                context.sink.emit(&Event::Warning {
                    tenant: Some(rendered.tenant.clone()),
                    message: error.to_string(),
                    help: Some("delete the user by hand".into()),
                });
            }
            Ok(verified?)
        }
    }
}

/// What the deployed signer demands of a token.
async fn demanded(context: &Context, cloud: &Cloud, tenant: &str) -> Result<TokenRules, Failure> {
    let parameter = Names::new(&context.settings.organisation, tenant).config_parameter();
    let value = cloud
        .ssm(EDGE_REGION)
        .value(&parameter)
        .await
        .map_err(Unready::aws(format!("reading the parameter `{parameter}`")));
    let value = value.map_err(VerifyError::from)?;
    let config: Option<EdgeConfig> = value.and_then(|value| serde_json::from_str(&value).ok());
    Ok(config.map(|config| config.token).unwrap_or_default())
}

/// The checks as lines; the words say what the marks say.
pub(super) fn listed(verification: &Verification) -> String {
    let mut text = format!("  asked through {}\n", verification.through);
    for check in &verification.checks {
        let mark = if check.passed { "ok    " } else { "FAILED" };
        text.push_str(&format!("  {mark}  {}\n", check.detail));
    }
    text
}

fn read_token(path: &std::path::Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|error| Failure::new(Exit::Usage, format!("cannot read `{}`: {error}", path.display())))?;
    Ok(text.trim().to_string())
}
