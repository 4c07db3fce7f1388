//! `keys`: what signs the cookies.

use crate::tenant::declare::{choice, section};
use crate::tenant::decode::Setting;
use crate::tenant::values::Schedule;

section! {
    /// The keys that sign cookies.
    pub struct Keys {
        /// Kind of key pair.
        pub algorithm: Setting<KeyAlgorithm>,
        /// When a new key takes over.
        pub rotation: Setting<Schedule>,
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
