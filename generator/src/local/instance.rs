//! One instance of the local cloud: its folder, what is remembered of it, and whether it runs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::LocalError;

/// How long to wait for another process that starts or stops the same instance. Longer than a start.
const BUSY_LIMIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

/// What is remembered of an instance from one start to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Port on 127.0.0.1.
    pub(super) port: u16,
    /// Which environment the running server was started from.
    pub(super) environment: String,
}

/// The folder of an instance.
#[derive(Debug)]
pub(super) struct Instance {
    folder: PathBuf,
    name: String,
}

impl Instance {
    /// The instance `name` under `folder`; nothing is created yet.
    pub(super) fn new(folder: &Path, name: &str) -> Result<Self, LocalError> {
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(valid) {
            return Err(LocalError::InstanceName { name: name.to_owned() });
        }
        Ok(Self { folder: folder.join(name), name: name.to_owned() })
    }

    /// A file or folder of the instance.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Folders that hold what the cloud holds: gone after a reset.
    pub(super) fn content(&self) -> [PathBuf; 4] {
        ["state", "objects", "tmp", "home"].map(|name| self.path(name))
    }

    /// Log of the server.
    pub(super) fn log(&self) -> PathBuf {
        self.path("cloud.log")
    }

    /// File that the server keeps locked while it runs. It holds the server's process id.
    pub(super) fn alive_file(&self) -> PathBuf {
        self.path("alive")
    }

    /// Takes the right to start or stop this instance; it ends when the file is dropped.
    pub(super) fn lock(&self) -> Result<File, LocalError> {
        fs::create_dir_all(&self.folder).map_err(LocalError::io("create", &self.folder))?;
        let path = self.path("lock");
        let file = File::create(&path).map_err(LocalError::io("create", &path))?;
        let deadline = Instant::now() + BUSY_LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                    return Err(LocalError::Busy {
                        instance: self.name.clone(),
                        seconds: BUSY_LIMIT.as_secs(),
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(POLL),
                Err(TryLockError::Error(source)) => {
                    return Err(LocalError::Io { action: "lock", path, source });
                }
            }
        }
    }

    /// Process id of the running server.
    ///
    /// The lock decides, not the number: it ends with the server however the server ends, so a number
    /// that the system has since given to another process is never taken for ours.
    pub(super) fn running(&self) -> Result<Option<u32>, LocalError> {
        let path = self.alive_file();
        let Ok(file) = File::open(&path) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let text = fs::read_to_string(&path).map_err(LocalError::io("read", &path))?;
                Ok(text.trim().parse().ok())
            }
            Err(TryLockError::Error(source)) => Err(LocalError::Io { action: "lock", path, source }),
        }
    }

    /// Makes an empty `alive` file for a server that is about to start.
    pub(super) fn prepare_alive_file(&self) -> Result<(), LocalError> {
        let path = self.alive_file();
        fs::write(&path, "").map_err(LocalError::io("write", path))
    }

    /// What is remembered; nothing where the file is missing or from a version that wrote another form.
    pub(super) fn remembered(&self) -> Option<Remembered> {
        serde_json::from_slice(&fs::read(self.path("instance.json")).ok()?).ok()
    }

    /// Remembers it for the next start and for other processes.
    pub(super) fn remember(&self, remembered: &Remembered) -> Result<(), LocalError> {
        let path = self.path("instance.json");
        let text = serde_json::json!({ "port": remembered.port, "environment": remembered.environment });
        fs::write(&path, text.to_string()).map_err(LocalError::io("write", path))
    }

    /// The remembered port if it is free, else another free one.
    pub(super) fn free_port(&self) -> Result<u16, LocalError> {
        let before = self.remembered().map_or(0, |remembered| remembered.port);
        TcpListener::bind(("127.0.0.1", before))
            .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .map_err(LocalError::io("find a free port on", "127.0.0.1"))
    }

    /// The log, opened to append. A log over 10 MB is kept as `cloud.log.1` and begun anew.
    pub(super) fn open_log(&self) -> Result<File, LocalError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|data| data.len() > 10_000_000) {
            let older = self.path("cloud.log.1");
            fs::rename(&path, &older).map_err(LocalError::io("rename", &path))?;
        }
        OpenOptions::new().create(true).append(true).open(&path).map_err(LocalError::io("open", path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(folder: &Path) -> Instance {
        let instance = Instance::new(folder, "one").expect("a valid name");
        drop(instance.lock().expect("a free lock"));
        instance
    }

    #[test]
    fn a_name_stays_inside_the_folder() {
        for name in ["", "../x", "a/b", "A", ".", &"x".repeat(41)] {
            assert!(Instance::new(Path::new("/cache"), name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_process_id_counts_only_while_the_server_holds_its_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let instance = instance(folder.path());
        assert_eq!(instance.running().expect("readable"), None);

        // The id of this very test: a living process that is not the server.
        fs::write(instance.alive_file(), std::process::id().to_string()).expect("written");
        assert_eq!(instance.running().expect("readable"), None);

        let server = File::open(instance.alive_file()).expect("opened");
        server.lock().expect("locked");
        assert_eq!(instance.running().expect("readable"), Some(std::process::id()));
        drop(server);
        assert_eq!(instance.running().expect("readable"), None);
    }

    #[test]
    fn the_port_is_kept_while_it_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let instance = instance(folder.path());
        let port = instance.free_port().expect("a port");
        instance.remember(&Remembered { port, environment: "e".into() }).expect("written");
        assert_eq!(instance.free_port().expect("a port"), port);
        let taken = TcpListener::bind(("127.0.0.1", port)).expect("bound");
        assert_ne!(instance.free_port().expect("a port"), port);
        drop(taken);
    }

    #[test]
    fn what_is_remembered_is_read_back_and_an_unknown_form_is_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let instance = instance(folder.path());
        let remembered = Remembered { port: 4242, environment: "cloud-1".into() };
        instance.remember(&remembered).expect("written");
        assert_eq!(instance.remembered(), Some(remembered));
        fs::write(instance.path("instance.json"), "{").expect("written");
        assert_eq!(instance.remembered(), None);
    }
}
