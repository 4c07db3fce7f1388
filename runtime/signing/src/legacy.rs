//! RSA signatures over SHA-1: the hash that CloudFront assumes where none is named.
//!
//! aws-lc-rs refuses to sign SHA-1, while aws-lc below it does so with the same code, in constant time and
//! blinded, that signs SHA-256. So this module calls aws-lc by its C interface: the only unsafe code of the
//! project. Pure Rust takes seven times as long, with a timing that RUSTSEC-2023-0071 warns of.
#![expect(unsafe_code, reason = "aws-lc has no safe interface for this one operation")]

use std::ffi::c_uint;
use std::ptr::NonNull;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_sys::{
    CBS, CBS_init, EVP_PKEY_free, EVP_PKEY_get1_RSA, EVP_parse_private_key, NID_sha1, RSA, RSA_free,
    RSA_sign, RSA_size,
};

/// An RSA key in the form of the C library. Owns one reference to it, given back on drop.
pub(crate) struct LegacyKey(NonNull<RSA>);

// SAFETY: an `RSA` is not bound to the thread that made it, and aws-lc's `rsa.h` lets threads use one at the
// same time in functions that do not change it: `RSA_sign` and `RSA_size` are such, and no other is called
// on it but `RSA_free`, once, when nothing borrows the key any more.
unsafe impl Send for LegacyKey {}
// SAFETY: as above.
unsafe impl Sync for LegacyKey {}

impl LegacyKey {
    /// Parses an RSA key in PKCS#8; `None` for anything else.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let mut reader = CBS { data: std::ptr::null(), len: 0 };
        // SAFETY: `reader` is a valid place to write to, and the bytes of `der` outlive it.
        unsafe { CBS_init(&raw mut reader, der.as_ptr(), der.len()) };
        // SAFETY: `reader` was initialised above. The result is null, or a key that we own.
        let key = NonNull::new(unsafe { EVP_parse_private_key(&raw mut reader) })?;
        // SAFETY: `key` is a key; one of another kind gives null. The result has a reference of its own.
        let rsa = NonNull::new(unsafe { EVP_PKEY_get1_RSA(key.as_ptr()) });
        // SAFETY: `key` is ours and is not used after this.
        unsafe { EVP_PKEY_free(key.as_ptr()) };
        rsa.map(Self)
    }

    /// Signs the SHA-1 of `message` with PKCS#1 v1.5; `None` where the library refuses.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, message);
        let hash = hash.as_ref();
        // SAFETY: the key is alive for as long as `self` is.
        let size = unsafe { RSA_size(self.0.as_ptr()) };
        let mut signature = vec![0; usize::try_from(size).ok()?];
        let mut written: c_uint = 0;
        // SAFETY: `hash` is `hash.len()` bytes to read. `signature` is the `RSA_size` bytes that `RSA_sign`
        // may write, and `written` a place for how many it did. The key is alive, and is not changed.
        let signed = unsafe {
            RSA_sign(
                NID_sha1,
                hash.as_ptr(),
                hash.len(),
                signature.as_mut_ptr(),
                &raw mut written,
                self.0.as_ptr(),
            )
        };
        (signed == 1 && written == size).then_some(signature)
    }
}

impl Drop for LegacyKey {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and is given back once.
        unsafe { RSA_free(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let text = std::fs::read_to_string(path).expect("a test key");
        crate::pem::decode(&text, "PRIVATE KEY").expect("PEM")
    }

    #[test]
    fn only_a_whole_rsa_key_is_taken() {
        let rsa = der("rsa.pem");
        assert!(LegacyKey::from_pkcs8(&rsa).is_some());
        assert!(LegacyKey::from_pkcs8(&der("ecdsa.pem")).is_none());
        assert!(LegacyKey::from_pkcs8(&[]).is_none());
        for length in [1, 26, rsa.len() / 2, rsa.len() - 1] {
            assert!(LegacyKey::from_pkcs8(&rsa[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn threads_share_a_key() {
        let key = LegacyKey::from_pkcs8(&der("rsa.pem")).expect("a key");
        let expected = key.sign(b"text");
        assert!(expected.is_some());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| assert_eq!(key.sign(b"text"), expected)));
            }
        });
    }
}
