//! Arguments of commands that work on many tenants.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use super::Selection;
use crate::fleet::{MaxFailures, WaveRules};

/// How to go about many tenants.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Many tenants")]
pub struct FleetArgs {
    /// Tenants in flight at a time
    #[arg(long, value_name = "N", default_value = "10", env = "GENERATOR_CONCURRENCY")]
    pub concurrency: NonZeroUsize,
    /// Who comes when: `canary` (tenants labelled `canary: "true"`, else the first), numbers, shares, `rest`
    #[arg(long, value_name = "LIST", default_value = "rest")]
    pub waves: WaveRules,
    /// Pause between two waves, such as `90s`, `15m` or `2h`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = seconds)]
    pub bake: u64,
    /// How many tenants may fail before the rest is left alone: a number or a share such as `5%`
    #[arg(long, value_name = "N|P%", default_value = "0")]
    pub max_failures: MaxFailures,
    /// Where the run is kept and reported.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Calls to the cloud.
    #[command(flatten)]
    pub calls: CallArgs,
}

/// Where a run is kept and reported.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Many tenants")]
pub struct JournalArgs {
    /// Folder, or `s3://bucket/prefix`, for journals; by default in the user's state folder
    #[arg(long, value_name = "PLACE", env = "GENERATOR_JOURNAL")]
    pub journal: Option<String>,
    /// Folder for the report, as JSON and as Markdown; by default beside a local journal
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

/// Calls to the cloud.
#[derive(Debug, Args, Clone, Copy)]
#[command(next_help_heading = "Many tenants")]
pub struct CallArgs {
    /// At most so many calls a second of each kind that AWS limits, for each account and region
    #[arg(long, value_name = "N", env = "GENERATOR_CALLS_PER_SECOND")]
    pub calls_per_second: Option<NonZeroU32>,
}

/// Arguments of `rotate`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// How to go about them.
    #[command(flatten)]
    pub fleet: FleetArgs,
    /// Minutes that one tenant's rotation may take; by default 60, on the local cloud 5
    #[arg(long, value_name = "MINUTES")]
    pub timeout: Option<NonZeroU64>,
    /// Show who would be rotated when, and rotate nothing
    #[arg(long)]
    pub dry_run: bool,
    /// For a leaked key: every key but a new one goes at once, and EVERY COOKIE DIES; for one `--tenant` only
    #[arg(long)]
    pub revoke: bool,
    /// Consent to `--revoke`: the tenant's name once more; `--yes` is none
    #[arg(long, value_name = "TENANT", requires = "revoke")]
    pub confirm_revoke: Option<String>,
    /// Go on with a revocation that broke off
    #[arg(long, value_name = "TOKEN", requires = "revoke")]
    pub revoke_token: Option<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Name of the run, as it was told at its start
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Where the run is kept and reported.
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Calls to the cloud.
    #[command(flatten)]
    pub calls: CallArgs,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Show only tenants whose rotation is late, and end with exit code 7 where there is one
    #[arg(long)]
    pub overdue: bool,
}

/// A time such as `90s`, `15m` or `2h`, in seconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time; write it as `90s`, `15m` or `2h`");
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(factor).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!((seconds("0s"), seconds("15m"), seconds("2h")), (Ok(0), Ok(900), Ok(7_200)));
        for text in ["", "5", "m", "-1s", "1.5h", "9999999999999999999h", "5\u{e4}"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
