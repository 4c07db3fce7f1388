//! `cookies`: what the signer gives out.

use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::{Minutes, Seconds};

section! {
    /// The signed cookies.
    pub struct Cookies {
        /// Longest life of a cookie.
        pub minutes: Setting<Minutes<1, 1440>>,
        /// On which requests browsers send them.
        pub same_site: Setting<SameSite>,
        /// Until when a browser keeps them.
        pub keep: Setting<Keep>,
        /// Whether a cookie opens only for the IPv4 address that it was issued to. Needs `edge.ipv6: false`.
        pub bind_address: Setting<bool>,
        /// Cookies expire at multiples of this, so that all viewers of one slot share a signature.
        pub slot_seconds: Setting<Seconds<1, 3600>>,
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
    /// Until when a browser keeps cookies.
    pub enum Keep {
        /// Until it is closed, and no longer than they live.
        Session = "session",
        /// For as long as they live.
        Lasting = "lasting",
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
