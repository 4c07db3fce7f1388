//! Names that are built from organisation and tenant must be names that AWS takes.

use contract::names::{FUNCTION_NAME_MAX, Names};

use super::problem::Problem;
use super::source::Place;

/// Longest bucket name that S3 takes.
const BUCKET_NAME_MAX: usize = 63;
/// What the content bucket's name adds to the prefix: `-content-` and an account id.
const BUCKET_SUFFIX: usize = "-content-".len() + 12;
/// Longest role name that IAM takes.
const ROLE_NAME_MAX: usize = 64;
/// The longest suffix of a role's name.
const ROLE_SUFFIX: usize = "-authenticated".len();
/// Words that a sign-in domain must not contain.
const RESERVED: [&str; 3] = ["aws", "amazon", "cognito"];

/// What is wrong with the names of a tenant. `place` is the beginning of its file, whose name is the
/// tenant's.
#[must_use]
pub fn check(organisation: &str, tenant: &str, place: Place) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names = Names::new(organisation, tenant);
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let shape = tenant.bytes().all(good)
        && tenant.starts_with(|c: char| c.is_ascii_lowercase())
        && !tenant.ends_with('-')
        && !tenant.contains("--");
    if !shape {
        let message = format!("`{tenant}` cannot be a tenant's name");
        let help = "name the file in lower-case letters, digits and single inner hyphens, a letter first";
        problems.push(Problem::new(place, message).help(help));
    }
    if let Some(word) = RESERVED.iter().find(|word| tenant.contains(**word)) {
        let message = format!("the tenant's name `{tenant}` contains `{word}`");
        let help = "Cognito refuses this word in a sign-in domain: give the tenant another name";
        problems.push(Problem::new(place, message).help(help));
    }
    let limits = [
        ("bucket", names.prefix().len() + BUCKET_SUFFIX, BUCKET_NAME_MAX),
        ("role", names.prefix().len() + ROLE_SUFFIX, ROLE_NAME_MAX),
        ("function", names.rotator_function().len(), FUNCTION_NAME_MAX),
    ];
    for (what, length, most) in limits.into_iter().filter(|(_, length, most)| length > most) {
        let message =
            format!("the name `{tenant}` makes a {what} name of {length} characters; AWS takes {most}");
        let help = format!("shorten the tenant's name by {} characters", length - most);
        problems.push(Problem::new(place, message).help(help));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::source::Sources;
    use super::*;

    fn messages(tenant: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let place = Place::start_of(sources.add("t.yaml".into(), String::new()));
        check("example", tenant, place).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn good_names_pass() {
        for name in ["demo", "a", "acme-2", "north-wind"] {
            assert_eq!(messages(name), Vec::<String>::new());
        }
    }

    #[test]
    fn names_that_aws_refuses_are_refused_here() {
        for name in ["Demo", "-a", "a-", "a--b", "1a", "my_tenant", "pawsome", &"x".repeat(40)] {
            assert!(!messages(name).is_empty(), "{name}");
        }
    }
}
