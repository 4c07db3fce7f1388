//! `generator schema`: the JSON Schema of tenant files.

use crate::cli::context::Answer;
use crate::tenant::schema;

pub(super) fn run() -> Answer {
    let schema = schema::document();
    Answer::new(format!("{schema:#}"), schema)
}
