//! A test's containers and processes, as the engine and the kernel know them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::UNIX_EPOCH;

use tempfile::NamedTempFile;

use super::marked::{MARK, mark_of};
use super::{TestEnv, direct, wait_until};

impl TestEnv {
    /// The label that all containers for the folder with this results/ carry.
    fn label_of(results: &Path) -> String {
        Self::label(results, &[])
    }

    /// The same where cells are launched, which is told from other hosts' folders.
    fn launched_label_of(results: &Path) -> String {
        Self::label(results, &[rustix::system::uname().nodename().to_bytes()])
    }

    fn label(results: &Path, host: &[&[u8]]) -> String {
        let results = results.canonicalize().unwrap_or_else(|_| results.to_owned());
        let folder = agentmill::util::digest::hex([&[results.as_os_str().as_bytes()], host].concat());
        format!("label=agentmill.folder={}", &folder[..16])
    }

    /// The names of this folder's containers, in whatever state they are.
    pub fn containers(&self) -> Vec<String> {
        let results = self.path("results");
        if self.is_direct {
            return direct::containers(direct_label(&Self::label_of(&results)));
        }
        let names = [Self::label_of(&results), Self::launched_label_of(&results)]
            .map(|label| self.docker(&["ps", "--all", "--filter", &label, "--format", "{{.Names}}"]));
        names.iter().flat_map(|names| names.lines()).map(str::to_owned).collect()
    }

    fn client(&self) -> Command {
        let mut command = Command::new(self.program);
        command.env(MARK, self.dir());
        if let Some(host) = &self.engine {
            command.env("DOCKER_HOST", host);
        }
        command
    }

    fn docker(&self, args: &[&str]) -> String {
        let output = self.client().args(args).output().unwrap();
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The processes that are left of the commands started here, as `pid command line`.
    pub fn processes(&self) -> Vec<String> {
        let has_mark =
            |pid: &String| mark_of(pid).is_some_and(|mark| mark == self.dir().as_os_str().as_bytes());
        let entries =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        entries.filter(has_mark).map(|pid| format!("{pid} {}", command_line(&pid))).collect()
    }

    /// Waits until nothing runs in the folder's containers any more. Without an engine, what is left of them beside that is the next
    /// agentmill's to remove.
    pub fn expect_nothing_runs(&self) {
        let label = Self::label_of(&self.path("results"));
        match self.is_direct {
            true => wait_until("nothing runs", || direct::processes(direct_label(&label)).is_empty()),
            false => wait_until("no container is left", || self.containers().is_empty()),
        }
    }

    /// Waits until the folder has neither containers nor processes.
    pub fn expect_nothing_left(&self) {
        wait_until("no container is left", || self.containers().is_empty());
        wait_until("no process is left", || self.processes().is_empty());
    }

    /// Does `work`; gives its result and the names of the containers that the engine started meanwhile for results/.
    pub fn starts<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        self.starts_for(&self.path("results"), work)
    }

    /// The same for another results folder.
    pub fn starts_for<T>(&self, results: &Path, work: impl FnOnce() -> T) -> (T, Vec<String>) {
        let label = Self::label_of(results);
        if self.is_direct {
            let starts = direct::Starts::follow(direct_label(&label));
            return (work(), starts.names());
        }
        let log = EventLog::follow(self, &label);
        let value = work();
        (value, log.starts())
    }
}

/// The part of a filter that names the folder.
fn direct_label(filter: &str) -> &str {
    filter.rsplit('=').next().unwrap_or_default()
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let label = Self::label_of(&self.path("results"));
            if let Ok(left) = self.client().args(["ps", "--all", "--quiet", "--filter", &label]).output() {
                let ids = String::from_utf8_lossy(&left.stdout).into_owned();
                let _ = self.client().args(["rm", "--force"]).args(ids.split_whitespace()).output();
            }
        } else {
            self.expect_nothing_left();
        }
    }
}

/// The engine's events for one label, from its making on.
struct EventLog<'a> {
    env: &'a TestEnv,
    label: String,
    client: Child,
    lines: NamedTempFile,
}

impl<'a> EventLog<'a> {
    fn follow(env: &'a TestEnv, label: &str) -> Self {
        let lines = NamedTempFile::new().unwrap();
        let now = UNIX_EPOCH.elapsed().unwrap();
        let since = format!("--since={}.{:09}", now.as_secs(), now.subsec_nanos());
        let format = match env.program {
            "podman" => "--format={{.Status}} {{.Name}}",
            _ => "--format={{.Action}} {{.Actor.Attributes.name}}",
        };
        let client = env
            .client()
            .args(["events", &since, format, "--filter", label])
            .stdout(Stdio::from(lines.reopen().unwrap()))
            .spawn()
            .unwrap();
        Self { env, label: label.to_owned(), client, lines }
    }

    /// The names in all `start` events so far. A container of our own, made last, tells that all have come.
    fn starts(self) -> Vec<String> {
        let label = self.label.replacen("label=", "--label=", 1);
        let fence = self.env.docker(&["create", &label, "python:3.11-slim", "true"]);
        let name = self.env.docker(&["inspect", "--format={{.Name}}", &fence]);
        let name = name.trim_start_matches('/');
        self.env.docker(&["rm", &fence]);
        let read = || fs::read_to_string(self.lines.path()).unwrap();
        wait_until("the engine's log is complete", || read().contains(&format!("create {name}\n")));
        read().lines().filter_map(|line| line.strip_prefix("start ")).map(str::to_owned).collect()
    }
}

impl Drop for EventLog<'_> {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

fn command_line(pid: &str) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    words.join(" ").chars().take(200).collect()
}
