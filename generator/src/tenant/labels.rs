//! Labels: free words by which tenants are selected.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::collections::Keyed;
use super::decode::{Decode, Decoder, Setting};
use super::node::Node;
use super::schema::Schema;
use super::source::Place;
use super::values::{Label, LabelKey};

/// The labels of a tenant, by key. AWS takes 50 tags; some are the tool's own.
#[derive(Debug, Clone)]
pub struct Labels(pub Keyed<LabelKey, Setting<Label>, 40>);

impl Decode for Labels {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        Keyed::decode(node, decoder).map(Self)
    }

    fn absent(map: Place, decoder: &mut Decoder) -> Option<Self> {
        Keyed::absent(map, decoder).map(Self)
    }
}

impl Schema for Labels {
    fn schema() -> Json {
        Keyed::<LabelKey, Setting<Label>, 40>::schema()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
