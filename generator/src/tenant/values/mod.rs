//! Types of single settings: each knows its unit, its bounds and how it is refused.

mod aws;
mod names;
mod schedule;
mod web;

pub use self::aws::{
    AccountId, BucketName, CertificateArn, ClientId, EmailIdentityArn, KmsKeyArn, LogBucketDomain, LogPrefix,
    Region, RoleArn, UserPoolId, WebAclArn,
};
pub use self::names::{
    ClientName, Color, CountryCode, DomainPrefix, EmailAddress, GroupName, Label, LabelKey, Line,
    ResourceServerId, Scope, ScopeName, TenantName, TierName,
};
pub use self::schedule::Schedule;
pub use self::web::{
    AnswerStatus, CorsHeader, ErrorStatus, HeaderName, HeaderValue, HostName, PageFolder, PagePath, PageRoot,
    PathPattern, ReturnUrl, WebOrigin,
};

use super::declare::quantity;

quantity!(/// A span of time in minutes.
    Minutes, "minutes");
quantity!(/// A span of time in days.
    Days, "days");
quantity!(/// A span of time in seconds.
    Seconds, "seconds");
quantity!(/// A number of characters.
    Characters, "characters");
quantity!(/// A size in megabytes of 1,000,000 bytes.
    Megabytes, "megabytes");
