//! What a run tells programs and people.

use serde_json::Value;

use crate::rotate::fits_the_schema;
use crate::rotate::world::World;
use crate::support::root;

/// Every line of a real run, a good one and a bad one, is one of the published schema.
pub(super) fn what_is_said_fits_the_schema(world: &World) {
    let schema = std::fs::read_to_string(root().join("docs/events.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let judge = jsonschema::validator_for(&schema).expect("a schema");
    let mut codes = Vec::new();
    for arguments in
        [&["deploy", "--all", "--yes"][..], &["destroy", "--all", "--yes"], &["resume", "nothing"]]
    {
        let output = world.run(&[arguments, &["--local", "--output", "ndjson"]].concat());
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let event: Value = serde_json::from_str(line).expect("JSON");
            let wrong: Vec<_> = judge.iter_errors(&event).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{line}: {wrong:#?}");
            if event["code"] == "RESULT" {
                fits_the_schema(&event["result"]);
            }
            codes.extend(event["code"].as_str().map(str::to_owned));
        }
    }
    for code in
        ["RUN_STARTED", "JOB_DONE", "EDGE_DETACHED", "STACK_DELETED", "RESOURCE_KEPT", "RESULT", "ERROR"]
    {
        assert!(codes.iter().any(|seen| seen == code), "{code} was never said: {codes:?}");
    }
}
