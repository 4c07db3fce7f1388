//! Versions of glibc, as the symbols of a binary name them.

use std::fmt;

/// The glibc of Amazon Linux 2023, on which `nodejs24.x` and `provided.al2023` run.
pub const LAMBDA_GLIBC: GlibcVersion = GlibcVersion { major: 2, minor: 34, patch: 0 };

/// A version of glibc's symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GlibcVersion {
    /// Always 2 so far.
    pub major: u32,
    /// 34 in `2.34`.
    pub minor: u32,
    /// 5 in `2.2.5`, else 0.
    pub patch: u32,
}

impl GlibcVersion {
    /// Reads `GLIBC_2.34` or `GLIBC_2.2.5`; nothing for names without a number (`GLIBC_PRIVATE`,
    /// `GLIBC_ABI_DT_RELR`).
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("GLIBC_")?.split('.').map(|part| part.parse::<u32>().ok());
        let version = GlibcVersion {
            major: parts.next()??,
            minor: parts.next()??,
            patch: match parts.next() {
                Some(patch) => patch?,
                None => 0,
            },
        };
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(formatter, ".{}", self.patch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let parse = |name: &str| GlibcVersion::parse(name).expect("a version");
        assert!(parse("GLIBC_2.4") < parse("GLIBC_2.34"));
        assert!(parse("GLIBC_2.2.5") < parse("GLIBC_2.3"));
        assert!(parse("GLIBC_2.34") == LAMBDA_GLIBC && parse("GLIBC_2.35") > LAMBDA_GLIBC);
        assert_eq!(parse("GLIBC_2.2.5").to_string(), "2.2.5");
        for name in ["GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR", "GLIBC_2", "GLIBC_2.x", "GLIBC_2.1.2.3", "GCC_3.0"]
        {
            assert_eq!(GlibcVersion::parse(name), None, "{name}");
        }
    }
}
