//! The names of all tenants, to tell whose name a text holds.

use std::collections::{BTreeSet, HashMap, HashSet};

/// Every tenant of the organisation, and the names that its files give to its resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Begins every name: `{organisation}-`.
    prefix: String,
    tenants: BTreeSet<String>,
    /// The same, to look one up in.
    known: HashSet<String>,
    /// Names that do not begin with the prefix, such as a bucket that was there before, with their owners.
    own: HashMap<String, String>,
    /// What these names look like.
    shapes: Shapes,
}

/// Lengths and first letters of some names. Of all the words in a template few have both of one of these names,
/// and only those are looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shapes {
    lengths: u128,
    letters: u128,
}

impl Shapes {
    fn of(name: &str) -> Option<(u128, u128)> {
        let letter = name.bytes().next()?;
        Some((1 << name.len().min(127), 1 << letter.min(127)))
    }

    fn add(&mut self, name: &str) {
        if let Some((length, letter)) = Self::of(name) {
            self.lengths |= length;
            self.letters |= letter;
        }
    }

    fn begin_with(&self, byte: u8) -> bool {
        self.letters & (1 << byte.min(127)) != 0
    }

    fn may_be(&self, name: &str) -> bool {
        Self::of(name)
            .is_some_and(|(length, letter)| self.lengths & length != 0 && self.letters & letter != 0)
    }
}

/// The bytes of which names, and patterns over them, are made.
const IN_NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'?');
        byte += 1;
    }
    table
};

/// The words of a text that may be names: those of which a part, from the start or after a dot, begins with a byte
/// that one of the names begins with.
fn words(text: &str, begins: impl Fn(u8) -> bool) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            let (mut is_start, mut may_be) = (true, false);
            while let Some(byte) = bytes.get(at).filter(|byte| IN_NAMES[usize::from(**byte)]) {
                may_be |= is_start && begins(*byte);
                is_start = *byte == b'.';
                at += 1;
            }
            let end = at;
            at += 1;
            if may_be {
                return text.get(start..end);
            }
        }
        None
    })
}

impl Directory {
    /// The tenants of an organisation.
    #[must_use]
    pub fn new(organisation: &str, tenants: impl IntoIterator<Item = String>) -> Self {
        let tenants: BTreeSet<String> = tenants.into_iter().collect();
        let known = tenants.iter().cloned().collect();
        let prefix = format!("{organisation}-");
        Self { prefix, tenants, known, own: HashMap::new(), shapes: Shapes::default() }
    }

    /// Notes a name that a tenant's file gives to a resource of its own.
    pub fn add(&mut self, tenant: &str, name: &str) {
        self.shapes.add(name);
        self.own.entry(name.to_string()).or_insert_with(|| tenant.to_string());
    }

    /// Whether there is a tenant of this name.
    #[must_use]
    pub fn knows(&self, tenant: &str) -> bool {
        self.known.contains(tenant)
    }

