//! Texts as YAML scalars that every reader, YAML 1.1 included, takes for exactly that text.
//!
//! A text stands bare only where no version of YAML could read anything else in it; otherwise it is quoted,
//! and whatever a person could not see is escaped.

/// Writes a text: bare where that is safe, else in single quotes, else in double quotes with escapes.
pub(super) fn write(out: &mut String, text: &str) {
    if text.chars().any(invisible) {
        double_quoted(out, text);
    } else if is_bare(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        for (index, part) in text.split('\'').enumerate() {
            if index > 0 {
                out.push_str("''");
            }
            out.push_str(part);
        }
        out.push('\'');
    }
}

/// Characters that are escaped: control characters, line ends of every kind, spaces that are not the space,
/// what turns the direction of writing or has no width, private use, and all beyond the basic plane.
fn invisible(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{00A1}'..='\u{00AC}' | '\u{00AE}'..='\u{05FF}' => false,
        '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{206F}' => true,
        '\u{0600}'..='\u{D7FF}' => matches!(c, '\u{061C}' | '\u{1680}' | '\u{180E}' | '\u{3000}'),
        '\u{F900}'..='\u{FDFF}' => (0xFDD0..=0xFDEF).contains(&u32::from(c)),
        '\u{FE30}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFEF}' => false,
        _ => true,
    }
}

fn double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !invisible(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xFF => out.push_str(&format!("\\x{code:02X}")),
                code @ 0x100..=0xFFFF => out.push_str(&format!("\\u{code:04X}")),
                code => out.push_str(&format!("\\U{code:08X}")),
            },
        }
    }
    out.push('"');
}

/// Whether a text without invisible characters can stand without quotes in block style.
fn is_bare(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return false };
    !b"-?:,[]{}#&*!|>'\"%@`=<~ ".contains(&first)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && !is_word(text)
        && !is_number(text)
        && !is_date(text)
}

/// Words that some version of YAML reads as a boolean or as nothing, in any case.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"];
    text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers of every version: grouped by `_` or `,`, in base 2, 8, 16 or 60, with a fraction or an exponent,
/// infinite or none.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some(first) = text.bytes().next() else { return false };
    if first == b'.' && [".inf", ".nan"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    if !first.is_ascii_digit() && first != b'.' {
        return false;
    }
    let bytes = text.as_bytes();
    if let [b'0', b'b' | b'B' | b'o' | b'O' | b'x' | b'X', digits @ ..] = bytes {
        return digits.iter().all(|b| b.is_ascii_hexdigit() || *b == b'_');
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (text, ""),
    };
    mantissa.bytes().all(|b| b.is_ascii_digit() || b"_,.:".contains(&b))
        && exponent.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// A date, alone or before a time of day.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    let digits = |part: Option<&str>, most: usize| {
        part.is_some_and(|part| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(year, 4)
        && digits(month, 2)
        && rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        write(&mut out, text);
        out
    }

    #[test]
    fn what_old_yaml_reads_as_something_else_is_quoted() {
        for text in [
            "yes",
            "Off",
            "y",
            "NULL",
            "~",
            "",
            "012",
            "1e3",
            "0x1F",
            "0o17",
            "0b1_0",
            "1_000",
            "1,000",
            "3.",
            ".5",
            "+1",
            "-.inf",
            ".NaN",
            "1:30",
            "190:20:30.15",
            "2012-10-17",
            "2001-12-14t21:59:43Z",
            "=",
            "<<",
            "---",
            "...",
            "a: b",
            "a #b",
            "a:",
            " a",
            "a ",
            "- a",
            "!Ref x",
            "{a}",
            "[a]",
            "%x",
            "@x",
            "`x",
        ] {
            assert_eq!(written(text), format!("'{text}'"));
        }
    }

    #[test]
    fn what_is_only_a_text_stands_bare() {
        for text in [
            "AWS::S3::Bucket",
            "s3:*",
            "a#b",
            "rate(30 days)",
            "${A}/*",
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "default-src 'none'; x",
            "http2and3",
            "x86_64",
            "Zoë",
            "1 day",
        ] {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(written("a\nb\t\u{202E}\u{85}\u{1F600}\""), r#""a\nb\t\u202E\x85\U0001F600\"""#);
    }
}
