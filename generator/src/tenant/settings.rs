//! The sections of a tenant file.
//!
//! A key's name, type, unit, bounds and meaning stand here; its default stands in `builtin.yaml`.

use super::decode::{Setting, choice, section};
use super::labels::Labels;
use super::values::{
    AccountId, CertificateArn, Characters, Days, DomainPrefix, HostName, Line, Minutes, Region, ReturnUrl,
    RoleArn, Seconds, WebOrigin,
};

section! {
    /// Everything that a tenant file can say.
    pub struct Settings {
        /// What the tenant is, for people.
        pub description: Setting<Option<Line>>,
        /// Words that commands and policies select tenants by, also set as tags.
        pub labels: Labels,
        /// Region of bucket, user pool and identity pool.
        pub region: Setting<Region>,
        /// The only account that may be deployed to.
        pub account: Setting<Option<AccountId>>,
        /// Role that is assumed for every call about this tenant.
        pub role_arn: Setting<Option<RoleArn>>,
        /// Who signs in, and how.
        pub sign_in: SignIn,
        /// The signed cookies.
        pub cookies: Cookies,
        /// The keys that sign them.
        pub keys: Keys,
        /// Web pages of other origins that may use the media.
        pub cors: Cors,
        /// Uploads by signed-in users.
        pub uploads: Uploads,
        /// The bucket that holds the media.
        pub bucket: Bucket,
        /// The CloudFront distribution.
        pub edge: Edge,
    }
}

section! {
    /// Who signs in, and how.
    pub struct SignIn {
        /// Where the sign-in page may send a signed-in browser.
        pub callback_urls: Setting<Vec<ReturnUrl>>,
        /// Where the sign-in page may send a signed-out browser.
        pub logout_urls: Setting<Vec<ReturnUrl>>,
        /// First label of the sign-in page's host name; organisation, tenant and account where left out.
        pub domain_prefix: Setting<Option<DomainPrefix>>,
        /// Whether tokens may be handed out in a URL (OAuth's implicit grant) beside the code grant.
        pub implicit_grant: Setting<bool>,
        /// Scopes that the app client may ask for.
        pub scopes: Setting<Vec<Scope>>,
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

choice! {
    /// OAuth scopes that every user pool knows.
    pub enum Scope {
        /// Phone number claims.
        Phone = "phone",
        /// E-mail claims.
        Email = "email",
        /// An id token.
        OpenId = "openid",
        /// All readable attributes.
        Profile = "profile",
        /// The user's own account through the user pool's API.
        Admin = "aws.cognito.signin.user.admin",
    }
}

section! {
    /// The signed cookies.
    pub struct Cookies {
        /// Longest life of a cookie.
        pub minutes: Setting<Minutes<1, 1440>>,
        /// On which requests browsers send them.
        pub same_site: Setting<SameSite>,
        /// Hash under the signature.
        pub hash: Setting<Hash>,
    }
}

choice! {
    /// On which requests browsers send a cookie.
    pub enum SameSite {
        /// Same-site requests only.
        Strict = "strict",
        /// Same-site requests, and following a link.
        Lax = "lax",
        /// Every request.
        None = "none",
    }
}

choice! {
    /// Hash under a signature.
    pub enum Hash {
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-1, for tools that know no other.
        Sha1 = "sha1",
    }
}

section! {
    /// The keys that sign cookies.
    pub struct Keys {
        /// Kind of key pair.
        pub algorithm: Setting<KeyAlgorithm>,
        /// Days between rotations.
        pub rotation_days: Setting<Days<1, 365>>,
    }
}

choice! {
    /// Kind of a signing key pair.
    pub enum KeyAlgorithm {
        /// RSA with 2048 bits.
        Rsa2048 = "rsa-2048",
        /// ECDSA on P-256.
        EcdsaP256 = "ecdsa-p256",
    }
}

section! {
    /// Web pages of other origins that may use the media.
    pub struct Cors {
        /// Origins that may call the cookie endpoint and read and upload media from scripts.
        pub origins: Setting<Vec<WebOrigin>>,
        /// How long a browser may keep a preflight answer.
        pub max_age_seconds: Setting<Seconds<0, 86_400>>,
    }
}

section! {
    /// Uploads by signed-in users.
    pub struct Uploads {
        /// Who may put what where.
        pub mode: Setting<UploadMode>,
    }
}

choice! {
    /// Who may put what where.
    pub enum UploadMode {
        /// Nobody: there is no identity pool.
        Off = "off",
        /// Every signed-in user within a folder of its own.
        OwnFolder = "own-folder",
        /// Every signed-in user in the whole bucket.
        Shared = "shared",
    }
}

section! {
    /// The bucket that holds the media.
    pub struct Bucket {
        /// Days for which an overwritten or deleted object can be brought back.
        pub noncurrent_days: Setting<Days<1, 3650>>,
    }
}

section! {
    /// The CloudFront distribution.
    pub struct Edge {
        /// Host names of the tenant's own; they need `certificate_arn`.
        pub aliases: Setting<Vec<HostName>>,
        /// Certificate for the aliases, in us-east-1.
        pub certificate_arn: Setting<Option<CertificateArn>>,
        /// Which edge locations serve it.
        pub price_class: Setting<PriceClass>,
    }
}

choice! {
    /// Which edge locations serve a distribution.
    pub enum PriceClass {
        /// Europe, North America and Israel.
        P100 = "PriceClass_100",
        /// Those, and most of Asia, Africa and the Middle East.
        P200 = "PriceClass_200",
        /// All of them.
        All = "PriceClass_All",
    }
}
