//! Python environments with pinned packages, made once and kept in the cache folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::error::LocalError;
use super::python::{self, Python};
use super::text::tail;

/// How long one step may take. Downloading is the long one: about 100 MB.
const STEP_LIMIT: Duration = Duration::from_secs(900);
/// Pause between two looks at a running program.
const POLL: Duration = Duration::from_millis(50);
/// Written last: an environment without it was interrupted and is made again.
const COMPLETE: &str = "complete";
/// What pip and the other steps wrote.
const LOG: &str = "install.log";

/// What an environment holds.
pub(super) struct Recipe {
    /// First part of the folder's name.
    pub(super) name: &'static str,
    /// For messages.
    pub(super) what: &'static str,
    /// Packages in pip's format, each with its version and hashes.
    pub(super) requirements: &'static str,
    /// Files of ours, put into the folder `ours`: name and content.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Python that proves the environment: it must end without an error.
    pub(super) check: &'static str,
}

/// An installed environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    root: PathBuf,
}

impl Environment {
    /// The environment's Python.
    #[must_use]
    pub(super) fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// Folder of our own files.
    #[must_use]
    pub(super) fn ours(&self) -> PathBuf {
        self.root.join("ours")
    }

    /// Name of the folder: another one for other packages, other files of ours, another Python.
    pub(super) fn key(&self) -> String {
        self.root.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Recipe {
    /// The environment under `folder`, installed first where it is missing. Blocks: seconds to minutes
    /// the first time, milliseconds later. Two processes do not install at once.
    pub(super) fn install(&self, folder: &Path, progress: &dyn Fn(&str)) -> Result<Environment, LocalError> {
        let python = python::find()?;
        let root = folder.join(self.key(&python));
        let environment = Environment { root };
        if environment.root.join(COMPLETE).is_file() {
            return Ok(environment);
        }
        fs::create_dir_all(folder).map_err(LocalError::io("create", folder))?;
        let lock_path = environment.root.with_extension("lock");
        let lock = File::create(&lock_path).map_err(LocalError::io("create", &lock_path))?;
        if lock.try_lock().is_err() {
            progress(&format!("waiting for another process that installs {}", self.what));
            // It ends: each of its steps has a limit, and the lock goes with its process.
            lock.lock().map_err(LocalError::io("lock", &lock_path))?;
        }
        // Whoever held the lock before may have done all the work.
        if !environment.root.join(COMPLETE).is_file() {
            self.make(&environment, &python, progress)?;
        }
        Ok(environment)
    }

    /// Whether the environment under `folder` with this key is whole, and was made by this recipe on any Python.
    pub(super) fn made(&self, folder: &Path, key: &str) -> bool {
        key.starts_with(&self.own_key()) && folder.join(key).join(COMPLETE).is_file()
    }

    fn make(
        &self,
        environment: &Environment,
        python: &Python,
        progress: &dyn Fn(&str),
    ) -> Result<(), LocalError> {
        let root = &environment.root;
        if root.exists() {
            fs::remove_dir_all(root).map_err(LocalError::io("remove the unfinished", root))?;
        }
        progress(&format!("making a Python {} environment for {}", python.version, self.what));
        let ours = environment.ours();
        fs::create_dir_all(&ours).map_err(LocalError::io("create", &ours))?;
        for (name, content) in self.files {
            write(&ours.join(name), content)?;
        }
        let requirements = root.join("requirements.txt");
        write(&requirements, self.requirements)?;

        self.run(root, "making the environment", isolated(&python.path).args(["-m", "venv"]).arg(root))?;
        progress(&format!("installing {} (once, into the cache folder)", self.what));
        // The user's own pip settings (mirror, proxy, certificates) come from the environment and pip's
        // files, so both are left alone but for what would send the packages to another folder. Only
        // wheels: nothing is built or run at installation.
        let mut pip = isolated(&environment.python());
        pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--require-hashes"])
            .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
            .arg(&requirements);
        for elsewhere in ["PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_BINARY"] {
            pip.env_remove(elsewhere);
        }
        self.run(root, "downloading its packages", &mut pip)?;
        self.run(root, "checking it", isolated(&environment.python()).args(["-c", self.check]))?;
        write(&root.join(COMPLETE), &python.version.to_string())
    }

    /// Runs a program to its end, with its output in the environment's log.
    fn run(&self, root: &Path, step: &'static str, command: &mut Command) -> Result<(), LocalError> {
        let path = root.join(LOG);
        let log = File::create(&path).map_err(LocalError::io("create", &path))?;
        let errors = log.try_clone().map_err(LocalError::io("open", &path))?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut child =
            command.spawn().map_err(LocalError::io("run", PathBuf::from(command.get_program())))?;
        let deadline = Instant::now() + STEP_LIMIT;
        loop {
            match child
                .try_wait()
                .map_err(LocalError::io("wait for", PathBuf::from(command.get_program())))?
            {
                Some(status) if status.success() => return Ok(()),
                Some(_) => {
                    let output = tail(&fs::read_to_string(&path).unwrap_or_default(), 12);
                    return Err(LocalError::Install { what: self.what, step, output });
                }
                None if Instant::now() > deadline => {
                    // Already gone is as good as killed; the wait takes it off the process table.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(LocalError::TooLong { step, seconds: STEP_LIMIT.as_secs() });
                }
                None => thread::sleep(POLL),
            }
        }
    }

    /// Name of the environment's folder: what it is made by, and on what.
    fn key(&self, python: &Python) -> String {
        let (version, path) = (python.version.to_string(), python.path.to_string_lossy());
        format!("{}{}", self.own_key(), digest([version.as_str(), &path]))
    }

    fn own_key(&self) -> String {
        let files = self.files.iter().flat_map(|(name, content)| [*name, *content]);
        format!("{}-{}-", self.name, digest(std::iter::once(self.requirements).chain(files)))
    }
}

/// Twelve characters that stand for all these parts.
fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..6])
}

