//! What can be read of a file, however broken it is: every mistake of its YAML, and a tree of the rest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::layers::merge;
use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::source::{Place, SourceId};
use super::yaml::{Reach, Refusal, document};

/// Largest tenant file, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// Largest broken file of which more than the first mistake is told, in bytes: each further one costs another
/// reading of it all.
const RECOVERED_MAX: usize = 64 << 10;
/// Most readings of one broken file.
const READINGS_MAX: usize = 20;
/// The built-in defaults: the lowest layer.
pub const BUILTIN: &str = include_str!("builtin.yaml");
/// What messages call the file of the built-in defaults.
pub const BUILTIN_NAME: &str = "built-in defaults";

/// What could be read of a file.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What it says, without the sections that cannot be read.
    pub node: Node,
    /// What is wrong with it as YAML, in the order in which it was found.
    pub problems: Vec<Problem>,
    /// Whether the node is all that the file says: only then may a missing key be told.
    pub is_whole: bool,
}

/// Reads the built-in defaults.
///
/// # Errors
/// As [`parse`], which a test of the defaults excludes.
pub fn parse_builtin() -> Result<Node, Vec<Problem>> {
    parse(SourceId::FIRST, BUILTIN)
}

/// Reads one YAML document in which nothing is wrong. An empty file is an empty map.
///
/// # Errors
/// Every mistake of the YAML, each with its place: broken syntax, duplicate keys, unknown tags, several
/// documents, or a document over the bounds of the reader.
pub fn parse(source: SourceId, text: &str) -> Result<Node, Vec<Problem>> {
    let reading = read(source, text);
    if reading.problems.is_empty() { Ok(reading.node) } else { Err(reading.problems) }
}

/// Reads as much of a YAML document as can be read.
///
/// Where the syntax is broken, the rest of the section of the topmost level is set aside from the broken line
/// on, or the whole section where that does not do, and the remainder is read again.
#[must_use]
pub fn read(source: SourceId, text: &str) -> Reading {
    if text.len() > FILE_MAX {
        return nothing(source, vec![too_large(source, text.len())]);
    }
    let mut cuts: Vec<Cut> = Vec::new();
    for _ in 0..READINGS_MAX {
        let refusal = match document(source, &without(text, &cuts)) {
            Ok(node) => return finished(node, text, cuts),
            Err(refusal) => refusal,
        };
        if refusal.reach == Reach::Document || text.len() > RECOVERED_MAX {
            let mut problems = told(cuts);
            problems.push(refusal.problem);
            return nothing(source, problems);
        }
        if !cut(&mut cuts, text, *refusal) {
            break;
        }
    }
    nothing(source, told(cuts))
}

/// What is told of a file over [`FILE_MAX`].
pub(super) fn too_large(source: SourceId, bytes: usize) -> Problem {
    let message = format!("the file has {bytes} bytes, more than the {FILE_MAX} that are read");
    Problem::new(Place::start_of(source), message)
}

/// A stretch of a file that is set aside.
struct Cut {
    /// The mistake; `None` for what only follows from another one.
    problem: Option<Problem>,
    /// Whether it is wrong whatever stands before it.
    is_certain: bool,
    range: Range<usize>,
}

fn nothing(source: SourceId, problems: Vec<Problem>) -> Reading {
    Reading { node: Node::empty_map(Place::start_of(source)), problems, is_whole: false }
}

fn told(cuts: Vec<Cut>) -> Vec<Problem> {
    cuts.into_iter().filter_map(|cut| cut.problem).collect()
}

fn finished(mut node: Node, text: &str, cuts: Vec<Cut>) -> Reading {
    let is_whole = cuts.is_empty();
    let last_lines: Vec<u32> = cuts.iter().map(|cut| last_line(text, cut.range.start)).collect();
    if !is_whole {
        drop_open_ends(&mut node, &last_lines);
    }
    let mut problems = told(cuts);
    let node = united(node, &mut problems);
    Reading { node, problems, is_whole }
}

