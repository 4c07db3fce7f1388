//! Declarations of settings: one place gives the type, the loader and the JSON Schema.

/// Declares a section of the tenant file: a struct whose fields are its keys.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, serde::Serialize)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
        }

        impl $crate::tenant::decode::Decode for $name {
            fn decode(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                let entries = decoder.map(node, &[$(stringify!($field)),*])?;
                $( let $field = decoder.field(entries, node.place, stringify!($field)); )*
                Some(Self { $( $field: $field?, )* })
            }

            fn absent(
                map: $crate::tenant::source::Place,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                Self::decode(&$crate::tenant::node::Node::empty_map(map), decoder)
            }
        }

        impl $crate::tenant::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                let mut properties = serde_json::Map::new();
                $(
                    let schema = <$type as $crate::tenant::schema::Schema>::schema();
                    let schema = $crate::tenant::schema::describe(&[$($field_doc),*], schema);
                    properties.insert(stringify!($field).to_string(), schema);
                )*
                serde_json::json!({
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": false,
                })
            }
        }

        impl $crate::tenant::collections::Row for $name {
            fn required() -> Vec<&'static str> {
                let mut required = Vec::new();
                $(
                    if <$type as $crate::tenant::schema::Schema>::is_required() {
                        required.push(stringify!($field));
                    }
                )*
                required
            }
        }
    };
}

/// Declares a setting that takes one of a few words.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $( $(#[doc = $variant_doc])* $variant, )*
        }

        impl $name {
            /// The word in a tenant file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::tenant::decode::Scalar for $name {
            fn scalar(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                if let $crate::tenant::node::Value::Text(word) = &node.value {
                    match word.as_str() {
                        $( $word => return Some(Self::$variant), )*
                        _ => {}
                    }
                }
                let words: &[&str] = &[$( concat!("`", $word, "`") ),*];
                decoder.wrong_kind(node, &format!("one of {}", words.join(", ")));
                None
            }
        }

        impl $crate::tenant::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                let meanings: &[String] =
                    &[$( format!(concat!("`", $word, "`: {}"), concat!($($variant_doc),*).trim()) ),*];
                serde_json::json!({
                    "type": "string",
                    "enum": [$($word),*],
                    "description": meanings.join(" ").trim_end_matches('.'),
                })
            }
        }
    };
}

/// Declares a whole number with a unit and bounds that are part of the type.
macro_rules! quantity {
    ($(#[doc = $doc:literal])* $name:ident, $unit:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name<const MIN: u32, const MAX: u32>(u32);

        impl<const MIN: u32, const MAX: u32> $name<MIN, MAX> {
            /// The bare number.
            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }

            fn wanted() -> String {
                format!("a whole number of {} from {MIN} to {MAX}", $unit)
            }
        }

        impl<const MIN: u32, const MAX: u32> $crate::tenant::decode::Scalar for $name<MIN, MAX> {
            fn scalar(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                let $crate::tenant::node::Value::Int(value) = node.value else {
                    decoder.wrong_kind(node, &Self::wanted());
                    return None;
                };
                match u32::try_from(value) {
                    Ok(number) if (MIN..=MAX).contains(&number) => Some(Self(number)),
                    _ => {
                        let path = decoder.path();
                        let message = format!("`{path}` must be {}, not `{value}`", Self::wanted());
                        decoder.refuse($crate::tenant::problem::Problem::new(node.place, message));
                        None
                    }
                }
            }
        }

        impl<const MIN: u32, const MAX: u32> $crate::tenant::schema::Schema for $name<MIN, MAX> {
            fn schema() -> serde_json::Value {
                serde_json::json!({
                    "type": "integer",
                    "minimum": MIN,
                    "maximum": MAX,
                    "description": Self::wanted(),
                })
            }
        }
    };
}

/// Declares a text that one pattern describes, for the loader and for editors alike.
///
/// `but_not` is a pattern that the text must not match; `help` is told beside a refusal by it.
macro_rules! text {
    (
        $(#[doc = $doc:literal])*
        $name:ident {
            wanted: $wanted:expr,
            example: $example:literal,
            pattern: $pattern:expr,
            longest: $longest:literal
            $(, but_not: $but_not:expr, help: $help:literal)? $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::tenant::decode::Scalar for $name {
            fn scalar(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                static PATTERN: $crate::tenant::pattern::Pattern =
                    $crate::tenant::pattern::Pattern::new($pattern);
                $(
                    static BUT_NOT: $crate::tenant::pattern::Pattern =
                        $crate::tenant::pattern::Pattern::new($but_not);
                )?
                let $crate::tenant::node::Value::Text(text) = &node.value else {
                    decoder.wrong_kind(node, $wanted);
                    return None;
                };
                $(
                    if BUT_NOT.matches(text) {
                        decoder.wrong_kind_help(node, $wanted, Some($help));
                        return None;
                    }
                )?
                if text.chars().count() > $longest || !PATTERN.matches(text) {
                    decoder.wrong_kind(node, $wanted);
                    return None;
                }
                Some(Self(text.clone()))
            }
        }

        impl $crate::tenant::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                let schema = serde_json::json!({
                    "type": "string",
                    "pattern": $pattern,
                    "maxLength": $longest,
                    "description": $wanted,
                    "examples": [$example],
                });
                $(
                    let mut schema = schema;
                    schema["not"] = serde_json::json!({ "type": "string", "pattern": $but_not });
                )?
                schema
            }
        }
    };
}

/// Declares a status code of HTTP out of a few.
macro_rules! status {
    ($(#[doc = $doc:literal])* $name:ident: $($code:literal),+) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(u16);

        impl $name {
            const ALL: &[u16] = &[$($code),+];

            /// The number.
            #[must_use]
            pub fn get(self) -> u16 {
                self.0
            }
        }

        impl $crate::tenant::decode::Scalar for $name {
            fn scalar(
                node: &$crate::tenant::node::Node,
                decoder: &mut $crate::tenant::decode::Decoder,
            ) -> Option<Self> {
                if let $crate::tenant::node::Value::Int(value) = node.value
                    && let Some(code) = Self::ALL.iter().find(|code| i64::from(**code) == value)
                {
                    return Some(Self(*code));
                }
                let words: Vec<_> = Self::ALL.iter().map(|code| format!("`{code}`")).collect();
                decoder.wrong_kind(node, &format!("one of {}", words.join(", ")));
                None
            }
        }

        impl $crate::tenant::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                serde_json::json!({ "type": "integer", "enum": Self::ALL })
            }
        }
    };
}

pub(crate) use {choice, quantity, section, status, text};
