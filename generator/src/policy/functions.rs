//! What conditions can call beyond the language's own: helpers for CloudFormation's habits, and the meter.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use cel::common::types::{CelBool, CelList, CelMap, CelNull, CelString, DYN_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::directory::Directory;
use super::facts::{Answer as Found, Pattern};
use super::path::{IF, NO_VALUE};
use super::value::{get, key_text};

/// `list(x)`: a list as it is, nothing as an empty list, anything else as a list of one.
pub(super) const LIST: &str = "list";
/// `choices(x)`: as `list(x)`, but all that each `Fn::If` chooses between stands in its place, and lists in lists are
/// opened.
pub(super) const CHOICES: &str = "choices";
/// `text(x)`: a text, or what stands in `Fn::Sub`, `Ref` or `Fn::GetAtt`; of anything else the empty text.
pub(super) const TEXT: &str = "text";
/// `texts(x)`: every text within a value, keys not included.
pub(super) const TEXTS: &str = "texts";
/// `keys(x)`: the keys of a map of the document, in order.
pub(super) const KEYS: &str = "keys";
/// `resource_type(x)`: the type of the resource of the same template that a `Ref` or `Fn::GetAtt` leads to.
pub(super) const RESOURCE_TYPE: &str = "resource_type";
/// `referred_by('AWS::…', 'Property')`: whether a resource of that type refers so to the one that is judged.
pub(super) const REFERRED_BY: &str = "referred_by";
/// `is_edge()`: whether the resource belongs to a function that a distribution of the stack runs.
pub(super) const IS_EDGE: &str = "is_edge";
/// `foreign(x)`: names within a value that belong to another tenant.
pub(super) const FOREIGN: &str = "foreign";
/// What `foreign` becomes: with the directory beside it.
pub(super) const FOREIGN_IN: &str = "@foreign";
/// `x.matches('…')`: whether a text matches a pattern somewhere.
pub(super) const MATCHES: &str = "matches";
/// What `matches` becomes: with the compiled pattern beside it.
pub(super) const MATCHES_IN: &str = "@matches";
/// `matching(x, '…')`: the texts within a value that match a pattern.
pub(super) const MATCHING: &str = "matching";
/// What `matching` becomes: with the compiled pattern beside it.
pub(super) const MATCHING_IN: &str = "@matching";
/// What stands around the range of a comprehension.
pub(super) const CHARGE: &str = "@charge";

/// Types of the values below; conditions cannot name them.
static OURS: Type = Type::new_unspecified_type("generator");

/// Counts the steps of one evaluation's comprehensions.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

/// Most items that the comprehensions of one evaluation may go over, nested ones multiplied.
pub(super) const STEPS_MAX: u64 = 100_000;

impl Meter {
    fn charge(&self, items: u64) -> Result<(), ExecutionError> {
        let before = self.0.fetch_add(items, Ordering::Relaxed);
        if before.saturating_add(items) > STEPS_MAX {
            let message = format!("the condition goes over more than {STEPS_MAX} items");
            return Err(ExecutionError::function_error("bound", message));
        }
        Ok(())
    }
}

/// The names of all tenants.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// All of them.
    pub(super) directory: Arc<Directory>,
    /// The tenant that is judged.
    pub(super) tenant: String,
}

macro_rules! value {
    ($type:ty) => {
        impl Val for $type {
            fn get_type(&self) -> &Type {
                &OURS
            }

            fn cel_type() -> &'static Type {
                &OURS
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                Box::new(self.clone())
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $type {}
    };
}

value!(Meter);
value!(Pattern);
value!(Names);

/// The language with these functions; `None` where the library refuses a declaration, which a test excludes.
#[must_use]
pub(super) fn environment() -> Option<Arc<Env>> {
    static BUILT: OnceLock<Option<Arc<Env>>> = OnceLock::new();
    BUILT.get_or_init(|| build().ok().map(Arc::new)).clone()
}

fn build() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_overload(LIST, "generator_list", vec![DYN_TYPE], list)?;
    env.add_overload(CHOICES, "generator_choices", vec![DYN_TYPE], choices)?;
    env.add_overload(TEXT, "generator_text", vec![DYN_TYPE], text)?;
    env.add_overload(TEXTS, "generator_texts", vec![DYN_TYPE], texts)?;
    env.add_overload(FOREIGN_IN, "generator_foreign", vec![DYN_TYPE, DYN_TYPE], foreign)?;
    env.add_overload(MATCHES_IN, "generator_matches", vec![DYN_TYPE, DYN_TYPE], matches)?;
    env.add_overload(MATCHING_IN, "generator_matching", vec![DYN_TYPE, DYN_TYPE], matching)?;
    env.add_overload(CHARGE, "generator_charge", vec![DYN_TYPE, DYN_TYPE], charge)?;
    Ok(env)
}