/// Sets aside what a refusal is about. `false` where nothing more can be set aside.
fn cut(cuts: &mut Vec<Cut>, text: &str, refusal: Refusal) -> bool {
    // What is missing at the very end belongs to the last line.
    let last = text.floor_char_boundary(text.len().saturating_sub(1));
    let at = (refusal.problem.place.start as usize).min(last);
    let section = section(text, at);
    let is_anchor = refusal.reach == Reach::Anchor;
    if let Some(known) = cuts.iter_mut().find(|cut| section.contains(&cut.range.start)) {
        if known.range == section {
            return false;
        }
        // What was left of the section breaks too: before the known place it is the cause of that one, unless
        // what closes a bracket or quote has just been set aside.
        let is_cause = known.problem.as_ref().is_none_or(|problem| refusal.problem.place < problem.place);
        if is_cause && !known.is_certain && !is_anchor {
            known.problem = Some(refusal.problem);
        }
        known.range = section;
        return true;
    }
    // What was refused further down was refused because of this: without it, reading may get past there.
    cuts.retain(|cut| cut.range.start < section.start);
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let range = line.max(section.start)..section.end;
    let problem = (cuts.is_empty() || !is_anchor).then_some(refusal.problem);
    cuts.push(Cut { problem, is_certain: refusal.reach == Reach::Itself, range });
    true
}

/// The section of the topmost level around a byte: from one line that is not indented to the next.
fn section(text: &str, at: usize) -> Range<usize> {
    let mut range = 0..text.len();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let is_top = !line.starts_with([' ', '\t', '#', '-', ']', '}', '\n', '\r']);
        if is_top && start <= at {
            range.start = start;
        } else if is_top {
            range.end = start;
            break;
        }
        start += line.len();
    }
    range
}

/// The text with blanks for what is set aside, so that every place stays what it is.
fn without<'t>(text: &'t str, cuts: &[Cut]) -> Cow<'t, str> {
    if cuts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    let mut done = 0;
    let mut ranges: Vec<_> = cuts.iter().map(|cut| cut.range.clone()).collect();
    ranges.sort_by_key(|range| range.start);
    for range in ranges {
        rest.push_str(&text[done..range.start]);
        rest.extend(text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        done = range.end;
    }
    rest.push_str(&text[done..]);
    Cow::Owned(rest)
}

/// Number of the last line before a byte that says something.
fn last_line(text: &str, at: usize) -> u32 {
    let says = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let number = text[..at].lines().enumerate().filter(|(_, line)| says(line)).last();
    number.map_or(0, |(index, _)| u32::try_from(index + 1).unwrap_or(u32::MAX))
}

/// Takes out the keys whose values were set aside: they would be told as empty.
fn drop_open_ends(node: &mut Node, last_lines: &[u32]) {
    match &mut node.value {
        Value::Map(entries) => {
            let is_open = |entry: &Entry| {
                matches!(entry.node.value, Value::Null) && last_lines.contains(&entry.key_place.line)
            };
            entries.retain(|entry| !is_open(entry));
            entries.iter_mut().for_each(|entry| drop_open_ends(&mut entry.node, last_lines));
        }
        Value::List(items) => {
            if items.last().is_some_and(|item| matches!(item.value, Value::Null)) {
                items.pop();
            }
            items.iter_mut().for_each(|item| drop_open_ends(item, last_lines));
        }
        _ => {}
    }
}

/// Puts keys that stand twice in one map together as layers are, and notes each with both places.
fn united(node: Node, problems: &mut Vec<Problem>) -> Node {
    let value = match node.value {
        Value::Map(entries) => {
            let mut known: HashMap<String, usize> = HashMap::with_capacity(entries.len());
            let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
            for entry in entries {
                let inner = united(entry.node, problems);
                let Some(first) = known.get(&entry.key).map(|index| &mut kept[*index]) else {
                    known.insert(entry.key.clone(), kept.len());
                    kept.push(Entry { node: inner, ..entry });
                    continue;
                };
                problems.push(
                    Problem::new(entry.key_place, format!("the key `{}` stands twice", entry.key))
                        .related(first.key_place, "it stands here already")
                        .help("keep one of them"),
                );
                let below = std::mem::replace(&mut first.node, Node::empty_map(entry.key_place));
                first.node = merge(below, inner);
            }
            Value::Map(kept)
        }
        Value::List(items) => Value::List(items.into_iter().map(|item| united(item, problems)).collect()),
        value => value,
    };
    Node { value, place: node.place }
}

