//! User pools: a user for verifying a tenant, and removing a pool that a stack has kept.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, DeletionProtectionType, MessageActionType,
};

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind, Boxed};

/// A user pool, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPool {
    /// Id, with its region in front.
    pub id: String,
    /// Name, which several pools may share.
    pub name: String,
    /// Whether Cognito refuses to delete it.
    pub protected: bool,
}

/// A bearer token that shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// What signing in yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Opens the cookie endpoint.
    pub access: Token,
    /// Opens the identity pool.
    pub id: Option<Token>,
    /// Gives new ones when those have run out.
    pub refresh: Option<Token>,
    /// How long the access token is good, in seconds.
    pub seconds: u64,
}

/// What an app client allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppClient {
    /// URLs that a signed-in user may be sent to.
    pub callbacks: Vec<String>,
    /// URLs that a signed-out user may be sent to.
    pub logouts: Vec<String>,
    /// OAuth scopes that may be asked for.
    pub scopes: Vec<String>,
}

/// Which of a client's password flows signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordFlow {
    /// `USER_PASSWORD_AUTH`: as an app does, without AWS credentials.
    User,
    /// `ADMIN_USER_PASSWORD_AUTH`: with the caller's AWS credentials.
    Admin,
}

/// What destroying needs of Cognito.
pub trait UserPools: Send + Sync {
    /// The pool of this id, or `None` where there is none.
    fn pool<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<UserPool>, AwsError>>;
    /// Ids of all pools of this name. All pages are read.
    fn named<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Vec<String>, AwsError>>;
    /// Switches off the pool's protection against deletion. Other settings fall back to their defaults,
    /// so this is for a pool that is deleted next.
    fn unprotect<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>>;
    /// Deletes a pool with all its users.
    fn delete<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>>;
}

/// Cognito user pools of one region.
#[derive(Debug, Clone)]
pub struct Cognito {
    client: aws_sdk_cognitoidentityprovider::Client,
    budgeted: Budgeted,
}

