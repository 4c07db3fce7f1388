//! `sign_in`: users, their passwords, and the clients that they sign in with.

use crate::tenant::collections::{Keyed, List};
use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{
    Characters, ClientId, ClientName, Color, Days, DomainPrefix, EmailAddress, EmailIdentityArn, Line,
    Minutes, ResourceServerId, ReturnUrl, Scope, ScopeName, UserPoolId,
};

section! {
    /// Who signs in, and how.
    pub struct SignIn {
        /// A user pool of yours, instead of a new one.
        pub existing: ExistingPool,
        /// Where the sign-in page may send a signed-in browser.
        pub callback_urls: Setting<Option<List<ReturnUrl, 1, 100>>>,
        /// Where the sign-in page may send a signed-out browser.
        pub logout_urls: Setting<List<ReturnUrl, 0, 100>>,
        /// First label of the sign-in page's host name; organisation, tenant and account where left out.
        pub domain_prefix: Setting<Option<DomainPrefix>>,
        /// Colours of the sign-in page.
        pub branding: Branding,
        /// Whether people may make themselves users.
        pub self_sign_up: Setting<bool>,
        /// Second factors.
        pub mfa: Mfa,
        /// Who mail to users comes from.
        pub email: Email,
        /// Whether tokens may be handed out in a URL (OAuth's implicit grant) beside the code grant.
        pub implicit_grant: Setting<bool>,
        /// Scopes that the app client may ask for.
        pub scopes: Setting<List<Scope, 1, 50>>,
        /// Scopes of the tenant's own, by resource server and name; each with what it allows, for people.
        pub resource_servers: Keyed<ResourceServerId, ResourceServer, 20>,
        /// App clients beside the first, by name. Their tokens open the media as well.
        pub clients: Keyed<ClientName, Client, 10>,
        /// Life of an access token.
        pub access_token_minutes: Setting<Minutes<5, 1440>>,
        /// Life of an id token.
        pub id_token_minutes: Setting<Minutes<5, 1440>>,
        /// Life of a refresh token.
        pub refresh_token_days: Setting<Days<1, 3650>>,
        /// What a password must be.
        pub password: Password,
    }
}

/// The scopes of a resource server, by name, each with what it allows.
pub type ResourceServer = Keyed<ScopeName, Setting<Line>, 100>;

section! {
    /// A user pool that exists.
    pub struct ExistingPool {
        /// Its id. It keeps its own sign-in page, password rules and second factors.
        pub user_pool_id: Setting<Option<UserPoolId>>,
        /// An app client of it; a new one is made where left out.
        pub client_id: Setting<Option<ClientId>>,
    }
}

section! {
    /// Colours of the sign-in page; Cognito's own where left out.
    pub struct Branding {
        /// The button that signs in.
        pub button_color: Setting<Option<Color>>,
        /// The text on it.
        pub button_text_color: Setting<Option<Color>>,
        /// The page behind the form.
        pub page_color: Setting<Option<Color>>,
    }
}

section! {
    /// Second factors.
    pub struct Mfa {
        /// Whether users need one.
        pub mode: Setting<MfaMode>,
        /// What can be one.
        pub methods: Setting<List<MfaMethod, 0, 2>>,
    }
}

choice! {
    /// Whether users need a second factor.
    pub enum MfaMode {
        /// There is none.
        Off = "off",
        /// Users may set one up.
        Optional = "optional",
        /// Users must set one up.
        Required = "required",
    }
}

choice! {
    /// A second factor.
    pub enum MfaMethod {
        /// A code of an authenticator app.
        Totp = "totp",
        /// A code by mail. Needs `sign_in.email`; then a lost password is for an administrator to reset, as
        /// Cognito does not send both to one address.
        Email = "email",
    }
}

section! {
    /// Who mail to users comes from; Cognito's own address where left out, which sends 50 mails a day.
    pub struct Email {
        /// Address or domain that Amazon SES may send from.
        pub identity_arn: Setting<Option<EmailIdentityArn>>,
        /// The sender that users see.
        pub from: Setting<Option<EmailAddress>>,
    }
}

section! {
    /// An app client beside the first.
    pub struct Client {
        /// Where the sign-in page may send a signed-in browser.
        pub callback_urls: Setting<List<ReturnUrl, 1, 100>>,
        /// Where the sign-in page may send a signed-out browser; none where left out.
        pub logout_urls: Setting<Option<List<ReturnUrl, 0, 100>>>,
        /// Scopes that it may ask for; those of the first client where left out.
        pub scopes: Setting<Option<List<Scope, 1, 50>>>,
    }
}

section! {
    /// What a password must be.
    pub struct Password {
        /// Fewest characters.
        pub minimum_length: Setting<Characters<8, 99>>,
        /// Whether it needs an upper-case letter.
        pub require_uppercase: Setting<bool>,
        /// Whether it needs a lower-case letter.
        pub require_lowercase: Setting<bool>,
        /// Whether it needs a digit.
        pub require_numbers: Setting<bool>,
        /// Whether it needs a symbol.
        pub require_symbols: Setting<bool>,
        /// Life of a password that an administrator set.
        pub temporary_days: Setting<Days<1, 365>>,
    }
}
