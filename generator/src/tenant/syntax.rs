//! What is told of broken YAML: in our words, at the place where it is to be mended.

use serde_saphyr::Error;
use serde_saphyr::localizer::ExternalMessageSource;

use super::problem::Problem;
use super::source::Place;

/// What is told of a mistake that the parser found at a place of a text.
pub(super) fn told(error: &Error, text: &str, place: Place) -> Problem {
    match error {
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            // The type of the parser's own mistakes has no name here; the name of the mistake is what counts.
            ExternalMessageSource::Parser(mistake) => scanned(&format!("{:?}", mistake.kind()), text, place),
            _ => other(place),
        },
        Error::UnknownAnchor { .. } => Problem::new(place, "no anchor of this name stands above")
            .help("write `&name` before the value that `*name` repeats"),
        Error::UnsupportedTag { tag, .. } => {
            Problem::new(place, format!("the tag `{tag}` means nothing here"))
                .help("take it out: every setting knows its own type")
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } | Error::MergeKeyNotAllowed { .. } => {
            Problem::new(place, "`<<` merges maps, and nothing else")
                .help("write `<<: *name`, where `&name` is a map")
        }
        Error::NullIntoString { .. } | Error::Unexpected { .. } => {
            Problem::new(place, "a key must be a text").help("write `key: value`, the key without brackets")
        }
        _ => other(place),
    }
}

/// Whether a mistake is one whatever stands before it: no open bracket or quote explains a tab.
pub(super) fn is_certain(error: &Error) -> bool {
    let Error::ExternalMessage { source, .. } = error else { return false };
    matches!(source.as_ref(), ExternalMessageSource::Parser(mistake)
        if TABS.contains(&format!("{:?}", mistake.kind()).as_str()))
}

/// The scanner's names for a tab that indents.
const TABS: [&str; 4] = ["TabInBlockIndentation", "TabInIndentation", "TabNotAllowed", "TabInPlainScalar"];

/// What is told of a mistake that nobody makes by hand.
fn other(place: Place) -> Problem {
    Problem::new(place, "this cannot be read as YAML")
        .help("look for a missing quote, bracket or `:` here and in the line above")
}

