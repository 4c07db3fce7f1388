//! Where a run was started: a process that goes on with it must be in the same place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Where a run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli::commands) struct Origin {
    organisation: String,
    local: bool,
    accounts: BTreeSet<String>,
}

impl Origin {
    /// Here and now.
    pub(in crate::cli::commands) fn here(context: &Context, accounts: BTreeSet<String>) -> Self {
        let (organisation, local) = (context.settings.organisation.clone(), context.settings.local);
        Self { organisation, local, accounts }
    }

    /// Refuses to go on with `run` on another cloud or for another organisation.
    pub(in crate::cli::commands) fn check(&self, context: &Context, run: &str) -> Result<(), Failure> {
        if self.local != context.settings.local {
            let (was, help) = match self.local {
                true => ("on the local cloud", "pass `--local`"),
                false => ("on AWS", "leave out `--local`"),
            };
            return Err(Failure::new(Exit::Usage, format!("run `{run}` was started {was}")).help(help));
        }
        if self.organisation != context.settings.organisation {
            let message = format!("run `{run}` is about organisation `{}`", self.organisation);
            return Err(Failure::new(Exit::Usage, message).help("pass `--organisation`"));
        }
        Ok(())
    }

    /// Refuses to go on with `run` in accounts that it was not started in.
    pub(in crate::cli::commands) fn check_accounts(
        &self,
        accounts: &BTreeSet<String>,
        run: &str,
    ) -> Result<(), Failure> {
        if accounts.is_subset(&self.accounts) {
            return Ok(());
        }
        let listed = |accounts: &BTreeSet<String>| accounts.iter().cloned().collect::<Vec<_>>().join(", ");
        let message = format!(
            "run `{run}` was started in account {}, but the credentials are for {}",
            listed(&self.accounts),
            listed(accounts)
        );
        Err(Failure::new(Exit::Access, message).help("choose the profile that it was started with"))
    }
}
