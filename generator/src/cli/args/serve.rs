//! Arguments of `serve`.

use std::path::PathBuf;

use clap::Args;

use super::Selection;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Port of 127.0.0.1 to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub port: u16,
    /// Read tenant files and templates anew when they change, and the deployed stacks every few seconds
    #[arg(long)]
    pub watch: bool,
    /// Folder of a page to lay over every tenant at `/gallery/`; by default `examples/gallery` over those that have no
    /// page of their own
    #[arg(long, value_name = "DIR")]
    pub page: Option<PathBuf>,
    /// Start the function anew after this many seconds, as Lambda does when it likes: it then signs with a rotated key at
    /// once, and not only when what it has read is five minutes old
    #[arg(long, value_name = "SECONDS")]
    pub instance_seconds: Option<u64>,
    /// Do not make a user to try the sign-in with
    #[arg(long)]
    pub no_user: bool,
}
