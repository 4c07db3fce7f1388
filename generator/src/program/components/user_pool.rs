//! Who may sign in: user pool, app client, sign-in domain.

use serde::Serialize;

use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::{Password, Scope, SignIn};
use crate::tenant::values::{Days, DomainPrefix, Minutes, ReturnUrl};

const USER_POOL: &str = "UserPool";
const CLIENT: &str = "UserPoolClient";

/// User pool, app client and sign-in domain.
#[derive(Debug, Serialize)]
pub struct UserPool<'a> {
    name: &'a str,
    domain_prefix: &'a Setting<Option<DomainPrefix>>,
    callback_urls: &'a Setting<Vec<ReturnUrl>>,
    logout_urls: &'a Setting<Vec<ReturnUrl>>,
    scopes: &'a Setting<Vec<Scope>>,
    flows: Setting<Vec<&'static str>>,
    access_token_minutes: &'a Setting<Minutes<5, 1440>>,
    id_token_minutes: &'a Setting<Minutes<5, 1440>>,
    refresh_token_days: &'a Setting<Days<1, 3650>>,
    password: PasswordPolicy<'a>,
}

#[derive(Debug, Serialize)]
struct PasswordPolicy<'a> {
    minimum_length: Setting<u32>,
    require_uppercase: &'a Setting<bool>,
    require_lowercase: &'a Setting<bool>,
    require_numbers: &'a Setting<bool>,
    require_symbols: &'a Setting<bool>,
    temporary_days: Setting<u32>,
}

/// What others need of the user pool.
#[derive(Debug)]
pub struct UserPoolOutputs {
    /// Id of the pool.
    pub id: Output<kind::UserPoolId>,
    /// Host and path of the pool as an identity provider: the issuer of its tokens without the scheme.
    pub provider: Output<kind::UserPoolProvider>,
    /// Id of the app client.
    pub client: Output<kind::UserPoolClientId>,
}

impl<'a> UserPool<'a> {
    /// The pool of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        let SignIn { password, .. } = &tenant.settings.sign_in;
        let sign_in = &tenant.settings.sign_in;
        Self {
            name: tenant.names.prefix(),
            domain_prefix: &sign_in.domain_prefix,
            callback_urls: &sign_in.callback_urls,
            logout_urls: &sign_in.logout_urls,
            scopes: &sign_in.scopes,
            flows: sign_in
                .implicit_grant
                .derive(|implicit| if *implicit { vec!["code", "implicit"] } else { vec!["code"] }),
            access_token_minutes: &sign_in.access_token_minutes,
            id_token_minutes: &sign_in.id_token_minutes,
            refresh_token_days: &sign_in.refresh_token_days,
            password: PasswordPolicy::new(password),
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<UserPoolOutputs, ProgramError> {
        stack.add("user_pool", self)?;
        Ok(UserPoolOutputs {
            id: Output::reference(stack.id, USER_POOL),
            provider: Output::attribute(stack.id, USER_POOL, "ProviderName"),
            client: Output::reference(stack.id, CLIENT),
        })
    }
}

impl<'a> PasswordPolicy<'a> {
    fn new(password: &'a Password) -> Self {
        Self {
            minimum_length: password.minimum_length.derive(|length| length.get()),
            require_uppercase: &password.require_uppercase,
            require_lowercase: &password.require_lowercase,
            require_numbers: &password.require_numbers,
            require_symbols: &password.require_symbols,
            temporary_days: password.temporary_days.derive(|days| days.get()),
        }
    }
}
