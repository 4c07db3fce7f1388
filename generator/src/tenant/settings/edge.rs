//! `edge`: the CloudFront distribution.

use super::headers::Headers;
use crate::tenant::collections::{List, Rows};
use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{
    AnswerStatus, CertificateArn, CountryCode, ErrorStatus, HostName, LogBucketDomain, LogPrefix, PagePath,
    PathPattern, Seconds, WebAclArn,
};

section! {
    /// The CloudFront distribution.
    pub struct Edge {
        /// Host names of the tenant's own; they need `certificate_arn`.
        pub aliases: Setting<List<HostName, 0, 100>>,
        /// Certificate for the aliases, in us-east-1.
        pub certificate_arn: Setting<Option<CertificateArn>>,
        /// Which edge locations serve it.
        pub price_class: Setting<PriceClass>,
        /// Versions of HTTP that viewers may speak.
        pub http_version: Setting<HttpVersion>,
        /// Oldest TLS that viewers may speak. With the certificate of `cloudfront.net`, where there are no
        /// aliases, CloudFront fixes it itself.
        pub minimum_tls: Setting<MinimumTls>,
        /// Whether viewers may come over IPv6.
        pub ipv6: Setting<bool>,
        /// Web ACL of AWS WAF in front of the distribution.
        pub web_acl_arn: Setting<Option<WebAclArn>>,
        /// Access logs.
        pub logging: Logging,
        /// Countries that may read, or may not.
        pub geo: Geo,
        /// How long edges keep objects.
        pub cache: Cache,
        /// Headers that are added to every answer.
        pub headers: Headers,
        /// Pages of one's own in place of errors, one map per status.
        pub error_pages: Rows<ErrorPage, 11>,
        /// Paths that differ from the default, which is: closed without a cookie.
        pub paths: Paths,
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

choice! {
    /// Versions of HTTP that viewers may speak.
    pub enum HttpVersion {
        /// HTTP/1.1 only.
        Http11 = "http1.1",
        /// HTTP/2 and older.
        Http2 = "http2",
        /// HTTP/3 and HTTP/1.1.
        Http3 = "http3",
        /// HTTP/3 and older.
        Http2And3 = "http2and3",
    }
}

choice! {
    /// Oldest TLS that viewers may speak, as CloudFront calls its security policies.
    pub enum MinimumTls {
        /// TLS 1.2 with modern ciphers.
        Tls12Of2021 = "TLSv1.2_2021",
        /// TLS 1.2 with the ciphers of 2025.
        Tls12Of2025 = "TLSv1.2_2025",
        /// TLS 1.3 only.
        Tls13Of2025 = "TLSv1.3_2025",
    }
}

section! {
    /// Access logs.
    pub struct Logging {
        /// Bucket that takes the logs, as a host name; no logs where left out. It must allow ACLs.
        pub bucket: Setting<Option<LogBucketDomain>>,
        /// What the names of the logs begin with.
        pub prefix: Setting<Option<LogPrefix>>,
    }
}

section! {
    /// Countries that may read, or may not.
    pub struct Geo {
        /// What the list of countries means.
        pub mode: Setting<GeoMode>,
        /// The countries.
        pub countries: Setting<List<CountryCode, 0, 250>>,
    }
}

choice! {
    /// What a list of countries means.
    pub enum GeoMode {
        /// Nothing: every country may read.
        Off = "off",
        /// Only these may read.
        Allow = "allow",
        /// All but these may read.
        Deny = "deny",
    }
}

section! {
    /// How long edges keep objects. CloudFront's own policy for static content is used while all are left
    /// out; a policy of the tenant's own counts towards the account's limit of 20.
    pub struct Cache {
        /// Shortest time, whatever the object's headers say.
        pub minimum_seconds: Setting<Option<Seconds<0, 31_536_000>>>,
        /// Time for an object whose headers say nothing.
        pub default_seconds: Setting<Option<Seconds<0, 31_536_000>>>,
        /// Longest time, whatever the object's headers say.
        pub maximum_seconds: Setting<Option<Seconds<0, 31_536_000>>>,
    }
}

section! {
    /// A page of one's own in place of an error.
    pub struct ErrorPage {
        /// Status that the page stands for.
        pub status: Setting<ErrorStatus>,
        /// Path of the page in the bucket; only the caching time changes where it is left out.
        pub page: Setting<Option<PagePath>>,
        /// Status that is sent with the page; the same one where left out.
        pub answer: Setting<Option<AnswerStatus>>,
        /// How long edges keep the error.
        pub cache_seconds: Setting<Option<Seconds<0, 31_536_000>>>,
    }
}

section! {
    /// Paths that differ from the default. The first pattern that matches counts: protected ones stand before
    /// public ones, each in the order of its list.
    pub struct Paths {
        /// Paths that need a cookie, within public ones.
        pub protected: Setting<List<PathPattern, 0, 30>>,
        /// Paths that everybody may read.
        pub public: Setting<List<PathPattern, 0, 30>>,
    }
}