    /// The tenants' names.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().map(String::as_str)
    }

    /// Adds the names within a text that belong to another tenant than `tenant`.
    pub fn foreign(&self, tenant: &str, text: &str, into: &mut Vec<String>) {
        let first = self.prefix.bytes().next();
        let begins = |byte: u8| Some(byte) == first || self.shapes.begin_with(byte);
        // Where no other tenant's name goes on from this one's, what begins with it is this one's.
        let own = format!("{}{tenant}-", self.prefix);
        let is_alone = self.knows(tenant) && !self.is_begun_by_another(tenant);
        for word in words(text, begins) {
            if is_alone && word.starts_with(&own) && !word.contains('.') && !self.shapes.may_be(word) {
                let rest = &word[own.len()..];
                if !rest.contains(['*', '?']) {
                    continue;
                }
            }
            // The region that a name begins with in `us-east-1.{function}` is no part of it.
            let parts = std::iter::successors(Some(word), |part| Some(part.split_once('.')?.1));
            if parts.into_iter().any(|part| self.is_foreign(tenant, part)) {
                into.push(word.to_string());
            }
        }
    }

    /// Whether another tenant's name begins with this one's and a hyphen.
    fn is_begun_by_another(&self, tenant: &str) -> bool {
        let longer = format!("{tenant}-");
        self.tenants.range(longer.clone()..).next().is_some_and(|name| name.starts_with(&longer))
    }

    fn is_foreign(&self, tenant: &str, name: &str) -> bool {
        // A host name of S3 begins with the bucket's.
        let label = name.split_once('.').map_or(name, |(label, _)| label);
        let own = |name: &str| if self.shapes.may_be(name) { self.own.get(name) } else { None };
        let given = || own(name).or_else(|| own(label)).is_some_and(|owner| owner != tenant);
        // A name of the tool's own making is its tenant's, whoever's file says it.
        let Some(rest) = label.strip_prefix(&self.prefix) else { return given() };
        if let Some((known, _)) = rest.split_once(['*', '?']) {
            // A pattern belongs to everyone whose names it can match.
            let owner = self.owner(known);
            let matched = self.tenants.range(known.to_string()..).take_while(|name| name.starts_with(known));
            let whole = known.strip_suffix('-').and_then(|name| self.known.get(name));
            let mut others = matched.chain(whole).map(String::as_str).chain(owner);
            return others.any(|other| other != tenant);
        }
        match self.owner(rest) {
            Some(owner) => owner != tenant,
            None => given(),
        }
    }

    /// The tenant with the longest name that the text begins with, up to a hyphen or its end.
    fn owner(&self, rest: &str) -> Option<&str> {
        let ends = std::iter::once(rest.len()).chain(rest.rmatch_indices('-').map(|(at, _)| at));
        ends.map(|end| &rest[..end]).find_map(|name| self.known.get(name)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(text: &str) -> Vec<String> {
        let mut directory = Directory::new("example", ["acme", "acme-emea", "demo"].map(str::to_string));
        directory.add("demo", "demo-media-archive");
        directory.add("acme", "acme-media-archive");
        directory.add("acme", "example-demo-content-1");
        let mut found = Vec::new();
        directory.foreign("acme", text, &mut found);
        found
    }

    #[test]
    fn own_names_and_names_of_nobody_are_no_concern() {
        for text in [
            "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/example-acme-signer/config",
            "arn:aws:logs:*:1:log-group:/aws/lambda/us-east-1.example-acme-signer:*",
            "example-artifacts-1",
            "acme-media-archive",
            "arn:aws:s3:::example-acme-content-*",
            "*",
        ] {
            assert!(foreign(text).is_empty(), "{text}: {:?}", foreign(text));
        }
    }

    #[test]
    fn a_name_belongs_to_the_longest_tenant_name_in_it() {
        assert_eq!(foreign("parameter/example-acme-emea-signer/config"), ["example-acme-emea-signer"]);
        assert_eq!(foreign("/aws/lambda/us-east-1.example-demo-signer"), ["us-east-1.example-demo-signer"]);
        assert_eq!(foreign("arn:aws:s3:::demo-media-archive/*"), ["demo-media-archive"]);
        assert_eq!(foreign("example-demo-content-1"), ["example-demo-content-1"]);
    }

    #[test]
    fn names_are_found_wherever_they_stand_in_a_text() {
        let found = |text: &str, own: &str| {
            let mut directory = Directory::new("example", ["acme", "demo"].map(str::to_string));
            directory.add("demo", own);
            let mut found = Vec::new();
            directory.foreign("acme", text, &mut found);
            found
        };
        assert_eq!(found("a\nexample-demo-1\nb", "x"), ["example-demo-1"]);
        assert_eq!(found("ä example-demo-1ä/example-acme-1", "x"), ["example-demo-1"]);
        assert_eq!(found("example-demo", "x"), ["example-demo"]);
        assert_eq!(found("https://media.demo.example/a", "media.demo.example"), ["media.demo.example"]);
        assert_eq!(found("cdn.media.demo.example", "media.demo.example"), ["cdn.media.demo.example"]);
        assert_eq!(found("example-acme-1 example-acme-*", "example-acme-1"), Vec::<String>::new());
        assert_eq!(found("example-", "x"), Vec::<String>::new());
        assert_eq!(found("..a..", "a"), ["..a.."]);
    }

    #[test]
    fn a_pattern_over_other_tenants_names_theirs() {
        assert_eq!(foreign("arn:aws:s3:::example-*"), ["example-*"]);
        assert_eq!(foreign("arn:aws:s3:::example-de*"), ["example-de*"]);
        assert_eq!(foreign("example-acme-emea*"), ["example-acme-emea*"]);
        assert_eq!(foreign("example-acme-*"), ["example-acme-*"]);
    }
}
