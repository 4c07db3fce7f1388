//! Debian's Chromium with its driver, unpacked into the cache folder.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use super::debian;
use crate::support::cache;

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
            debian::fetch(&folder, &PACKAGES)
                .unwrap_or_else(|reason| panic!("no browser to test with: {reason}"));
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
