//! Why a step or a request of CloudFormation was not done.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use contract::keyring::KeyAlgorithm;

use crate::lifetime::{FINISH_WITHIN, GROUP_MAX};
use crate::ports::Fault;
use crate::tenant::EnvironmentError;

/// Why a step or a request was not done. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Fault),
    /// The function was deployed with a wrong environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The event is neither of those that this function serves, or incomplete.
    #[error("event not understood: {0}")]
    Event(String),
    /// Rotation is off, so nobody should have called.
    #[error("rotation of secret `{0}` is not enabled")]
    RotationOff(String),
    /// The secret has no version of that id.
    #[error("secret version `{0}` does not exist")]
    UnknownVersion(String),
    /// The version exists but is not being rotated in.
    #[error("secret version `{0}` is not pending")]
    NotPending(String),
    /// The version was current once: a step that comes after a later rotation.
    #[error("secret version `{0}` was current before: this step comes too late")]
    Superseded(String),
    /// A step came before the one that makes the keyring.
    #[error("secret version `{0}` has no value: `createSecret` has not succeeded")]
    NoValue(String),
    /// One more key would not fit into the group.
    #[error("a rotation would put more than {GROUP_MAX} keys into key group `{group}`; it may run from {}",
        timestamp(*from))]
    GroupFull {
        /// Name of the key group.
        group: String,
        /// Seconds since the epoch.
        from: u64,
    },
    /// The custom resource has not made the group, or has deleted it.
    #[error("key group `{0}` does not exist")]
    NoGroup(String),
    /// Others changed the group again and again while this run tried to.
    #[error("key group `{0}` was changed by others at every attempt")]
    GroupContended(String),
    /// The group is trusted by a distribution.
    #[error("key group `{0}` is still trusted by a distribution: delete the distribution first")]
    GroupInUse(String),
    /// A key of the tenant is in a group that is not the tenant's.
    #[error("public key `{0}` is still used by another key group: take it out there first")]
    KeyInUse(String),
    /// A key that must be in the group is not.
    #[error("public key `{key_id}` is not in key group `{group}`")]
    NotInGroup {
        /// The key.
        key_id: String,
        /// Name of the key group.
        group: String,
    },
    /// CloudFront does not have the key of the pending version.
    #[error(
        "public key `{0}` of the pending version does not exist; the rotation is cancelled, start another"
    )]
    PendingKeyGone(String),
    /// Pending private key and public key do not belong together.
    #[error("public key `{0}` does not verify what the pending private key signs")]
    WrongKey(String),
    /// The current key is not the one that the pending version was made to follow.
    #[error(
        "the current key `{0}` was changed during the rotation; the rotation is cancelled, start another"
    )]
    CurrentChanged(String),
    /// The old key would be dropped too early if this rotation finished now.
    #[error(
        "the rotation was begun more than {} hours ago; it is cancelled, start another",
        FINISH_WITHIN / 3600
    )]
    TooLate,
    /// The edges may not all know the group as it is.
    #[error("key group `{group}` was changed a short time ago; every edge knows it from {}", timestamp(*from))]
    Settling {
        /// Name of the key group.
        group: String,
        /// Seconds since the epoch.
        from: u64,
    },
    /// The edge did not let the new key in.
    #[error("a cookie of key `{key_id}` is not accepted at `{host}` yet: {why}")]
    NotSeen {
        /// The new key.
        key_id: String,
        /// Host that was asked.
        host: String,
        /// What was seen last.
        why: String,
    },
    /// A custom resource waited in vain for the rotation to another algorithm.
    #[error("the rotation to a key of `{}` has not ended in time; deploy again once it has", .0.as_str())]
    AlgorithmPending(KeyAlgorithm),
    /// A revocation is repeated whose key somebody has deleted.
    #[error("public key `{0}` of this revocation does not exist; start another")]
    ReplacementGone(String),
    /// Others moved the current label again and again while this run tried to.
    #[error("the current version of secret `{0}` was changed by others at every attempt")]
    SecretContended(String),
    /// The revocation is meant for another tenant.
    #[error("this function owns the keys of tenant `{own}`, not those of `{asked}`")]
    OtherTenant {
        /// The function's.
        own: String,
        /// The event's.
        asked: String,
    },
    /// Time is nearly up.
    #[error("the function ran out of time; what is done stays done and the next attempt goes on from there")]
    OutOfTime,
    /// The answer could not be delivered to CloudFormation.
    #[error("CloudFormation could not be answered: {0}")]
    Unanswered(String),
}

impl Error {
    /// Kind of the failure in Lambda's error answer.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "Rotator.CallFailed",
            Self::Environment(_) | Self::Event(_) => "Rotator.Invalid",
            Self::OutOfTime => "Rotator.OutOfTime",
            Self::Unanswered(_) => "Rotator.Unanswered",
            _ => "Rotator.Refused",
        }
    }
}

/// `seconds` since the epoch as people read it, in UTC.
fn timestamp(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok())
        .unwrap_or_else(|| format!("second {seconds} of the epoch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_rotation_says_when_it_may_run() {
        let full = Error::GroupFull { group: "g".into(), from: 1_795_000_000 };
        let text = "a rotation would put more than 4 keys into key group `g`; it may run from \
                    2026-11-18T11:06:40Z";
        assert_eq!(full.to_string(), text);
    }
}
