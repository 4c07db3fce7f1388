//! A value that another component has, or that the tenant file names because it exists already.

use serde::ser::{Serialize, Serializer};

use crate::program::output::Output;
use crate::tenant::decode::Setting;

/// A value of a resource that a component makes, or of one that was there before.
#[derive(Debug)]
pub enum Given<T> {
    /// Known once the resource is made.
    Made(Output<T>),
    /// Named in the tenant file.
    Brought(Setting<String>),
}

impl<T> Clone for Given<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Made(output) => Self::Made(output.clone()),
            Self::Brought(setting) => Self::Brought(setting.clone()),
        }
    }
}

impl<T> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Made(output) => output.serialize(serializer),
            Self::Brought(setting) => setting.serialize(serializer),
        }
    }
}

/// A setting that is there: its value without the option around it.
pub(super) fn brought<T: ToString>(
    setting: &Setting<Option<T>>,
    value: impl FnOnce(String) -> String,
) -> Option<Setting<String>> {
    let text = setting.as_ref().map(ToString::to_string)?;
    Some(setting.derive(|_| value(text)))
}