impl Cognito {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        let client = aws_sdk_cognitoidentityprovider::Client::new(&Budgeted::single_attempts(config));
        Self { client, budgeted }
    }

    /// A call that may be made again where its answer is lost.
    async fn call<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        self.budgeted.call(ApiGroup::UserPools, attempt).await
    }

    /// Creates a user without sending a message; the e-mail address counts as verified. The password is to be
    /// changed at the first sign-in.
    ///
    /// # Errors
    /// Where the call fails, also where the user exists and where the pool's policy refuses the password.
    pub async fn create_user(&self, pool: &str, email: &str, password: &str) -> Result<(), AwsError> {
        let attribute = |name: &str, value: &str| {
            AttributeType::builder().name(name).value(value).build().map_err(|error| AwsError {
                service: SERVICE,
                operation: "AdminCreateUser",
                code: "request".into(),
                message: error.to_string(),
                kind: AwsErrorKind::Validation,
            })
        };
        let attributes = vec![attribute("email", email)?, attribute("email_verified", "true")?];
        let created = self.budgeted.write(ApiGroup::UserPools, || async {
            let call = self.client.admin_create_user().user_pool_id(pool).username(email);
            let call = call.temporary_password(password).set_user_attributes(Some(attributes.clone()));
            let answer = call.message_action(MessageActionType::Suppress).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "AdminCreateUser", &error))
        });
        created.await.map(|_| ())
    }

    /// Puts a user into a group.
    ///
    /// # Errors
    /// Where the call fails, also where there is no such group.
    pub async fn add_to_group(&self, pool: &str, user: &str, group: &str) -> Result<(), AwsError> {
        let added = self.call(|| async {
            let call = self.client.admin_add_user_to_group().user_pool_id(pool).username(user);
            let answer = call.group_name(group).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "AdminAddUserToGroup", &error))
        });
        added.await.map(|_| ())
    }

    /// Gives a user a password that need not be changed.
    ///
    /// # Errors
    /// Where the call fails, also where the pool's policy refuses the password.
    pub async fn set_password(&self, pool: &str, user: &str, password: &str) -> Result<(), AwsError> {
        let set = self.call(|| async {
            let call = self.client.admin_set_user_password().user_pool_id(pool).username(user);
            let answer = call.password(password).permanent(true).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "AdminSetUserPassword", &error))
        });
        set.await.map(|_| ())
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// Where the call fails, the client does not allow the flow, or Cognito asks for more than a password.
    pub async fn sign_in(
        &self,
        flow: PasswordFlow,
        pool: &str,
        client: &str,
        user: &str,
        password: &str,
    ) -> Result<Tokens, AwsError> {
        match flow {
            PasswordFlow::User => {
                let answer = self.call(|| async {
                    let call = self.client.initiate_auth().auth_flow(AuthFlowType::UserPasswordAuth);
                    let call = call.client_id(client).auth_parameters("USERNAME", user);
                    let answer = call.auth_parameters("PASSWORD", password).send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "InitiateAuth", &error))
                });
                tokens(answer.await?.authentication_result())
            }
            PasswordFlow::Admin => {
                let answer = self.call(|| async {
                    let call = self.client.admin_initiate_auth().user_pool_id(pool);
                    let call = call.auth_flow(AuthFlowType::AdminUserPasswordAuth).client_id(client);
                    let call = call.auth_parameters("USERNAME", user);
                    let answer = call.auth_parameters("PASSWORD", password).send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "AdminInitiateAuth", &error))
                });
                tokens(answer.await?.authentication_result())
            }
        }
    }

    /// New tokens for a refresh token.
    ///
    /// # Errors
    /// Where the call fails, also where the token is not good any more.
    pub async fn refresh(&self, client: &str, refresh: &Token) -> Result<Tokens, AwsError> {
        let answer = self.call(|| async {
            let call = self.client.initiate_auth().auth_flow(AuthFlowType::RefreshTokenAuth);
            let call = call.client_id(client).auth_parameters("REFRESH_TOKEN", refresh.expose());
            call.send().await.map_err(|error| AwsError::of(SERVICE, "InitiateAuth", &error))
        });
        tokens(answer.await?.authentication_result())
    }

    /// What an app client allows, or `None` where there is none of this id.
    ///
    /// # Errors
    /// Where the call fails.
    pub async fn app_client(&self, pool: &str, client: &str) -> Result<Option<AppClient>, AwsError> {
        let answer = self.call(|| async {
            let call = self.client.describe_user_pool_client().user_pool_id(pool).client_id(client);
            call.send().await.map_err(|error| AwsError::of(SERVICE, "DescribeUserPoolClient", &error))
        });
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(answer.user_pool_client().map(|found| AppClient {
            callbacks: found.callback_urls().to_vec(),
            logouts: found.logout_urls().to_vec(),
            scopes: found.allowed_o_auth_scopes().to_vec(),
        }))
    }

    /// Deletes a user. One that is gone is no failure.
    ///
    /// # Errors
    /// Where the call fails.
    pub async fn delete_user(&self, pool: &str, user: &str) -> Result<(), AwsError> {
        let answer = self.call(|| async {
            let answer = self.client.admin_delete_user().user_pool_id(pool).username(user).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "AdminDeleteUser", &error))
        });
        match answer.await {
            Err(error) if error.kind != AwsErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn tokens(result: Option<&AuthenticationResultType>) -> Result<Tokens, AwsError> {
    let missing = || AwsError::incomplete(SERVICE, "InitiateAuth", "AccessToken");
    let result = result.ok_or_else(missing)?;
    Ok(Tokens {
        access: Token::new(result.access_token().ok_or_else(missing)?.to_owned()),
        id: result.id_token().map(|token| Token::new(token.to_owned())),
        refresh: result.refresh_token().map(|token| Token::new(token.to_owned())),
        seconds: u64::try_from(result.expires_in()).unwrap_or_default(),
    })
}

impl UserPools for Cognito {
    fn pool<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<UserPool>, AwsError>> {
        Box::pin(async move {
            let answer = self.call(|| async {
                let answer = self.client.describe_user_pool().user_pool_id(id).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "DescribeUserPool", &error))
            });
            let answer = match answer.await {
                Ok(answer) => answer,
                Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            Ok(answer.user_pool().map(|pool| UserPool {
                id: id.to_owned(),
                name: pool.name().unwrap_or_default().to_owned(),
                protected: pool.deletion_protection() == Some(&DeletionProtectionType::Active),
            }))
        })
    }

    fn named<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Vec<String>, AwsError>> {
        Box::pin(async move {
            let (mut found, mut token) = (Vec::new(), None::<String>);
            loop {
                let page = self.call(|| async {
                    let call = self.client.list_user_pools().max_results(60).set_next_token(token.clone());
                    call.send().await.map_err(|error| AwsError::of(SERVICE, "ListUserPools", &error))
                });
                let page = page.await?;
                let same = page.user_pools().iter().filter(|pool| pool.name() == Some(name));
                found.extend(same.filter_map(|pool| pool.id()).map(str::to_owned));
                token = page.next_token().map(str::to_owned);
                if token.is_none() {
                    return Ok(found);
                }
            }
        })
    }

    fn unprotect<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let updated = self.call(|| async {
                let call = self.client.update_user_pool().user_pool_id(id);
                let answer = call.deletion_protection(DeletionProtectionType::Inactive).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "UpdateUserPool", &error))
            });
            updated.await.map(|_| ())
        })
    }

    fn delete<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let deleted = self.budgeted.write(ApiGroup::UserPools, || async {
                let answer = self.client.delete_user_pool().user_pool_id(id).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "DeleteUserPool", &error))
            });
            deleted.await.map(|_| ())
        })
    }
}

const SERVICE: &str = "cognito";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_token() {
        let tokens = Tokens { access: Token::new("eyJhbGciOi".into()), id: None, refresh: None, seconds: 0 };
        assert!(!format!("{tokens:?}").contains("eyJ"));
    }
}
