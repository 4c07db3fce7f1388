//! Which line of a template each scalar of its filled text stands on.
//!
//! Only tracing asks. The template is filled a second time with a marker at the end of each of its lines;
//! the markers are taken out again before the text is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Around the number of a line. Private-use characters, as in the engine's tokens.
pub(super) const OPEN: char = '\u{E002}';
pub(super) const CLOSE: char = '\u{E003}';

/// A filled template with its lines.
#[derive(Debug)]
pub(super) struct Filled {
    /// The text, without markers.
    pub text: String,
    /// Template line of each scalar in the order of the text, keys included.
    pub scalars: Vec<usize>,
    /// Paths of the arguments of `{{#if}}` and `{{#each}}` around a template's line, by line.
    pub conditions: BTreeMap<usize, Vec<Vec<String>>>,
}

/// A template with a marker at the end of each line.
pub(super) fn marked(template: &str) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    for (index, line) in template.lines().enumerate() {
        text.push_str(&format!("{line}{OPEN}{}{CLOSE}\n", index + 1));
    }
    text
}

/// Reads back what a marked template was filled to. `template` is the one without marks.
pub(super) fn read(template: &str, filled: &str) -> Result<Filled, String> {
    let (mut text, mut origins) = (String::with_capacity(filled.len()), Vec::new());
    for line in filled.lines() {
        let mut rest = line;
        let mut number = None;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (digits, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            text.push_str(before);
            number = number.or_else(|| digits.parse().ok());
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
        origins.push(number.unwrap_or_default());
    }
    let root: Spanned<Scalars> = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
    let mut scalars = Vec::new();
    collect(&root, &mut |line| {
        let index = usize::try_from(line).unwrap_or_default().saturating_sub(1);
        scalars.push(origins.get(index).copied().unwrap_or_default());
    });
    Ok(Filled { text, scalars, conditions: conditions(template) })
}

/// The arguments of the blocks around each line.
fn conditions(template: &str) -> BTreeMap<usize, Vec<Vec<String>>> {
    let (mut open, mut found) = (Vec::new(), BTreeMap::new());
    for (index, line) in template.lines().enumerate() {
        for tag in line.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            let tag = tag.trim_matches('~').trim();
            if let Some(block) = tag.strip_prefix('#') {
                let argument = block.split_whitespace().nth(1).unwrap_or_default();
                // `../` leads out of a list, to the component's arguments.
                let argument = argument.trim_start_matches("../");
                open.push(argument.split(['.', '/']).map(str::to_string).collect::<Vec<_>>());
            } else if tag.starts_with('/') {
                open.pop();
            }
        }
        if !open.is_empty() {
            found.insert(index + 1, open.clone());
        }
    }
    found
}

/// A YAML value of which only the places of its scalars count.
enum Scalars {
    One,
    Many(Vec<Spanned<Scalars>>),
}

fn collect(value: &Spanned<Scalars>, found: &mut dyn FnMut(u64)) {
    match &value.value {
        Scalars::One => found(value.referenced.line()),
        Scalars::Many(inner) => inner.iter().for_each(|inner| collect(inner, found)),
    }
}

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarsVisitor)
    }
}

struct ScalarsVisitor;

impl<'de> Visitor<'de> for ScalarsVisitor {
    type Value = Scalars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_none<E>(self) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalars, D::Error> {
        Scalars::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_str<E>(self, _: &str) -> Result<Scalars, E> {
        Ok(Scalars::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalars, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Scalars::Many(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalars, A::Error> {
        let mut items = Vec::new();
        while let Some((key, value)) = map.next_entry()? {
            items.push(key);
            items.push(value);
        }
        Ok(Scalars::Many(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scalar_has_the_line_of_its_template() {
        let template = "a: 1\n{{#if x}}\nb:\n  - !Ref c\n{{/if}}\n";
        assert_eq!(marked("a\nb"), "a\u{E002}1\u{E003}\nb\u{E002}2\u{E003}\n");
        let filled =
            "a: 1\u{E002}1\u{E003}\n\u{E002}2\u{E003}\nb:\u{E002}3\u{E003}\n  - !Ref c\u{E002}4\u{E003}\n";
        let filled = read(template, filled).unwrap();
        assert_eq!(filled.text, "a: 1\n\nb:\n  - !Ref c\n");
        assert_eq!(filled.scalars, [1, 1, 3, 4]);
        assert_eq!(filled.conditions[&3], [["x"]]);
        assert!(!filled.conditions.contains_key(&1));
    }
}
