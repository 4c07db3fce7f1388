//! The peer: Debian's nginx, fetched by `apt-get` without root, with the same files over TLS.

use std::error::Error;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::debian;
use super::load::{Server, cpu};
use super::support::cache_folder;

const HOST: &str = "nginx.localhost";
/// Written last: what is there without it was cut off, and is made anew.
const COMPLETE: &str = "complete";

/// A running nginx, which ends when this is dropped.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) server: Server,
}

impl Nginx {
    /// Serves a folder. `folder` is for its own files.
    pub(crate) fn start(files: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let root = install()?;
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        fs::write(folder.join("certificate.pem"), made.cert.pem())?;
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        fs::write(folder.join("nginx.conf"), configuration(files, folder, port))?;
        let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|part| root.join(part).display().to_string()).join(":");
        let child = Command::new(root.join("usr/sbin/nginx"))
            .args(["-p", &folder.display().to_string(), "-c", "nginx.conf", "-e", "error.log"])
            .env("LD_LIBRARY_PATH", libraries)
            .stdin(Stdio::null())
            .spawn()?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(made.cert.der().to_vec()))?;
        let server = Server { host: HOST.into(), port, tls: Arc::new(super::trusting(roots)?) };
        let nginx = Self { child, server };
        for _ in 0..100 {
            if nginx.server.connect().is_ok_and(|mut one| one.ask(&super::plain("/pictures/0.jpg")).is_ok()) {
                return Ok(nginx);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("nginx does not answer: see {}", folder.join("error.log").display()).into())
    }

    /// Processor time of all its processes.
    pub(crate) fn cpu(&self) -> Duration {
        let own = self.child.id();
        let workers = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        cpu(own) + workers.split_whitespace().filter_map(|id| id.parse().ok()).map(cpu).sum::<Duration>()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Told to stop, the first process stops its workers too; killed, it would leave them.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn configuration(files: &Path, folder: &Path, port: u16) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {}/{kind};\n", folder.display()))
        .collect();
    format!(
        "daemon off;\nworker_processes auto;\npid nginx.pid;\nerror_log error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n{temporary}  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  keepalive_requests 100000000;\n  \
         open_file_cache max=1000;\n  types {{ image/jpeg jpg; }}\n  \
         server {{\n    listen 127.0.0.1:{port} ssl;\n    server_name {HOST};\n    root {};\n    \
         ssl_certificate certificate.pem;\n    ssl_certificate_key key.pem;\n    ssl_protocols TLSv1.2 TLSv1.3;\n    \
         add_header cache-control max-age=86400;\n  }}\n}}\n",
        files.display()
    )
}

/// Folder with the unpacked packages.
fn install() -> Result<PathBuf, Box<dyn Error>> {
    let folder = cache_folder()?.join("nginx");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if !folder.join(COMPLETE).is_file() {
        debian::fetch(&folder, &["nginx"])?;
        fs::write(folder.join(COMPLETE), "")?;
    }
    Ok(folder.join("root"))
}
