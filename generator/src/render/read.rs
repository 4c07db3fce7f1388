//! A template read back from its text.

use serde_json::{Map, Value, json};
use serde_yaml::Value as Yaml;

/// Reads a template in YAML or JSON; functions come in their long form.
///
/// # Errors
/// What keeps it from being read.
pub fn read_template(text: &str) -> Result<Value, String> {
    let yaml: Yaml = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    long(yaml)
}

fn long(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let value = long(tagged.value)?;
            match (tag.trim_start_matches('!'), value) {
                ("Ref", value) => json!({ "Ref": value }),
                ("GetAtt", Value::String(path)) => {
                    json!({ "Fn::GetAtt": path.split_once('.').map_or(vec![path.as_str()], |(a, b)| vec![a, b]) })
                }
                ("Condition", value) => json!({ "Condition": value }),
                (tag, value) => json!({ format!("Fn::{tag}"): value }),
            }
        }
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long).collect::<Result<_, _>>()?),
        Yaml::Mapping(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                let key = key.as_str().ok_or("a key is no text")?.to_string();
                out.insert(key, long(value)?);
            }
            Value::Object(out)
        }
        scalar => serde_json::to_value(scalar).map_err(|error| error.to_string())?,
    })
}
