//! The keyring's secret, and the key that is made of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::edge_config::{SameSite, SignatureHash};
use contract::keyring::PrivateKeyPem;
use signer::keys::LoadedKeyring;
use signing::{Attributes, CookieSet, Policy, PublicKey, SigningKey};

/// Characters in a row of a private key that nothing may show.
const SHOWN_MAX: usize = 16;

/// The bytes as the text of the secret; where they begin with `0` (the first byte of every DER key) as a
/// private key; where they begin with `-----` as a PEM text. What is taken for a key signs, with both
/// hashes, what its public half accepts; cookies come back as they were set; nothing shows the key.
///
/// # Panics
/// Where one of these does not hold.
pub fn secret(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if bytes.first() == Some(&b'0') {
        let base64 = STANDARD.encode(bytes);
        key(&format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n"));
        let _ =
            PublicKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n"));
    } else if text.starts_with("-----") {
        key(&text);
        let _ = PublicKey::from_pem(&text);
    } else if let Some(keyring) = LoadedKeyring::parse("arn".into(), "name".into(), &text) {
        let document = &keyring.document;
        // Ids are public. One that is a piece of the key's text, which no rotator writes, is shown for an id.
        let ids = document.retired.iter().map(|key| &key.key_id).chain([&document.key_id]);
        let shown = ids.fold(format!("{keyring:?}"), |shown, id| shown.replace(&format!("{id:?}"), "ID"));
        hidden(document.private_key.expose(), &shown);
        judge(&keyring.key, &keyring.document.key_id);
        assert_eq!(keyring.key.algorithm(), keyring.document.algorithm);
    }
}

fn key(pem: &str) {
    match SigningKey::from_pem(&PrivateKeyPem::new(pem.to_owned())) {
        Ok(key) => judge(&key, "K1"),
        Err(error) => hidden(pem, &format!("{error} {error:?}")),
    }
}

fn hidden(secret: &str, shown: &str) {
    let secret: Vec<char> = secret.chars().filter(|character| character.is_ascii_alphanumeric()).collect();
    let labels = ["BEGINPRIVATEKEY", "ENDPRIVATEKEY"].map(str::len).into_iter().max().unwrap_or_default();
    for window in secret.windows(SHOWN_MAX + labels) {
        let window: String = window.iter().collect();
        assert!(!shown.contains(&window), "{shown}");
    }
}

fn judge(key: &SigningKey, key_id: &str) {
    let public = PublicKey::from_pem(&key.public_key_pem().expect("a public half")).expect("our own PEM");
    assert_eq!(public.algorithm(), key.algorithm());
    let policy = Policy::of_host("media.example.com", 1_767_225_600);
    for hash in [SignatureHash::Sha256, SignatureHash::Sha1] {
        let set = CookieSet::sign(key, key_id, &policy, hash).expect("a signature");
        let signature = signing::decode(&set.signature).expect("CloudFront's base64");
        assert!(public.verifies(policy.text().as_bytes(), &signature, hash), "{hash:?}");
        let cookies = set.set_cookie(Attributes { same_site: SameSite::Lax, max_age: None });
        assert!(cookies.iter().all(|cookie| cookie.bytes().all(|byte| (b' '..=b'~').contains(&byte))));
        assert_eq!(CookieSet::from_set_cookie(cookies.iter().map(String::as_str)), Ok(set));
    }
}
