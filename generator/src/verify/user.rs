//! A user made for one verification and deleted after it.

use rand::Rng;
use rand::seq::SliceRandom;

use super::target::{Target, VerifyError};
use crate::aws::cognito::{Cognito, PasswordFlow, Tokens};

/// Length of the user's password: the longest that any tenant's policy can demand.
const PASSWORD_LENGTH: usize = 99;
const KINDS: [&[u8]; 4] =
    [b"abcdefghjkmnpqrstuvwxyz", b"ABCDEFGHJKMNPQRSTUVWXYZ", b"23456789", b"!#%+:=?@^_-"];

/// A user of a tenant's pool that exists for one verification.
#[derive(Debug)]
pub struct TestUser<'a> {
    cognito: &'a Cognito,
    target: &'a Target,
    name: String,
}

impl<'a> TestUser<'a> {
    /// Creates the user, puts it into a group where one is demanded, and signs it in. No message is sent to
    /// anybody.
    ///
    /// # Errors
    /// Where a call fails; the user is deleted again then.
    pub async fn sign_in(
        cognito: &'a Cognito,
        target: &'a Target,
        group: Option<&str>,
    ) -> Result<(TestUser<'a>, Tokens), VerifyError> {
        let mut random = [0_u8; 8];
        rand::thread_rng().fill(&mut random);
        // `.invalid` can never be delivered to (RFC 2606).
        let name = format!("generator-verify-{}@example.invalid", hex::encode(random));
        let user = Self { cognito, target, name };
        match user.enter(group).await {
            Ok(tokens) => Ok((user, tokens)),
            Err(error) => {
                // The first failure is the one to tell; what remains is named by its message.
                let _ = user.delete().await;
                Err(error)
            }
        }
    }

    /// Creates a user that stays, for a person to sign in with, in a group where one is demanded: its name and its
    /// password.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn keep(
        cognito: &Cognito,
        target: &Target,
        group: Option<&str>,
    ) -> Result<(String, String), VerifyError> {
        let mut random = [0_u8; 4];
        rand::thread_rng().fill(&mut random);
        let name = format!("try-{}@example.invalid", hex::encode(random));
        let password = password();
        let doing = |what: &str| VerifyError::aws(format!("{what} `{name}` of {}", target.user_pool));
        let made = cognito.create_user(&target.user_pool, &name, &password).await;
        made.map_err(doing("creating the user"))?;
        let set = cognito.set_password(&target.user_pool, &name, &password).await;
        set.map_err(doing("setting the password of"))?;
        if let Some(group) = group {
            let added = cognito.add_to_group(&target.user_pool, &name, group).await;
            added.map_err(doing(&format!("adding to the group `{group}` the user")))?;
        }
        Ok((name, password))
    }

    async fn enter(&self, group: Option<&str>) -> Result<Tokens, VerifyError> {
        let Target { user_pool, client, .. } = self.target;
        let password = password();
        let doing = |what: &str| VerifyError::aws(format!("{what} `{}` of {user_pool}", self.name));
        self.cognito
            .create_user(user_pool, &self.name, &password)
            .await
            .map_err(doing("creating the user"))?;
        self.cognito
            .set_password(user_pool, &self.name, &password)
            .await
            .map_err(doing("setting the password of"))?;
        if let Some(group) = group {
            let doing = doing(&format!("adding to the group `{group}` the user"));
            self.cognito.add_to_group(user_pool, &self.name, group).await.map_err(doing)?;
        }
        self.cognito
            .sign_in(PasswordFlow::Admin, user_pool, client, &self.name, &password)
            .await
            .map_err(doing("signing in"))
    }

    /// Deletes the user.
    ///
    /// # Errors
    /// Where the call fails: the user remains, and the message has its name.
    pub async fn delete(self) -> Result<(), VerifyError> {
        let pool = &self.target.user_pool;
        let doing = format!("deleting the user `{}` of {pool}", self.name);
        self.cognito.delete_user(pool, &self.name).await.map_err(VerifyError::aws(doing))
    }
}

/// A password with characters of every kind that a policy can demand.
fn password() -> String {
    let mut random = rand::thread_rng();
    let mut characters: Vec<u8> = (0..PASSWORD_LENGTH)
        .map(|index| KINDS[index % KINDS.len()].choose(&mut random).copied().unwrap_or(b'x'))
        .collect();
    characters.shuffle(&mut random);
    characters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_meets_the_strictest_policy() {
        let password = password();
        assert_eq!(password.len(), PASSWORD_LENGTH);
        for kind in KINDS {
            assert!(password.bytes().any(|byte| kind.contains(&byte)));
        }
    }
}
