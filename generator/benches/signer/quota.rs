//! Seven per cent of a processor, which is what Lambda gives to 128 MB.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Length of a period, and the processor time within it.
const PERIOD: Duration = Duration::from_millis(100);
const SHARE: Duration = Duration::from_millis(7);

/// A way to hold a process back.
pub(crate) enum Quota {
    /// A group of the kernel's scheduler of our own, removed on drop.
    Group {
        /// Its folder.
        folder: PathBuf,
        /// Name of what it is.
        kind: &'static str,
    },
    /// Stopping and continuing the process by signals.
    Signals,
}

/// Where a version of control groups has processors, and how a quota is written there.
struct Kind {
    name: &'static str,
    root: &'static str,
    /// Files and their contents, in microseconds.
    settings: &'static [(&'static str, &'static str)],
}

const KINDS: [Kind; 2] = [
    Kind { name: "cgroup v2 cpu.max", root: "/sys/fs/cgroup", settings: &[("cpu.max", "7000 100000")] },
    Kind {
        name: "cgroup v1 cpu.cfs_quota_us",
        root: "/sys/fs/cgroup/cpu",
        settings: &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "7000")],
    },
];

impl Quota {
    /// The kernel's own where this user may, which on most machines is root; else signals.
    pub(crate) fn new() -> Self {
        for Kind { name, root, settings } in KINDS {
            let folder = Path::new(root).join(format!("generator-bench-{}", std::process::id()));
            if fs::create_dir(&folder).is_err() {
                continue;
            }
            // A file that the kernel did not put there cannot be written: this folder is no such group.
            let set = |(name, value): &(&str, &str)| {
                let path = folder.join(name);
                path.exists() && fs::write(path, value).is_ok()
            };
            if settings.iter().all(set) {
                return Self::Group { folder, kind: name };
            }
            let _ = fs::remove_dir(&folder);
        }
        Self::Signals
    }

    /// What holds the process back, for the report.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Group { kind, .. } => kind,
            Self::Signals => "SIGSTOP and SIGCONT",
        }
    }

    /// A command that runs `program` within the group from its start.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Self::Group { folder, .. } = self else { return Command::new(program) };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"echo $$ > "$0" && exec "$@""#]);
        command.arg(folder.join("cgroup.procs")).arg(program);
        command
    }

    /// Holds a started process back until the result is dropped, where the group does not.
    pub(crate) fn hold(&self, process: u32) -> Result<Held, Box<dyn Error>> {
        let Self::Signals = self else { return Ok(Held(None)) };
        let process = Pid::from_raw(i32::try_from(process)?).ok_or("a process without an id")?;
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = thread::spawn(move || {
            // The process may be gone at any time.
            while !ends.load(Ordering::Relaxed) {
                thread::sleep(SHARE);
                let _ = kill_process(process, Signal::STOP);
                thread::sleep(PERIOD.saturating_sub(SHARE));
                let _ = kill_process(process, Signal::CONT);
            }
        });
        Ok(Held(Some((over, thread))))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Self::Group { folder, .. } = self {
            // The kernel refuses while a process of the group is still ending; an empty group costs nothing.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A process that is held back.
pub(crate) struct Held(Option<(Arc<AtomicBool>, JoinHandle<()>)>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((over, thread)) = self.0.take() {
            over.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
    }
}
