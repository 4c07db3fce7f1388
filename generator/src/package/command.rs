//! Runs the tools of a build: their messages are passed on line by line, their answer is handed back.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use super::{PackageError, PackageOptions, Progress};

/// Lines of a failed tool that an error shows.
const TAIL_LINES: usize = 30;

/// One tool with its arguments, in an environment of which nothing is inherited unseen.
pub(super) struct ToolCall {
    command: Command,
    program: String,
    purpose: &'static str,
}

impl ToolCall {
    /// A call of `program` in `folder`, with the variables of the caller that cannot change any byte.
    pub(super) fn new(
        program: impl AsRef<OsStr>,
        purpose: &'static str,
        folder: &Path,
        options: &PackageOptions,
    ) -> Self {
        let name = program.as_ref().to_string_lossy().into_owned();
        let mut command = match options.private_files {
            false => Command::new(&program),
            true => {
                // The umask can only be set from inside the new process, and that without unsafe code only by a
                // shell.
                let mut shell = Command::new("sh");
                shell.arg("-c").arg("umask 077 && exec \"$@\"").arg("sh").arg(&program);
                shell
            }
        };
        command
            .current_dir(folder)
            .env_clear()
            .envs(options.environment.kept())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        ToolCall { command, program: name, purpose }
    }

    /// Adds arguments.
    pub(super) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the tool to its end and returns what it wrote to standard output.
    ///
    /// # Errors
    /// [`PackageError::Start`] when it cannot be started, [`PackageError::Tool`] when it fails.
    pub(super) async fn run(mut self, progress: &mut Progress<'_>) -> Result<Vec<u8>, PackageError> {
        let shown = self.shown();
        let cannot_start =
            |source| PackageError::Start { program: self.program, purpose: self.purpose, source };
        let mut child = self.command.spawn().map_err(cannot_start)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let unreadable = || PackageError::file("read the output of", &shown);

        let answer = async {
            let mut bytes = Vec::new();
            if let Some(mut stdout) = stdout {
                stdout.read_to_end(&mut bytes).await.map_err(unreadable())?;
            }
            Ok::<_, PackageError>(bytes)
        };
        let messages = async {
            let mut tail = VecDeque::new();
            if let Some(stderr) = stderr {
                let mut lines = BufReader::new(stderr).lines();
                while let Some(line) = lines.next_line().await.map_err(unreadable())? {
                    progress(&line);
                    if tail.len() == TAIL_LINES {
                        tail.pop_front();
                    }
                    tail.push_back(line);
                }
            }
            Ok::<_, PackageError>(tail)
        };
        let (answer, tail) = tokio::try_join!(answer, messages)?;
        let status = child.wait().await.map_err(unreadable())?;
        if !status.success() {
            let tail = Vec::from(tail).join("\n");
            return Err(PackageError::Tool { command: shown, status, tail });
        }
        Ok(answer)
    }

    /// Runs the tool without passing its messages on and returns its answer as text.
    pub(super) async fn text(self) -> Result<String, PackageError> {
        let command = self.shown();
        let answer = self.run(&mut |_| ()).await?;
        String::from_utf8(answer)
            .map_err(|_| PackageError::Answer { command, reason: "text in UTF-8 was expected".into() })
    }

    /// Program and arguments, without the environment.
    pub(super) fn shown(&self) -> String {
        let command = self.command.as_std();
        let parts = std::iter::once(command.get_program()).chain(command.get_args());
        parts.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::CallerEnvironment;

    fn shell(script: &str, options: &PackageOptions) -> ToolCall {
        ToolCall::new("sh", "a test", Path::new("/"), options).args(["-c", script])
    }

    fn options() -> PackageOptions {
        let environment = CallerEnvironment::new(std::env::vars_os()).with("TZ", "Asia/Tokyo");
        PackageOptions::new("target", environment)
    }

    #[tokio::test]
    async fn messages_are_passed_on_and_the_answer_is_returned() {
        let mut seen = Vec::new();
        let call = shell("echo one >&2; echo answer; echo two >&2", &options());
        let answer = call.run(&mut |line| seen.push(line.to_owned())).await.expect("it runs");
        assert_eq!((answer.as_slice(), seen), (&b"answer\n"[..], vec!["one".to_owned(), "two".to_owned()]));
    }

    #[tokio::test]
    async fn a_failure_shows_the_end_of_the_messages() {
        let call = shell("for i in $(seq 40); do echo line $i >&2; done; exit 3", &options());
        let error = call.text().await.expect_err("it fails");
        let PackageError::Tool { tail, status, .. } = &error else { panic!("{error}") };
        assert_eq!(status.code(), Some(3));
        assert!(tail.starts_with("line 11\n") && tail.ends_with("line 40"), "{tail}");
    }

    #[tokio::test]
    async fn the_locale_and_the_time_zone_are_fixed() {
        let text = shell("echo $LC_ALL $TZ", &options()).text().await.expect("it runs");
        assert_eq!(text, "C UTC\n");
    }

    #[tokio::test]
    async fn a_missing_tool_is_named() {
        let call = ToolCall::new("no-such-tool-here", "a test", Path::new("/"), &options());
        let message = call.text().await.expect_err("missing").to_string();
        assert!(message.starts_with("cannot start `no-such-tool-here` (a test)"), "{message}");
    }
}
