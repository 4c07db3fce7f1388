//! CloudFront's base64: the standard alphabet with the three characters replaced that a cookie or a URL
//! cannot carry, padding included.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Encodes `bytes`: base64 with `-` for `+`, `~` for `/` and `_` for `=`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD
        .encode(bytes)
        .chars()
        .map(|character| match character {
            '+' => '-',
            '=' => '_',
            '/' => '~',
            other => other,
        })
        .collect()
}

/// Decodes what [`encode`] wrote; `None` for any other text, standard base64 included.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut standard = String::with_capacity(text.len());
    for character in text.chars() {
        standard.push(match character {
            '-' => '+',
            '_' => '=',
            '~' => '/',
            '+' | '=' | '/' => return None,
            other => other,
        });
    }
    STANDARD.decode(standard).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_characters_are_replaced() {
        // In standard base64: `++//`, and `+w==`.
        assert_eq!(encode(&[0xfb, 0xef, 0xff]), "--~~");
        assert_eq!(encode(&[0xfb]), "-w__");
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|index| index.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn the_standard_alphabet_is_refused() {
        for text in ["++//", "+w==", "-w", "a", "-w__-w__", "ä"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