/// What is told of a mistake of the scanner, by its name there.
fn scanned(mistake: &str, text: &str, place: Place) -> Problem {
    let name = mistake.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let line = Line::of(text, place);
    match name {
        tab if TABS.contains(&tab) => {
            Problem::new(first_tab(text, place), "a tab cannot indent a line").help("indent with blanks")
        }
        "TabAtBlockScalarStart" => {
            Problem::new(place, "the text below begins with a tab").help("indent it with blanks")
        }
        "UnclosedQuotedScalar" | "DocumentIndicatorInQuotedScalar" => {
            Problem::new(place, "the quote that opens here is never closed")
                .help("close it at the end of the text")
        }
        "InvalidTrailingSingleQuotedScalar" | "InvalidTrailingDoubleQuotedScalar" => {
            Problem::new(place, "something stands behind the closing quote")
                .help("put all of the text between the quotes; within single quotes write `''` for one")
        }
        "InvalidQuotedScalarIndent" => Problem::new(place, "the quoted text goes on too far left")
            .help("indent its further lines deeper than its key, or close the quote"),
        "UnclosedFlowCollection" => {
            let bracket = line.at(place).unwrap_or('[');
            Problem::new(place, format!("the `{bracket}` that opens here is never closed"))
                .help(format!("close it with `{}`", closing(bracket)))
        }
        "MismatchedFlowCollectionEnd" => {
            let bracket = line.at(place).unwrap_or('[');
            Problem::new(
                place,
                format!("the `{bracket}` that opens here is closed by another kind of bracket"),
            )
            .help(format!("close it with `{}`", closing(bracket)))
        }
        "MisplacedFlowCollectionEnd" => Problem::new(place, "a bracket closes that was never opened")
            .help("take it out, or put the text in quotes"),
        "ExpectedFlowSequenceSeparator" | "ExpectedFlowMappingSeparator" | "InvalidColonPlacement" => {
            Problem::new(place, "a `,` or a closing bracket is missing before this")
                .help("part the items of `[…]` and `{…}` by commas, and close the bracket")
        }
        "UnexpectedEofImplicitFlowMapping" | "UnexpectedEofBlockMapping" if line.at(place) == Some(',') => {
            Problem::new(place, "a `,` stands where a value should").help("take it out, or put it in quotes")
        }
        "MappingValueNotAllowed" | "InvalidMappingValueWhitespace" if line.has_colon_before(place) => {
            Problem::new(place, "a second `: ` stands in one line").help("put the value in quotes")
        }
        "MappingValueNotAllowed"
        | "InvalidMappingValueWhitespace"
        | "SimpleKeyExpected"
        | "InvalidSimpleKey" => {
            Problem::new(line.first_word(place), "a key stands where the line above it goes on")
                .help("indent it as its neighbours are, and end the key above with `:` and a blank")
        }
        "ExpectedBlockMappingKey" | "ExpectedBlockSequenceEntry" | "BlockSequenceEntryNotAllowed" => {
            if line.begins_with_dash() || name == "BlockSequenceEntryNotAllowed" {
                Problem::new(place, "an item of a list stands where a key should")
                    .help("begin the list in a line of its own, under its key")
            } else if name == "ExpectedBlockSequenceEntry" {
                Problem::new(place, "a key stands where an item of a list should")
                    .help("begin the item with `- `, or indent the key as its neighbours are")
            } else {
                Problem::new(place, "the line is indented unlike any line above it")
                    .help("indent it as its neighbours are")
            }
        }
        "InvalidIndentation" | "InvalidFlowScalarIndent" | "InvalidBlockScalarIndent" => {
            Problem::new(place, "the line is indented unlike any line above it")
                .help("indent it as its neighbours are")
        }
        "ExpectedDocumentStart" => Problem::new(place, "the line stands further left than the first one")
            .help("begin every key of the topmost level in the first column"),
        "UnexpectedCharacter" => {
            let shown = line.at(place).map(|c| c.escape_debug().to_string()).unwrap_or_default();
            Problem::new(place, format!("no text begins with `{shown}`")).help("put the text in quotes")
        }
        "UnknownQuotedScalarEscape"
        | "InvalidQuotedScalarHexEscape"
        | "InvalidLowSurrogateHexEscape"
        | "InvalidLowSurrogate"
        | "MissingLowSurrogate"
        | "UnpairedLowSurrogate"
        | "InvalidUnicodeEscape" => {
            Problem::new(place, "the quoted text has a `\\` that escapes nothing known")
                .help("write `\\\\`, or put the text in single quotes, where `\\` is itself")
        }
        "CommentNotSeparated" | "CommentInterceptedScalar" => {
            Problem::new(place, "a comment stands in the middle of a value")
                .help("put a blank before the `#`, or quote the text")
        }
        "MissingAnchorOrAliasName" => Problem::new(place, "`&` and `*` must name an anchor")
            .help("put the text in quotes, if it is one"),
        "InvalidBlockScalarHeader" | "ZeroBlockScalarIndent" => {
            Problem::new(place, "after `|` or `>` the text begins in the next line")
                .help("move it there, or write it in quotes")
        }
        _ => other(place),
    }
}

fn closing(bracket: char) -> char {
    if bracket == '{' { '}' } else { ']' }
}

/// The line of a text that a place stands in.
struct Line<'t> {
    text: &'t str,
    /// Byte of the whole text at which it begins.
    start: usize,
}

impl<'t> Line<'t> {
    fn of(text: &'t str, place: Place) -> Self {
        let at = (place.start as usize).min(text.len());
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let length = text[start..].find('\n').unwrap_or(text.len() - start);
        Self { text: &text[start..start + length], start }
    }

    fn before(&self, place: Place) -> &'t str {
        self.text.get(..place.start as usize - self.start).unwrap_or_default()
    }

    /// The character at the place.
    fn at(&self, place: Place) -> Option<char> {
        self.text.get(place.start as usize - self.start..)?.chars().next()
    }

    fn has_colon_before(&self, place: Place) -> bool {
        let before = self.before(place);
        before.contains(": ") || before.trim_end().ends_with(':')
    }

    /// What the line begins with, up to the place.
    fn first_word(&self, place: Place) -> Place {
        let blanks = self.text.len() - self.text.trim_start().len();
        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let start = narrow(self.start + blanks);
        if start >= place.start {
            return place;
        }
        let column = narrow(self.text[..blanks].chars().count() + 1);
        Place { start, end: place.start, column, ..place }
    }

    fn begins_with_dash(&self) -> bool {
        self.text.trim_start().starts_with('-')
    }
}

