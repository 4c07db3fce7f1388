//! The wildcards of a policy's resource.

/// Whether `url` is covered by `pattern`, in which `*` stands for any characters, none included and `/`
/// among them, and `?` for exactly one. Everything else must be equal, case included.
///
/// Takes time proportional to the product of both lengths at worst, never more.
#[must_use]
pub fn matches(pattern: &str, url: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let url: Vec<char> = url.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stood, and how much of the URL it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = url.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((position, taken)) = star else { return false };
                star = Some((position, taken + 1));
                at = position + 1;
                from = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_takes_anything() {
        assert!(matches("https://m.example.com/*", "https://m.example.com/"));
        assert!(matches("https://m.example.com/*", "https://m.example.com/a/b.png?size=1"));
        assert!(matches("http*://*.example.com/*.png", "https://m.example.com/a/b.png"));
        assert!(matches("*", ""));
    }

    #[test]
    fn a_question_mark_takes_one_character() {
        assert!(matches("https://m.example.com/?.png", "https://m.example.com/ä.png"));
        assert!(!matches("https://m.example.com/?.png", "https://m.example.com/.png"));
        assert!(!matches("https://m.example.com/?.png", "https://m.example.com/ab.png"));
    }

    #[test]
    fn another_host_or_case_does_not_match() {
        assert!(!matches("https://m.example.com/*", "https://n.example.com/"));
        assert!(!matches("https://m.example.com/*", "https://m.example.com.evil.org/"));
        assert!(!matches("https://m.example.com/a", "https://m.example.com/A"));
        assert!(!matches("https://m.example.com/*", "http://m.example.com/a"));
    }

    #[test]
    fn many_stars_end_soon() {
        let pattern = "*a".repeat(50);
        assert!(!matches(&pattern, &"a".repeat(2_000).replace('a', "b")));
        assert!(matches(&pattern, &"a".repeat(2_000)));
    }
}