/// A Python that sees neither the user's module path nor the current folder's modules.
fn isolated(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg("-I");
    command
}

fn write(path: &Path, content: &str) -> Result<(), LocalError> {
    fs::write(path, content).map_err(LocalError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Recipe = Recipe {
        name: "empty",
        what: "nothing",
        requirements: "",
        files: &[("hello.py", "print('hello')")],
        check: "",
    };

    #[test]
    fn an_interrupted_installation_is_made_again_and_a_complete_one_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = EMPTY.install(folder.path(), &|_| {}).expect("installed");
        let hello = Command::new(environment.python()).arg(environment.ours().join("hello.py")).output();
        assert_eq!(hello.expect("python").stdout, b"hello\n");

        let silent = |_: &str| panic!("a complete environment needs no work");
        assert_eq!(EMPTY.install(folder.path(), &silent).expect("kept"), environment);

        fs::remove_file(environment.root.join(COMPLETE)).expect("interrupted");
        fs::remove_file(environment.python()).expect("interrupted");
        EMPTY.install(folder.path(), &|_| {}).expect("made again");
        assert!(environment.python().exists());
    }

    #[test]
    fn a_failed_step_says_what_the_program_wrote() {
        let folder = tempfile::tempdir().expect("a folder");
        let broken = Recipe { check: "raise SystemExit('the reason')", ..EMPTY };
        let error = broken.install(folder.path(), &|_| {}).expect_err("a failed check");
        assert_eq!(error.to_string(), "installing nothing failed while checking it\nthe reason");
    }

    #[test]
    fn other_packages_or_files_make_another_environment() {
        let python = python::find().expect("a Python");
        let key = |recipe: &Recipe| recipe.key(&python);
        assert_ne!(key(&EMPTY), key(&Recipe { requirements: "a==1", ..EMPTY }));
        assert_ne!(key(&EMPTY), key(&Recipe { files: &[("hello.py", "")], ..EMPTY }));
    }

    #[test]
    fn what_this_recipe_has_made_is_known_without_a_python() {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = EMPTY.install(folder.path(), &|_| {}).expect("an environment");
        assert!(EMPTY.made(folder.path(), &environment.key()));
        assert!(!Recipe { requirements: "a==1", ..EMPTY }.made(folder.path(), &environment.key()));
        fs::remove_file(environment.root.join(COMPLETE)).expect("the mark");
        assert!(!EMPTY.made(folder.path(), &environment.key()));
    }
}
