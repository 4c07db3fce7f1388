//! The sections of a tenant file, one file each.
//!
//! A key's name, type, unit, bounds and meaning stand here; its default stands in `builtin.yaml`.

mod bucket;
mod cookies;
mod cors;
mod destroy;
mod edge;
mod headers;
mod keys;
mod page;
mod sign_in;
mod token;
mod uploads;

pub use self::bucket::{Bucket, Lifecycle, Versioning};
pub use self::cookies::{Cookies, Hash, Keep, SameSite};
pub use self::cors::{Cors, Method};
pub use self::destroy::{Destroy, Removable};
pub use self::edge::{
    Cache, Edge, ErrorPage, Geo, GeoMode, HttpVersion, Logging, MinimumTls, Paths, PriceClass,
};
pub use self::headers::{FrameOptions, Headers, ReferrerPolicy};
pub use self::keys::{KeyAlgorithm, Keys};
pub use self::page::Page;
pub use self::sign_in::{
    Branding, Client, Email, ExistingPool, Mfa, MfaMethod, MfaMode, Password, ResourceServer, SignIn,
};
pub use self::token::Token;
pub use self::uploads::{UploadMode, Uploads};

use super::declare::section;
use super::decode::Setting;
use super::labels::Labels;
use super::values::{AccountId, Line, Region, RoleArn, TenantName, TierName};

section! {
    /// Everything that a tenant file can say.
    pub struct Settings {
        /// The tenant's name, where the file should say it: always the file's own name.
        pub name: Setting<Option<TenantName>>,
        /// File of `_tiers` that lies between `_defaults.yaml` and this one.
        pub tier: Setting<Option<TierName>>,
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
        /// What a token must carry to be traded for cookies.
        pub token: Token,
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
        /// A page of the tenant's own under the same host.
        pub page: Page,
        /// What `generator destroy` may remove.
        pub destroy: Destroy,
    }
}
