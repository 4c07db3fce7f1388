//! The PEM envelope (RFC 7468): one block, one label, nothing around it but white space.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest text that is looked at, in bytes: ten times the size of the largest key taken here.
const MAX: usize = 20_000;

/// The DER bytes of the only block in `text`, which must have this `label`; `None` for anything else.
pub(crate) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    if text.len() > MAX {
        return None;
    }
    let body = text
        .trim()
        .strip_prefix("-----BEGIN ")?
        .strip_prefix(label)?
        .strip_prefix("-----")?
        .strip_suffix("-----")?
        .strip_suffix(label)?
        .strip_suffix("-----END ")?;
    let base64: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// `der` as a PEM block with lines of 64 characters and a final line break.
pub(crate) fn encode(der: &[u8], label: &str) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (index, character) in base64.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_with_any_line_end() {
        let der = [7_u8; 100];
        let text = encode(&der, "PUBLIC KEY");
        assert!(text.lines().all(|line| line.len() <= 64));
        assert_eq!(decode(&text, "PUBLIC KEY"), Some(der.to_vec()));
        assert_eq!(decode(&text.replace('\n', "\r\n"), "PUBLIC KEY"), Some(der.to_vec()));
    }

    #[test]
    fn another_label_two_blocks_and_rubbish_are_refused() {
        let text = encode(&[7; 10], "PUBLIC KEY");
        assert_eq!(decode(&text, "PRIVATE KEY"), None);
        assert_eq!(decode(&format!("{text}{text}"), "PUBLIC KEY"), None);
        assert_eq!(decode(&format!("note\n{text}"), "PUBLIC KEY"), None);
        assert_eq!(decode("", "PUBLIC KEY"), None);
        assert_eq!(decode(&" ".repeat(MAX + 1), "PUBLIC KEY"), None);
    }
}