type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn list<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let value = args.swap_remove(0);
    if value.downcast_ref::<CelList>().is_some() {
        return Ok(value);
    }
    let items = if value.downcast_ref::<CelNull>().is_some() { Vec::new() } else { vec![value.into_owned()] };
    Ok(CowVal::owned(CelList::from(items)))
}

fn choices<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let mut found: Vec<Box<dyn Val + 'v>> = Vec::new();
    if args[0].downcast_ref::<CelNull>().is_none() {
        each_choice(&*args[0], &mut |value| found.push(value.clone_as_boxed()));
    }
    Ok(CowVal::owned(CelList::from(found)))
}

fn each_choice<'v>(value: &(dyn Val + 'v), f: &mut dyn FnMut(&(dyn Val + 'v))) {
    if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().iter().for_each(|item| each_choice(&**item, f));
        return;
    }
    let only = value.downcast_ref::<CelMap>().filter(|map| map.inner().len() == 1);
    let is_nothing = |map: &CelMap<'_>| text_at(map, "Ref").is_some_and(|name| name == NO_VALUE);
    match only.map(|map| (map, get(map, IF).and_then(|branches| branches.downcast_ref::<CelList>()))) {
        // The first says when which of the others is chosen.
        Some((_, Some(branches))) => branches.inner().iter().skip(1).for_each(|item| each_choice(&**item, f)),
        Some((map, None)) if is_nothing(map) => {}
        _ => f(value),
    }
}

fn text_at<'a>(map: &'a CelMap<'a>, key: &str) -> Option<&'a str> {
    Some(get(map, key)?.downcast_ref::<CelString>()?.inner())
}

fn text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    Ok(CowVal::owned(CelString::from(text_of(&*args[0]))))
}

fn text_of(value: &dyn Val) -> String {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return text.inner().to_string();
    }
    let Some(map) = value.downcast_ref::<CelMap>() else { return String::new() };
    let inner = ["Fn::Sub", "Ref", "Fn::GetAtt"].iter().find_map(|function| get(map, function));
    match inner {
        Some(inner) => match inner.downcast_ref::<CelList>() {
            Some(list) => {
                let parts: Vec<String> = list.inner().iter().map(|part| text_of(&**part)).collect();
                parts.join(".")
            }
            None => text_of(inner),
        },
        None => String::new(),
    }
}

fn texts<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let mut found = Vec::new();
    each_text(&*args[0], &mut |text| found.push(text.to_string()));
    Ok(Found::Texts(found).value())
}

fn each_text(value: &dyn Val, f: &mut dyn FnMut(&str)) {
    if let Some(text) = value.downcast_ref::<CelString>() {
        f(text.inner());
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().iter().for_each(|item| each_text(&**item, f));
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut keys: Vec<&str> = map.inner().keys().filter_map(key_text).collect();
        keys.sort_unstable();
        keys.into_iter().filter_map(|key| get(map, key)).for_each(|item| each_text(item, f));
    }
}

fn foreign<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let names = args[1].downcast_ref::<Names>();
    let names = names.ok_or_else(|| ExecutionError::function_error(FOREIGN, "no tenants are known"))?;
    let mut found = Vec::new();
    each_text(&*args[0], &mut |text| names.directory.foreign(&names.tenant, text, &mut found));
    found.sort_unstable();
    found.dedup();
    Ok(Found::Texts(found).value())
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    match (args[0].downcast_ref::<CelString>(), args[1].downcast_ref::<Pattern>()) {
        (Some(text), Some(pattern)) => Ok(CowVal::owned(CelBool::from(pattern.regex.is_match(text.inner())))),
        (None, _) => {
            let kind = args[0].get_type().name().to_string();
            Err(ExecutionError::function_error("matches", format!("a {kind} stands where a text is matched")))
        }
        (_, None) => Err(ExecutionError::function_error("matches", "the pattern is not compiled")),
    }
}

fn matching<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let pattern = args[1].downcast_ref::<Pattern>();
    let pattern =
        pattern.ok_or_else(|| ExecutionError::function_error("matching", "the pattern is not compiled"))?;
    let mut found = Vec::new();
    each_text(&*args[0], &mut |text| {
        if pattern.regex.is_match(text) {
            found.push(text.to_string());
        }
    });
    Ok(Found::Texts(found).value())
}

fn charge<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let items = if let Some(list) = args[0].downcast_ref::<CelList>() {
        list.inner().len()
    } else if let Some(map) = args[0].downcast_ref::<CelMap>() {
        map.inner().len()
    } else {
        0
    };
    if let Some(meter) = args[1].downcast_ref::<Meter>() {
        // One more, so that empty ranges within a long one count as well.
        meter.charge(u64::try_from(items).unwrap_or(u64::MAX).saturating_add(1))?;
    }
    Ok(args.swap_remove(0))
}
