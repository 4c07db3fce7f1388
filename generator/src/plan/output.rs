//! Plans as text for people: on a terminal, and as Markdown for a comment on a pull request.

use serde_json::Value;

use super::overview::{Block, Item, Overview, Shared, TenantPlan};
use super::page::PageChange;
use super::preview::{Entry, Found, Lost, Outcome, Shown, Widened};

/// Longest comment that GitHub takes, in characters. Bytes are counted, of which there are never fewer.
pub const COMMENT_LIMIT: usize = 65_536;
/// Most of that for one section before the changes, in bytes.
const SECTION: usize = 8_000;
/// Most of it for one block of changes, in bytes.
const BLOCK: usize = 20_000;
/// Kept free for the end, in bytes.
const TAIL: usize = 600;
/// Longest value that is shown, in characters.
const VALUE: usize = 160;
/// Most names in a list of tenants.
const NAMES: usize = 20;
/// Most tenants whose stacks are listed one by one on a terminal.
const LISTED: usize = 12;

/// The plan for a terminal.
#[must_use]
pub fn human(overview: &Overview, plans: &[TenantPlan]) -> String {
    let mut text = format!("{}\n", headline(overview));
    if plans.len() <= LISTED {
        for plan in plans {
            let account =
                plan.account.as_ref().map_or_else(String::new, |account| format!(" in account {account}"));
            text.push_str(&format!("{}{account}\n", plan.tenant));
            for stack in &plan.stacks {
                let outcome = outcome(&stack.outcome, stack.resources.len());
                text.push_str(&format!("  {}  {}  {outcome}\n", stack.name, stack.region));
            }
        }
    }
    for block in &overview.blocks {
        text.push_str(&format!("\n{}\n", title(block, overview)));
        block_lines(block).iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    for (title, lines) in sections(overview) {
        text.push_str(&format!("\n{}\n", title.to_lowercase()));
        lines.iter().for_each(|line| text.push_str(&format!("  {}\n", line.replace('\n', "\n  "))));
    }
    if !overview.changed.is_empty() {
        text.push_str(&format!("\n{}\n", totals(overview)));
    }
    text
}

/// The plan as Markdown of at most `limit` bytes, whatever the fleet.
#[must_use]
pub fn markdown(overview: &Overview, limit: usize) -> String {
    let mut text = format!("## Deployment plan\n\n**{}.**", headline(overview));
    if overview.changed.is_empty() {
        text.push('\n');
    } else {
        text.push_str(&format!(" {}.\n", totals(overview)));
    }
    for (title, lines) in sections(overview) {
        text.push_str(&format!("\n### {title}\n\n"));
        let lines: Vec<String> =
            lines.iter().map(|line| format!("- {}", line.replace('\n', "\n  "))).collect();
        text.push_str(&within(&lines, SECTION, "more"));
    }
    let mut left = overview.blocks.len();
    let mut shown = 0;
    for block in &overview.blocks {
        let body = within(&block_lines(block), BLOCK, "more lines");
        // A fence longer than any run of backticks within.
        let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let part = format!("\n### {}\n\n{fence}text\n{body}{fence}\n", title(block, overview));
        if text.len() + part.len() + TAIL > limit {
            break;
        }
        text.push_str(&part);
        left -= 1;
        shown += 1;
    }
    if left > 0 {
        let mut tenants: Vec<&String> =
            overview.blocks[shown..].iter().flat_map(|block| &block.tenants).collect();
        tenants.sort_unstable();
        tenants.dedup();
        text.push_str(&format!(
            "\n{} more in {} are left out, as a comment holds no more; `generator plan --tenant NAME` shows them.\n",
            counted(left, "difference"),
            counted(tenants.len(), "tenant")
        ));
    }
    text
}

fn headline(overview: &Overview) -> String {
    let failed = overview.tenants - overview.changed.len() - overview.unchanged;
    let mut text = match (overview.changed.len(), overview.tenants) {
        (0, all) if failed == 0 => return format!("no changes in {}", counted(all, "tenant")),
        (changed, all) => format!("{changed} of {} would change", counted(all, "tenant")),
    };
    if overview.unchanged > 0 {
        text.push_str(&format!(", {} unchanged", overview.unchanged));
    }
    if failed > 0 {
        text.push_str(&format!(", {failed} without a plan"));
    }
    text
}

fn totals(overview: &Overview) -> String {
    let totals = overview.totals;
    format!(
        "{} to add, {} to change, {} to replace, {} to remove",
        totals.add, totals.change, totals.replace, totals.remove
    )
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Names of tenants, a few of many.
fn names(tenants: &[String]) -> String {
    let shown: Vec<String> = tenants.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    match tenants.len().saturating_sub(NAMES) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn title(block: &Block, overview: &Overview) -> String {
    let tenants = names(&block.tenants);
    // What less than half of the changing tenants have is odd.
    let word = if block.tenants.len() * 2 < overview.changed.len() { "Only in" } else { "In" };
    match block.tenants.len() {
        1 => format!("{word} {tenants}"),
        count => format!("{word} {count} tenants: {tenants}"),
    }
}

/// Lines up to a number of bytes, and how many were left out.
fn within(lines: &[String], limit: usize, rest: &str) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if text.len() + line.len() > limit {
            text.push_str(&format!("… and {} {rest}\n", lines.len() - index));
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Everything that deserves a look of its own, before the changes themselves.
fn sections(overview: &Overview) -> Vec<(&'static str, Vec<String>)> {
    let all = [
        ("Without a plan", lines(&overview.failed, |reason| reason.clone())),
        ("To be mended before anything is written", lines(&overview.hindrances, |reason| reason.clone())),
        ("Data that would be lost", lines(&overview.losses, lost)),
        ("Permissions that would be widened", lines(&overview.permissions, widened)),
        ("Policies", lines(&overview.findings, found)),
        ("Files of pages", lines(&overview.pages, files)),
    ];
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

fn lines<T>(all: &[Shared<T>], line: impl Fn(&T) -> String) -> Vec<String> {
    all.iter().map(|shared| format!("{} (in {})", line(&shared.what), names(&shared.tenants))).collect()
}

fn lost(lost: &Lost) -> String {
    let kept = if lost.retained { "; the old one stays outside of the stack" } else { "" };
    format!("{}/{} ({}) {}{kept}", lost.stack, lost.logical_id, lost.kind, lost.how)
}

fn widened(widened: &Widened) -> String {
    let resource = format!("{}/{}", widened.stack, widened.logical_id);
    match &widened.grant {
        None => format!("{resource}: what it would allow cannot be worked out"),
        Some([who, what, on, condition]) => {
            let who =
                if who.is_empty() { String::new() } else { format!(" to {}", value(&who.as_str().into())) };
            let only = if condition.is_empty() { String::new() } else { format!(", where {condition}") };
            format!("{resource} would allow {what} on {}{who}{only}", value(&on.as_str().into()))
        }
    }
}

fn found(found: &Found) -> String {
    let place = match (&found.stack, &found.resource) {
        (Some(stack), Some(resource)) => format!("{stack}/{resource}"),
        (Some(stack), None) => stack.clone(),
        _ => "settings".into(),
    };
    let file = found.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    format!("{} {} {place}{file}: {}; {}", found.verdict, found.policy, found.message, found.fix)
}

fn files(page: &PageChange) -> String {
    let list = |mark: &str, keys: &[String]| -> String {
        keys.iter().map(|key| format!("\n{mark} {key}")).collect::<Vec<_>>().concat()
    };
    let all = format!("{}{}", list("+", &page.written), list("-", &page.removed));
    format!("`{}`: {} as they should be{all}", page.path, page.unchanged)
}

fn outcome(outcome: &Outcome, resources: usize) -> String {
    let count = counted(resources, "resource");
    match outcome {
        Outcome::Unchanged => "no changes".into(),
        Outcome::Create => format!("would be created, {count}"),
        Outcome::Update => format!("would be changed, {count}"),
        Outcome::Remake => format!("would be deleted and made again, {count}"),
        Outcome::Blocked => "cannot be deployed as it stands".into(),
    }
}

fn block_lines(block: &Block) -> Vec<String> {
    let mut lines = Vec::new();
    let mut stack = "";
    for item in &block.items {
        if item.stack() != stack {
            stack = item.stack();
            lines.push(format!("{stack} stack"));
        }
        item_lines(item).into_iter().for_each(|line| lines.push(format!("  {line}")));
    }
    lines
}

fn item_lines(item: &Item) -> Vec<String> {
    match item {
        Item::Stack { outcome: Outcome::Remake, .. } => {
            vec!["! deleted and made again, as its first creation failed".into()]
        }
        Item::Stack { .. } => vec!["+ the whole stack".into()],
        Item::Resource(entry) => resource_lines(entry),
        Item::Parameter { shown, .. } => vec![format!("parameter {}", change(shown))],
        Item::Tag { shown, .. } => vec![format!("tag {}", change(shown))],
        Item::Output { shown, .. } => vec![format!("output {}", change(shown))],
        Item::Note { text, .. } => vec![format!("# {text}")],
    }
}

fn resource_lines(entry: &Entry) -> Vec<String> {
    let mark = match entry.action.as_str() {
        "add" => "+",
        "remove" => "-",
        "replace" => "-/+",
        "may-replace" | "dynamic" => "~?",
        "import" => ">",
        _ => "~",
    };
    let mut head = format!("{mark} {} ({})", entry.logical_id, entry.kind);
    match entry.action.as_str() {
        "replace" => head.push_str(" replaced"),
        "may-replace" => head.push_str(" perhaps replaced"),
        "dynamic" => head.push_str(" decided while executing"),
        _ => {}
    }
    if !entry.forced_by.is_empty() {
        head.push_str(&format!(", forced by {}", entry.forced_by.join(", ")));
    }
    if entry.retained && ["replace", "may-replace", "remove"].contains(&entry.action.as_str()) {
        head.push_str("; the old one stays outside of the stack");
    }
    let mut lines = vec![head];
    lines.extend(entry.properties.iter().map(|shown| format!("    {}", change(shown))));
    let explained = entry.properties.iter().any(|shown| shown.before.is_some() || shown.after.is_some());
    if !entry.causes.is_empty() && !explained {
        lines.push(format!("    follows {}", entry.causes.join(", ")));
    }
    lines
}

fn change(shown: &Shown) -> String {
    let path = &shown.path;
    match (&shown.before, &shown.after) {
        (None, None) => path.clone(),
        (None, Some(after)) => format!("{path}: + {}", value(after)),
        (Some(before), None) => format!("{path}: - {}", value(before)),
        (Some(before), Some(after)) => format!("{path}: {} -> {}", value(before), value(after)),
    }
}

/// A value on one line, cut where it is long.
fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE) {
        None => text,
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
    }
}

#[cfg(test)]
mod tests;
