//! `edge.headers`: what is added to every answer.

use crate::tenant::collections::Keyed;
use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{Days, HeaderName, HeaderValue};

section! {
    /// Headers that are added to every answer.
    pub struct Headers {
        /// What a page of the bucket may load.
        pub content_security_policy: Setting<HeaderValue>,
        /// How long a browser speaks only TLS to the host.
        pub hsts_days: Setting<Days<0, 3650>>,
        /// Which pages may show the media in a frame.
        pub frame_options: Setting<FrameOptions>,
        /// What links tell of where they stood.
        pub referrer_policy: Setting<ReferrerPolicy>,
        /// Further headers, by name.
        pub custom: Keyed<HeaderName, Setting<HeaderValue>, 10>,
    }
}

choice! {
    /// Which pages may show an answer in a frame.
    pub enum FrameOptions {
        /// None.
        Deny = "DENY",
        /// Pages of the same host.
        SameOrigin = "SAMEORIGIN",
    }
}

choice! {
    /// What links tell of where they stood.
    pub enum ReferrerPolicy {
        /// Nothing.
        NoReferrer = "no-referrer",
        /// Everything, but nothing without TLS.
        NoReferrerWhenDowngrade = "no-referrer-when-downgrade",
        /// The origin.
        Origin = "origin",
        /// Everything within the origin, the origin to others.
        OriginWhenCrossOrigin = "origin-when-cross-origin",
        /// Everything within the origin, nothing to others.
        SameOrigin = "same-origin",
        /// The origin, but nothing without TLS.
        StrictOrigin = "strict-origin",
        /// Everything within the origin, the origin to others, nothing without TLS.
        StrictOriginWhenCrossOrigin = "strict-origin-when-cross-origin",
    }
}
