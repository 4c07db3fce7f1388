//! One object, for tests of what several writers share.

use std::sync::{Arc, Mutex};

use super::{Condition, Conditional, Tagged};
use crate::aws::{AwsError, Boxed};

/// Bytes, and how often they were written.
type Written = (Vec<u8>, u32);

/// One object, whatever the key, and what happens to those who write it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OneObject {
    /// What it holds.
    pub(crate) object: Arc<Mutex<Option<Written>>>,
    /// Whether the next write succeeds but is answered with a refusal, as a repeated attempt would be.
    pub(crate) loses_answer: Arc<Mutex<bool>>,
    /// How many writes somebody else is quicker than.
    pub(crate) rivals: Arc<Mutex<u32>>,
}

impl OneObject {
    /// The object with these bytes.
    pub(crate) fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Self { object: Arc::new(Mutex::new(Some((bytes.into(), 1)))), ..Self::default() }
    }

    fn write(object: &mut Option<Written>, bytes: Vec<u8>) -> u32 {
        let tag = object.as_ref().map_or(1, |(_, tag)| tag + 1);
        *object = Some((bytes, tag));
        tag
    }
}

impl Conditional for OneObject {
    fn tagged<'a>(&'a self, _: &'a str, _: &'a str) -> Boxed<'a, Result<Option<Tagged>, AwsError>> {
        let object = self.object.lock().unwrap().clone();
        Box::pin(async move { Ok(object.map(|(bytes, tag)| Tagged { bytes, tag: tag.to_string() })) })
    }

    fn put_if<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        bytes: Vec<u8>,
        condition: Condition<'a>,
    ) -> Boxed<'a, Result<Option<String>, AwsError>> {
        let (mut object, mut rivals) = (self.object.lock().unwrap(), self.rivals.lock().unwrap());
        if *rivals > 0 {
            *rivals -= 1;
            Self::write(&mut object, b"somebody else's".to_vec());
        }
        let holds = match (&*object, condition) {
            (None, Condition::Absent) => true,
            (Some((_, tag)), Condition::Unchanged(expected)) => tag.to_string() == expected,
            _ => false,
        };
        let tag = holds.then(|| Self::write(&mut object, bytes));
        let lost = std::mem::take(&mut *self.loses_answer.lock().unwrap());
        Box::pin(async move { Ok(tag.filter(|_| !lost).map(|tag| tag.to_string())) })
    }
}