#[cfg(test)]
mod tests {
    use super::super::source::Sources;
    use super::*;

    fn reading(text: &str) -> Reading {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml".into(), text.into());
        read(id, text)
    }

    /// Lines and messages of what is wrong, in the order of the file.
    fn lines(reading: &Reading) -> Vec<u32> {
        let mut lines: Vec<_> = reading.problems.iter().map(|problem| problem.place.line).collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn every_value_knows_its_place() {
        let node = reading("a: 1\nb:\n  c: [x, \"y\"]\n").node;
        let Value::Map(root) = node.value else { panic!("not a map") };
        assert_eq!((root[0].key_place.line, root[0].key_place.column), (1, 1));
        assert_eq!((root[0].node.place.line, root[0].node.place.column), (1, 4));
        let Value::Map(inner) = &root[1].node.value else { panic!("not a map") };
        let Value::List(items) = &inner[0].node.value else { panic!("not a list") };
        assert_eq!((items[1].place.line, items[1].place.column), (3, 10));
        assert_eq!((items[1].place.start, items[1].place.end), (17, 20));
    }

    #[test]
    fn every_duplicate_key_is_told_at_its_second_place() {
        let reading = reading("a: 1\nb: {x: 1, x: 2}\na: 3\nc:\n  - d: 1\n    d: 2\na: 4\n");
        assert_eq!(lines(&reading), [2, 3, 6, 7]);
        assert!(reading.is_whole, "nothing of it is missing");
    }

    #[test]
    fn what_stands_under_a_key_twice_is_put_together() {
        let reading = reading("a: {x: 1}\na: {y: 2, y: 3}\n");
        assert_eq!(reading.node.to_json(), serde_json::json!({ "a": { "x": 1, "y": 3 } }));
        assert_eq!(reading.problems.len(), 2);
    }

    #[test]
    fn the_sections_around_a_broken_one_are_read() {
        let reading = reading("a: 1\nb:\n  x: 1\n\ty: 2\nc: [3, 4\nd: 5\ne: 'f\n");
        assert_eq!(reading.node.to_json(), serde_json::json!({ "a": 1, "b": { "x": 1 }, "d": 5 }));
        assert_eq!(lines(&reading), [4, 5, 7]);
        assert!(!reading.is_whole);
    }

    #[test]
    fn what_only_follows_from_a_mistake_is_not_told() {
        // The quote in line 1 closes in line 2, where the parser stumbles.
        let reading = self::reading("a: \"x\nb: \"off\"\nc: 1\n");
        assert_eq!(lines(&reading), [1]);
        assert_eq!(reading.node.to_json(), serde_json::json!({ "b": "off", "c": 1 }));
        // The anchor is set aside with the section that it stands in.
        let reading = self::reading("a: 1\nb: &x [1\nc: *x\nd: 2\n");
        assert_eq!(lines(&reading), [2]);
        assert_eq!(reading.node.to_json(), serde_json::json!({ "a": 1, "d": 2 }));
    }

    #[test]
    fn a_key_whose_value_is_set_aside_is_not_empty() {
        let reading = reading("a:\n  b:\n    # one\n\tc: 1\nd: 2\n");
        assert_eq!(reading.node.to_json(), serde_json::json!({ "a": {}, "d": 2 }));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (name, before) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
            let list = vec![format!("*{before}"); 10].join(", ");
            text.push_str(&format!("{name}: &{name} [{list}]\n"));
        }
        assert_eq!(reading(&text).problems.len(), 1);
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        for text in ["", "# only a comment\n", "---\n"] {
            let reading = reading(text);
            assert!(reading.is_whole && reading.problems.is_empty(), "{text:?}");
            assert!(matches!(reading.node.value, Value::Map(entries) if entries.is_empty()), "{text:?}");
        }
    }
}
