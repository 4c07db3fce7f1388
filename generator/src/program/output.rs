//! What one component gives to another: typed, and the only way to refer to another component.

use std::marker::PhantomData;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::program::{Artifact, ArtifactFact, StackId};

/// Key that marks a serialised [`Output`].
pub const OUTPUT_MARK: &str = "\u{E010}output";
/// Key that marks a serialised [`ArtifactValue`].
pub const ARTIFACT_MARK: &str = "\u{E010}artifact";
/// Key that marks a serialised [`Around`].
pub const AROUND_MARK: &str = "\u{E010}around";
/// Key that marks a serialised [`JsonText`].
pub const JSON_MARK: &str = "\u{E010}json";

/// A value that a resource has once it exists. `T` says what it is, so that a bucket's ARN cannot be given
/// where its domain name is wanted.
#[derive(Debug)]
pub struct Output<T> {
    stack: StackId,
    logical_id: String,
    attribute: Option<&'static str>,
    later: bool,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        Self {
            stack: self.stack,
            logical_id: self.logical_id.clone(),
            attribute: self.attribute,
            later: self.later,
            kind: PhantomData,
        }
    }
}

impl<T> Output<T> {
    /// What `Ref` yields for the resource.
    #[must_use]
    pub fn reference(stack: StackId, logical_id: &str) -> Self {
        Self { stack, logical_id: logical_id.to_string(), attribute: None, later: false, kind: PhantomData }
    }

    /// What `Fn::GetAtt` yields for an attribute of the resource.
    #[must_use]
    pub fn attribute(stack: StackId, logical_id: &str, attribute: &'static str) -> Self {
        Self { attribute: Some(attribute), ..Self::reference(stack, logical_id) }
    }

    /// The same value where it closes a circle between stacks: empty on the first pass, known on the next.
    /// The template that takes it must be valid with the empty value.
    #[must_use]
    pub fn later(&self) -> Self {
        Self { later: true, ..self.clone() }
    }
}

impl<T> Serialize for Output<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry(OUTPUT_MARK, &self.logical_id)?;
        map.serialize_entry("attribute", &self.attribute)?;
        map.serialize_entry("stack", self.stack.as_str())?;
        map.serialize_entry("later", &self.later)?;
        map.end()
    }
}

/// A fact of a runtime artifact, known only when the artifact is packed: always a stack parameter, so that
/// rebuilding a runtime changes no template.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactValue(pub Artifact, pub ArtifactFact);

impl Serialize for ArtifactValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(ARTIFACT_MARK, self.0.as_str())?;
        map.serialize_entry("fact", self.1.as_str())?;
        map.end()
    }
}

/// A JSON document that a property takes as a text. Outputs may stand in it.
#[derive(Debug, Clone)]
pub struct JsonText<T>(pub T);

impl<T: Serialize> Serialize for JsonText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(JSON_MARK, &self.0)?;
        map.end()
    }
}

/// A text around an output, such as a URL whose host is known only at run time.
#[derive(Debug, Clone)]
pub struct Around<T> {
    /// What stands before it.
    pub before: &'static str,
    /// The output.
    pub output: Output<T>,
}

impl<T> Serialize for Around<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(AROUND_MARK, &self.output)?;
        map.serialize_entry("before", self.before)?;
        map.end()
    }
}

/// What outputs can be. Types without values: they exist for the compiler.
pub mod kind {
    macro_rules! kinds {
        ($($(#[$meta:meta])* $name:ident),* $(,)?) => {
            $( $(#[$meta])* #[derive(Debug)] pub enum $name {} )*
        };
    }

    kinds! {
        /// Name of a bucket.
        BucketName,
        /// ARN of a bucket.
        BucketArn,
        /// Host name of a bucket that carries its region, for an origin.
        BucketDomainName,
        /// Id of a user pool.
        UserPoolId,
        /// Host and path of a user pool as an identity provider: its issuer without the scheme.
        UserPoolProvider,
        /// First part of the host name of a sign-in page.
        SignInDomain,
        /// Id of an app client.
        UserPoolClientId,
        /// ARN of the secret that holds the keyring.
        SecretArn,
        /// Id of a key group.
        KeyGroupId,
        /// ARN of a version of a function.
        FunctionVersionArn,
        /// Id of a distribution.
        DistributionId,
        /// Host name that CloudFront gave to a distribution.
        DistributionDomainName,
    }
}