/// The first tab from the line of a place on: the scanner tells of the place behind it, or of the text before.
fn first_tab(text: &str, place: Place) -> Place {
    let line = Line::of(text, place).start;
    let Some(tab) = text[line..].find('\t').map(|at| line + at) else { return place };
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let begin = text[..tab].rfind('\n').map_or(0, |end| end + 1);
    Place {
        start: narrow(tab),
        end: narrow(tab + 1),
        line: place.line + narrow(text[line..tab].matches('\n').count()),
        column: narrow(text[begin..tab].chars().count() + 1),
        ..place
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::parse;
    use super::super::source::Sources;

    fn first(text: &str) -> (String, u32, u32) {
        let mut sources = Sources::default();
        let id = sources.add("t.yaml".into(), text.into());
        let problem = parse(id, text).expect_err(text).into_iter().next().expect("a problem");
        (problem.message, problem.place.line, problem.place.column)
    }

    #[test]
    fn common_mistakes_are_told_in_our_words_where_they_are_to_be_mended() {
        for (text, message, line, column) in [
            ("cookies:\n\tminutes: 60\n", "a tab cannot indent a line", 2, 1),
            ("a:\n  b: 1\n\t  c: 2\n", "a tab cannot indent a line", 3, 1),
            ("a: [\n\tb]\n", "a tab cannot indent a line", 2, 1),
            ("a: \"one\nb: 2\n", "the quote that opens here is never closed", 1, 4),
            ("a: \"x\nb: \"off\"\n", "the quote that opens here is never closed", 1, 4),
            ("a: 'x' y\n", "something stands behind the closing quote", 1, 8),
            ("a: [x, y\nb: 2\n", "the `[` that opens here is never closed", 1, 4),
            ("a: {x: 1\nb: 2\n", "the `{` that opens here is never closed", 1, 4),
            ("a: [x}\n", "the `[` that opens here is closed by another kind of bracket", 1, 4),
            ("a: ]\n", "a bracket closes that was never opened", 1, 4),
            ("a: [a b: c d: e]\n", "a `,` or a closing bracket is missing before this", 1, 13),
            ("a: ,\n", "a `,` stands where a value should", 1, 4),
            ("a: b: c\n", "a second `: ` stands in one line", 1, 5),
            ("a: it's: x\n", "a second `: ` stands in one line", 1, 8),
            ("a\nb: 1\n", "a key stands where the line above it goes on", 2, 1),
            ("a: 1\n b: 2\n", "a key stands where the line above it goes on", 2, 2),
            ("a:\n  b: 1\n c: 2\n", "the line is indented unlike any line above it", 3, 2),
            ("a:\n  - x\n  b: 1\n", "a key stands where an item of a list should", 3, 3),
            ("a: 1\n- b\n", "an item of a list stands where a key should", 2, 3),
            (" a: 1\nb: 2\n", "the line stands further left than the first one", 2, 1),
            ("a: @x\n", "no text begins with `@`", 1, 4),
            ("a: \"\\q\"\n", "the quoted text has a `\\` that escapes nothing known", 1, 4),
            ("a: 'x'#y\n", "a comment stands in the middle of a value", 1, 7),
            ("a: *\n", "`&` and `*` must name an anchor", 1, 4),
            ("a: *x\n", "no anchor of this name stands above", 1, 4),
            ("a: | x\n  y\n", "after `|` or `>` the text begins in the next line", 1, 4),
            ("? [a]\n: 1\n", "a key must be a text", 1, 3),
            ("~: a\n", "a key must be a text", 1, 1),
            ("<<: x\n", "`<<` merges maps, and nothing else", 1, 5),
            ("a: !!int x\n", "this cannot be read as YAML", 1, 10),
        ] {
            assert_eq!(first(text), (message.to_string(), line, column), "{text:?}");
        }
    }
}
