//! Who comes when: tenants in waves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A tenant that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub tenant: String,
    /// Whether it is one of those that are tried first.
    pub canary: bool,
}

/// One of the rules that `canary,10%,rest` consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveRule {
    /// The canaries; where there is none, the first tenant.
    Canary,
    /// This many of those that are left.
    Count(usize),
    /// This many of a hundred of all tenants, rounded up, out of those that are left.
    Percent(u8),
    /// All that are left.
    Rest,
}

/// Rules for all waves of a run; the last one takes all that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveRules(Vec<WaveRule>);

/// Tenants that are worked on before any of the next wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// The rule that it comes from: `canary`, `10%`, `rest`.
    pub name: String,
    /// Its tenants, in the order in which they begin.
    pub tenants: Vec<String>,
}

/// All waves of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan {
    /// Waves in their order. None is empty, and no tenant is in two.
    pub waves: Vec<Wave>,
}

/// Rules that are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A word that is no rule.
    #[error("`{0}` is no wave; waves are `canary`, a number, a share such as `10%`, and `rest`")]
    Unknown(String),
    /// The rules may leave tenants out, or something comes after all of them.
    #[error("the last wave must be `rest`, and no other one")]
    Rest,
}

impl WaveRules {
    /// Everyone in one wave.
    #[must_use]
    pub fn everyone() -> Self {
        Self(vec![WaveRule::Rest])
    }

    /// Puts tenants into waves. The order within a wave is that of the names, so that it is the same in every
    /// run; waves that would be empty fall away.
    #[must_use]
    pub fn plan(&self, mut members: Vec<Member>) -> Plan {
        members.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        members.dedup_by(|a, b| a.tenant == b.tenant);
        let all = members.len();
        let mut waves = Vec::with_capacity(self.0.len());
        for rule in &self.0 {
            let taken: Vec<Member> = match rule {
                WaveRule::Canary if members.iter().any(|member| member.canary) => {
                    members.extract_if(.., |member| member.canary).collect()
                }
                WaveRule::Canary => first(&mut members, 1),
                WaveRule::Count(count) => first(&mut members, *count),
                WaveRule::Percent(percent) => {
                    first(&mut members, (all * usize::from(*percent)).div_ceil(100))
                }
                WaveRule::Rest => std::mem::take(&mut members),
            };
            if !taken.is_empty() {
                let tenants = taken.into_iter().map(|member| member.tenant).collect();
                waves.push(Wave { name: rule.to_string(), tenants });
            }
        }
        Plan { waves }
    }
}

fn first(members: &mut Vec<Member>, count: usize) -> Vec<Member> {
    members.drain(..count.min(members.len())).collect()
}

impl Plan {
    /// Every tenant, in the order of the waves.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.waves.iter().flat_map(|wave| wave.tenants.iter().map(String::as_str))
    }

    /// Number of tenants.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waves.iter().map(|wave| wave.tenants.len()).sum()
    }

    /// Whether there is nobody in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }
}

impl FromStr for WaveRules {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rules = text.split(',').map(|word| word.trim().parse()).collect::<Result<Vec<WaveRule>, _>>()?;
        match rules.iter().position(|rule| *rule == WaveRule::Rest) {
            Some(last) if last + 1 == rules.len() => Ok(Self(rules)),
            _ => Err(PlanError::Rest),
        }
    }
}

impl FromStr for WaveRule {
    type Err = PlanError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let unknown = || PlanError::Unknown(word.to_owned());
        match (word, word.strip_suffix('%')) {
            ("canary", _) => Ok(Self::Canary),
            ("rest", _) => Ok(Self::Rest),
            (_, Some(share)) => match share.parse() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                _ => Err(unknown()),
            },
            (_, None) => match word.parse() {
                Ok(count @ 1..) => Ok(Self::Count(count)),
                _ => Err(unknown()),
            },
        }
    }
}

impl fmt::Display for WaveRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary => f.write_str("canary"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Rest => f.write_str("rest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(names: &[(&str, bool)]) -> Vec<Member> {
        names.iter().map(|(tenant, canary)| Member { tenant: (*tenant).into(), canary: *canary }).collect()
    }

    fn waves(rules: &str, members: Vec<Member>) -> Vec<(String, String)> {
        let plan = rules.parse::<WaveRules>().expect("rules").plan(members);
        plan.waves.into_iter().map(|wave| (wave.name, wave.tenants.join(" "))).collect()
    }

    #[test]
    fn canaries_come_first_and_a_share_is_of_all() {
        let all = members(&[("c", true), ("b", false), ("a", false), ("e", false), ("d", true)]);
        let expected = [("canary", "c d"), ("40%", "a b"), ("rest", "e")];
        assert_eq!(waves("canary,40%,rest", all), expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
    }

    #[test]
    fn without_canaries_the_first_tenant_is_one() {
        let all = members(&[("b", false), ("a", false), ("a", false)]);
        let expected = [("canary", "a"), ("rest", "b")];
        assert_eq!(waves("canary, 1% , rest", all.clone())[0].1, "a");
        assert_eq!(waves("canary,rest", all), expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
    }

    #[test]
    fn rules_that_leave_tenants_out_or_say_nothing_are_refused() {
        for text in ["", "canary", "rest,10%", "rest,rest", "0,rest", "0%,rest", "101%,rest", "most,rest"] {
            assert!(text.parse::<WaveRules>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_tenant_is_in_exactly_one_wave_whatever_the_order_it_came_in(
            mut names in proptest::collection::btree_set("[a-z]{1,4}", 0..40),
            canaries in proptest::collection::vec(any::<bool>(), 40),
            rules in proptest::collection::vec(
                prop_oneof![
                    Just("canary".to_owned()),
                    (1_usize..9).prop_map(|n| n.to_string()),
                    (1_u8..=100).prop_map(|n| format!("{n}%")),
                ],
                0..4,
            ),
        ) {
            let members: Vec<_> = names
                .iter()
                .zip(canaries)
                .map(|(name, canary)| Member { tenant: name.clone(), canary })
                .collect();
            let rules: WaveRules = [rules, vec!["rest".into()]].concat().join(",").parse().expect("rules");
            let plan = rules.plan(members.clone());
            let backwards = rules.plan(members.into_iter().rev().collect());
            prop_assert_eq!(&plan, &backwards);
            prop_assert!(plan.waves.iter().all(|wave| !wave.tenants.is_empty()));
            for tenant in plan.tenants() {
                prop_assert!(names.remove(tenant), "`{}` is in two waves or in none that was asked for", tenant);
            }
            prop_assert!(names.is_empty());
        }
    }
}
