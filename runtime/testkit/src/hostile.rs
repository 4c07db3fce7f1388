//! Texts that nobody meant to send, made from texts that somebody did.

/// A generator of numbers without a dependency (xorshift, 64 bits): one seed makes each run the same.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// A generator that begins at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.max(1))
    }

    /// A number below `bound`; zero where `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap_or_default()
    }

    /// One of `items`.
    ///
    /// # Panics
    /// Where there is none.
    pub fn one<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

const PIECES: [&str; 30] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ".",
    "=",
    "null",
    "true",
    "-1",
    "1e9",
    "9999999999999999999999",
    "\\u0000",
    "\\r\\nSet-Cookie: a=b",
    "\\ud800",
    "\r\n",
    "\0",
    "ä",
    "\u{202e}",
    " ",
    "/remove",
    "OPTIONS",
    "Bearer ",
    "$TOKEN",
    "Origin: null",
    "\"alg\":\"none\",",
    "\"exp\":0,",
];

/// `text` with some of it cut out, doubled, overwritten, or brought from `other`.
pub fn disturbed(text: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=numbers.below(3) {
        let from = numbers.below(bytes.len() + 1);
        let to = (from + numbers.below(16)).min(bytes.len());
        let piece = match numbers.below(6) {
            0 => vec![],
            1 => bytes[from..to].repeat(2),
            2 => vec![u8::try_from(numbers.below(256)).unwrap_or_default()],
            3 => {
                let start = numbers.below(other.len() + 1);
                let end = (start + numbers.below(64)).min(other.len());
                other[start..end].to_vec()
            }
            4 if numbers.below(50) == 0 => numbers.one(&PIECES).repeat(3_000).into_bytes(),
            _ => numbers.one(&PIECES).as_bytes().to_vec(),
        };
        bytes.splice(from..to, piece);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_each_run_the_same() {
        let run = |seed| {
            let mut numbers = Numbers::new(seed);
            (0..50).map(|_| disturbed(b"{\"a\":1}", b"other", &mut numbers)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        assert_eq!(Numbers::new(0).below(0), 0);
    }
}
