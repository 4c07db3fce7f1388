//! Debian's Chromium with its driver, for a user who may install nothing: `apt-get` fetches both with all libraries
//! that are missing, checks Debian's signatures, and everything is unpacked into the cache folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{cache, text};

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];
/// Written last: what is there without it was cut off, and is made anew.
const COMPLETE: &str = "complete";

/// An unpacked Chromium.
pub(super) struct Chromium {
    root: PathBuf,
}

impl Chromium {
    /// Installs it where it is not yet.
    pub(super) fn install() -> Self {
        let folder = cache().root().join("browser");
        fs::create_dir_all(&folder).expect("a folder");
        let lock = File::create(folder.join("lock")).expect("a lock");
        lock.lock().expect("the lock");
        if !folder.join(COMPLETE).is_file() {
            make(&folder);
            fs::write(folder.join(COMPLETE), "").expect("a file");
        }
        Self { root: folder.join("root") }
    }

    /// The browser.
    pub(super) fn browser(&self) -> PathBuf {
        self.root.join("usr/lib/chromium/chromium")
    }

    /// The driver, which starts the browser: both find their libraries.
    pub(super) fn driver(&self) -> Command {
        let libraries =
            ["usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio", "lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|folder| self.root.join(folder).display().to_string()).join(":");
        let mut command = Command::new(self.root.join("usr/bin/chromedriver"));
        command.env("LD_LIBRARY_PATH", libraries).env("XDG_DATA_HOME", self.root.join("usr/share"));
        command
    }
}

fn make(folder: &Path) {
    for left_over in ["state", "cache", "root"] {
        let _ = fs::remove_dir_all(folder.join(left_over));
    }
    for needed in ["state/lists/partial", "cache/archives/partial", "root"] {
        fs::create_dir_all(folder.join(needed)).expect("a folder");
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-o", &format!("Dir::State={}", folder.join("state").display())])
            .args(["-o", &format!("Dir::Cache={}", folder.join("cache").display())])
            // What the machine has already need not be fetched.
            .args(["-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="])
            .args(["-o", "Debug::NoLocking=1", "-o", "APT::Update::Post-Invoke="])
            .args(arguments)
            .env("LC_ALL", "C");
        must("apt-get", command);
    };
    apt(&["update"]);
    apt(&[&["install", "--yes", "--download-only", "--no-install-recommends"], &PACKAGES[..]].concat());
    for entry in fs::read_dir(folder.join("cache/archives")).expect("the packages") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("-x").arg(path).arg(folder.join("root"));
            must("dpkg-deb", unpack);
        }
    }
    let _ = fs::remove_dir_all(folder.join("cache"));
}

fn must(name: &str, mut command: Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("the browser test needs Debian's `{name}` to fetch Chromium, and it does not run: {error}")
    });
    assert!(
        output.status.success(),
        "the browser test cannot fetch Debian's Chromium: `{name}` failed\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}
