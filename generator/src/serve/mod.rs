//! The local edge: tenants as CloudFront would serve them, on 127.0.0.1.
//!
//! It reads the rendered template of each tenant and the state of the local cloud, and changes neither. What differs
//! from CloudFront stands in `docs/serve.md`.

mod answers;
mod authority;
mod body;
mod cache;
mod cache_policy;
mod cdn;
mod compress;
mod content;
mod dates;
mod distribution;
mod error;
mod function;
mod headers;
mod keys;
mod origin;
mod page;
mod pattern;
mod permission;
mod range;
mod server;
mod services;
mod sign_in;
mod template;
mod tenant;
mod verifier;
mod viewer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::authority::{Authority, Certificates};
pub use self::error::ServeError;
use self::function::{Function, Workshop};
use self::server::{Board, Sites};
pub use self::template::StackValues;
pub use self::tenant::TenantSite;
use crate::aws::{Cloud, LOCAL_ACCOUNT};
use crate::clock::Clock;

/// How the local edge is brought up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The local cloud.
    pub cloud: Cloud,
    /// Its endpoint.
    pub endpoint: String,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// The program `node`.
    pub node: PathBuf,
    /// Folder that keeps the authority, unpacked zips and logs.
    pub folder: PathBuf,
    /// Port of 127.0.0.1; 0: any free one.
    pub port: u16,
    /// A page under development.
    pub overlay: Option<Overlay>,
    /// Longest life of a function's instance; `None`: as long as it answers.
    pub instance_life: Option<Duration>,
}

/// A page under development, which is laid over tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Folder with its files.
    pub folder: PathBuf,
    /// Whether it is laid over tenants too that have a page of their own.
    pub over_all: bool,
}

impl Options {
    /// The page of a tenant: its path, and the folder of its files where it does not come from the bucket.
    fn page_over<'a>(&'a self, tenant: &'a TenantSite) -> Option<(&'a str, Option<&'a PathBuf>)> {
        let own = tenant.own_page();
        let overlay = self.overlay.as_ref().filter(|overlay| overlay.over_all || own.is_none());
        match (own, overlay) {
            (own, Some(overlay)) => Some((own.unwrap_or(page::PATH), Some(&overlay.folder))),
            (Some(own), None) => Some((own, None)),
            (None, None) => None,
        }
    }
}

/// A local edge that runs until this is dropped.
pub struct Edge {
    options: Options,
    authority: Authority,
    port: u16,
    board: Board,
    functions: BTreeMap<String, Arc<Function>>,
    running: JoinHandle<()>,
}

impl Edge {
    /// Brings up an edge for these tenants.
    ///
    /// # Errors
    /// A tenant that is not deployed, a template that is not understood, a port that is taken.
    pub async fn start(options: Options, tenants: &[TenantSite]) -> Result<Self, ServeError> {
        let now = options.clock.now();
        let authority = Authority::open(&options.folder.join("authority"), now)?;
        let failed = |source| ServeError::Listen { port: options.port, source };
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let nothing = Sites { by_host: BTreeMap::new(), certificates: Certificates::default() };
        let board: Board = Arc::new(RwLock::new(Arc::new(nothing)));
        let acceptor = server::tls(&board)?;
        let (sites, functions) = gather(&options, &authority, tenants, port, &BTreeMap::new()).await?;
        *board.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sites);
        let running = tokio::spawn(server::accept(listener, acceptor, Arc::clone(&board)));
        Ok(Self { options, authority, port, board, functions, running })
    }

    /// Serves these tenants from now on. Functions whose version is the same go on; caches start empty. Connections
    /// stay open.
    ///
    /// # Errors
    /// As [`Edge::start`]; then what was served before stays.
    pub async fn reload(&mut self, tenants: &[TenantSite]) -> Result<(), ServeError> {
        let (sites, functions) =
            gather(&self.options, &self.authority, tenants, self.port, &self.functions).await?;
        *self.board.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sites);
        self.functions = functions;
        Ok(())
    }

    /// Path of the page that a tenant's host shows, if any.
    #[must_use]
    pub fn page_of<'a>(&'a self, tenant: &'a TenantSite) -> Option<&'a str> {
        self.options.page_over(tenant).map(|(path, _)| path)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// File with the certificate of the authority that its certificates are from.
    #[must_use]
    pub fn authority(&self) -> &Path {
        self.authority.certificate()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn gather(
    options: &Options,
    authority: &Authority,
    tenants: &[TenantSite],
    port: u16,
    known: &BTreeMap<String, Arc<Function>>,
) -> Result<(Sites, BTreeMap<String, Arc<Function>>), ServeError> {
    let workshop = Workshop {
        node: options.node.clone(),
        folder: options.folder.clone(),
        endpoint: options.endpoint.clone(),
        account: LOCAL_ACCOUNT.to_owned(),
        clock: Arc::clone(&options.clock),
        life: options.instance_life,
    };
    let (mut by_host, mut functions) = (BTreeMap::new(), BTreeMap::new());
    for tenant in tenants {
        let (sites, own) = tenant::sites(options, tenant, &workshop, port, known).await?;
        by_host.extend(sites);
        functions.extend(own);
    }
    let certificates = authority.certify(by_host.keys().cloned(), options.clock.now())?;
    Ok((Sites { by_host, certificates }, functions))
}
