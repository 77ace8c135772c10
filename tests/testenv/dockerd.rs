//! A Docker Engine of a test's own, in a folder of its own: it can be stopped, killed and started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::marked::MARK;
use super::{DOUBLE_AGENT, DOUBLE_TASK, TestEnv, wait_until};

/// The image of all tests.
const IMAGE: &str = "python:3.11-slim";

/// How agentmill and docker reach it.
#[derive(Debug, Clone, Copy)]
pub enum Address {
    Socket,
    /// On the loopback device.
    Tcp,
}

/// The engine, with the image in it; ended when dropped, and all that it started with it.
pub struct Dockerd {
    dir: TempDir,
    host: String,
    settings: String,
    daemon: Option<Child>,
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("dockerd")).find(|file| file.exists())
}

impl Dockerd {
    /// Starts one, with these settings as of `daemon.json`, and brings the image from the machine's own engine.
    ///
    /// # Errors
    /// Only root can, and needs the program dockerd.
    pub fn start(address: Address, settings: &str) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() || program().is_none() {
            return Err("no Docker Engine of the test's own: needs root and dockerd".into());
        }
        let dir = tempfile::Builder::new().prefix("dockerd-").tempdir().unwrap();
        let socket = dir.path().join("sock");
        let host = match address {
            Address::Socket => format!("unix://{}", socket.display()),
            Address::Tcp => super::forward::to_socket(socket),
        };
        let mut dockerd = Self { dir, host, settings: settings.to_owned(), daemon: None };
        dockerd.start_again();
        dockerd.bring_image();
        Ok(dockerd)
    }

    /// The value for `DOCKER_HOST`.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it, and waits until it answers.
    pub fn start_again(&mut self) {
        fs::write(self.file("daemon.json"), &self.settings).unwrap();
        let option = |name: &str, file: &str| format!("--{name}={}", self.file(file).display());
        let log = File::create(self.file("log")).unwrap();
        let socket = format!("unix://{}", self.file("sock").display());
        // In a network of its own: with --bridge=none it would remove the bridge of the machine's own engine.
        let daemon = Command::new("unshare")
            .arg("--net")
            .arg(program().expect("dockerd is there"))
            .args([option("config-file", "daemon.json"), option("pidfile", "pid")])
            .args([option("data-root", "data"), option("exec-root", "exec")])
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--host", &socket])
            .env(MARK, self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("dockerd starts");
        self.daemon = Some(daemon);
        wait_until("the test's own engine answers", || {
            let ended = self.daemon.as_mut().unwrap().try_wait().unwrap();
            assert_eq!(ended, None, "{}", fs::read_to_string(self.file("log")).unwrap_or_default());
            quiet(self.docker().arg("version"))
        });
    }

    /// Ends it with this signal, and waits until it has gone.
    pub fn end(&mut self, signal: Signal) {
        if let Some(mut daemon) = self.daemon.take() {
            kill_process(Pid::from_child(&daemon), signal).unwrap();
            daemon.wait().unwrap();
        }
        // Killed, it takes its containerd with it; the next one would take one that is just dying for its own.
        let file = self.file("exec/containerd/containerd.pid");
        if let Ok(pid) = fs::read_to_string(&file) {
            wait_until("containerd has ended", || !Path::new("/proc").join(pid.trim()).exists());
            let _ = fs::remove_file(file);
        }
    }

    fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.host()).env(MARK, self.dir.path());
        command
    }

    fn bring_image(&self) {
        if !quiet(Command::new("docker").args(["image", "inspect", IMAGE])) {
            TestEnv::new().task("double", DOUBLE_TASK).agent("ann", DOUBLE_AGENT).run();
        }
        let mut save = Command::new("docker");
        let save = save.args(["save", IMAGE]).env(MARK, self.dir.path()).stdout(Stdio::piped());
        let mut save = save.spawn().unwrap();
        let loaded = quiet(self.docker().arg("load").stdin(save.stdout.take().unwrap()));
        assert!(
            save.wait().unwrap().success() && loaded,
            "{IMAGE} can't be brought to the test's own engine"
        );
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        self.end(Signal::TERM);
        for shim in processes_naming(self.dir.path()) {
            let _ = kill_process(shim, Signal::KILL); // left by one that was killed; the container ends with it
        }
        for mount in mounts_below(self.dir.path()) {
            quiet(Command::new("umount").arg("--lazy").arg(mount));
        }
    }
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The processes with the folder's name on their command line.
fn processes_naming(folder: &Path) -> Vec<Pid> {
    let name = folder.to_str().unwrap();
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let named = entries.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(name)
    });
    named.filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

/// Mounts that it has left, innermost first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    let mut below: Vec<PathBuf> = places.filter(|place| place.starts_with(folder)).collect();
    below.sort();
    below.reverse();
    below
}
