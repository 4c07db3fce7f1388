//! Who may sign in: the user pool, a new one or one that exists.

use serde::Serialize;

use super::given::{Given, brought};
use super::user_pool_clients::{UserPoolClients, hex_id};
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::collections::List;
use crate::tenant::decode::Setting;
use crate::tenant::settings::{MfaMethod, MfaMode, SignIn};
use crate::tenant::values::GroupName;

const USER_POOL: &str = "UserPool";
const DOMAIN: &str = "UserPoolDomain";
const GROUP: &str = "UserPoolGroup";

/// User pool and sign-in domain.
#[derive(Debug, Serialize)]
pub struct UserPool<'a> {
    name: &'a str,
    sign_in: &'a SignIn,
    admin_creates_users: Setting<bool>,
    mfa: Setting<&'static str>,
    /// Empty where second factors are off.
    mfa_methods: Setting<Vec<&'static str>>,
    /// Whether a lost password can be reset by mail.
    recovery_by_mail: Setting<bool>,
    /// Those that the cookie endpoint demands.
    groups: Vec<Group>,
    #[serde(skip)]
    tenant: &'a Tenant,
}

#[derive(Debug, Serialize)]
struct Group {
    logical_id: String,
    name: Setting<String>,
}

/// What others need of the user pool.
#[derive(Debug)]
pub struct UserPoolOutputs {
    /// Id of the pool.
    pub id: Given<kind::UserPoolId>,
    /// Host and path of the pool as an identity provider: the issuer of its tokens without the scheme.
    pub provider: Given<kind::UserPoolProvider>,
    /// Ids of the app clients, the first one first.
    pub clients: Vec<Given<kind::UserPoolClientId>>,
    /// First part of the sign-in page's host name; `None` for a pool that was there before.
    pub sign_in_domain: Option<Output<kind::SignInDomain>>,
}

impl<'a> UserPool<'a> {
    /// The pool of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        let sign_in = &tenant.settings.sign_in;
        let mfa = &sign_in.mfa;
        let methods: Vec<MfaMethod> =
            if *mfa.mode == MfaMode::Off { Vec::new() } else { mfa.methods.iter().copied().collect() };
        Self {
            name: tenant.names.prefix(),
            sign_in,
            admin_creates_users: sign_in.self_sign_up.derive(|open| !open),
            mfa: mfa.mode.derive(|mode| match mode {
                MfaMode::Off => "OFF",
                MfaMode::Optional => "OPTIONAL",
                MfaMode::Required => "ON",
            }),
            recovery_by_mail: mfa.methods.derive(|_| !methods.contains(&MfaMethod::Email)),
            mfa_methods: mfa.methods.derive(|_| {
                let name = |method: MfaMethod| match method {
                    MfaMethod::Totp => "SOFTWARE_TOKEN_MFA",
                    MfaMethod::Email => "EMAIL_OTP",
                };
                methods.iter().copied().map(name).collect()
            }),
            groups: groups(&tenant.settings.token.groups),
            tenant,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<UserPoolOutputs, ProgramError> {
        let existing = &self.sign_in.existing.user_pool_id;
        let region = self.tenant.settings.region.as_str();
        let host = |id| format!("cognito-idp.{region}.amazonaws.com/{id}");
        let (id, provider, sign_in_domain) = match (brought(existing, |id| id), brought(existing, host)) {
            (Some(id), Some(provider)) => {
                let id = Given::Brought(id);
                stack.add("existing_user_pool", &ExistingPool { id: &id })?;
                (id, Given::Brought(provider), None)
            }
            _ => {
                stack.add("user_pool", self)?;
                let provider = Output::attribute(stack.id, USER_POOL, "ProviderName");
                let domain = Output::reference(stack.id, DOMAIN);
                (Given::Made(Output::reference(stack.id, USER_POOL)), Given::Made(provider), Some(domain))
            }
        };
        let clients = UserPoolClients::new(self.tenant, &id, stack.id).add_to(stack)?;
        Ok(UserPoolOutputs { id, provider, clients, sign_in_domain })
    }
}

fn groups(names: &Setting<List<GroupName, 0, 20>>) -> Vec<Group> {
    let group = |name: &GroupName| Group {
        logical_id: format!("{GROUP}{}", hex_id(name.as_str())),
        name: names.derive(|_| name.to_string()),
    };
    names.iter().map(group).collect()
}

#[derive(Debug, Serialize)]
struct ExistingPool<'a> {
    id: &'a Given<kind::UserPoolId>,
}
