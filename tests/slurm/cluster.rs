//! A Slurm of its own in a temporary folder: munged, slurmctld and slurmds, ended when dropped.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::ignorable::{Missing, Tested};
use crate::testenv::{TestEnv, wait_until};

const PROGRAMS: [&str; 5] = ["munged", "slurmctld", "slurmd", "srun", "squeue"];

/// Where daemons are installed, which is in root's PATH only.
const PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Fine where Slurm is installed.
fn needed() -> Tested {
    let is_there = PROGRAMS.into_iter().all(|name| find(name).is_some());
    is_there.then_some(()).ok_or_else(|| Missing("no Slurm: install slurm-wlm and munge".into()))?;
    find("docker")
        .map(drop)
        .ok_or_else(|| Missing("nodes run cells by Docker, which is not installed".into()))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    places.map(|place| place.join(name)).find(|file| file.exists())
}

/// Nodes `node1`, `node2`, ... of two CPUs and 4000 MB each, all on this machine, whatever it has.
pub struct Cluster {
    dir: TempDir,
    munged: Option<Child>,
    controller: Option<Child>,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    /// With so many nodes, once all are ready; where Slurm is installed.
    pub fn new(nodes: usize) -> Result<Self, Missing> {
        needed()?;
        let dir = tempfile::Builder::new().prefix("agentmill-slurm-").tempdir().unwrap();
        let mut cluster = Self { dir, munged: None, controller: None, nodes: Vec::new() };
        cluster.configure(nodes);
        cluster.start_munged();
        cluster.start_controller();
        cluster.nodes.resize_with(nodes, || None);
        (1..=nodes).for_each(|node| cluster.start_node(node));
        wait_until("all nodes are idle", || {
            cluster.ask("sinfo", &["-h", "-o", "%D %T"]) == format!("{nodes} idle")
        });
        Ok(cluster)
    }

    /// The file that `SLURM_CONF` must name.
    pub fn conf(&self) -> String {
        self.path("slurm.conf").to_str().unwrap().to_owned()
    }

    /// `env` with this cluster in its environment.
    pub fn of(&self, env: TestEnv) -> TestEnv {
        env.variable("SLURM_CONF", &self.conf())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self, nodes: usize) {
        let dir = self.dir.path();
        // slurmd's user must be able to look into it.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.join("state")).unwrap();
        (1..=nodes).for_each(|node| fs::create_dir(dir.join(format!("spool.node{node}"))).unwrap());
        fs::write(dir.join("key"), [7; 1024]).unwrap();
        fs::set_permissions(dir.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(dir.join("slurm.conf"), conf(dir, &free_ports(nodes + 1))).unwrap();
    }

    fn start_munged(&mut self) {
        let file = |option: &str, name: &str| format!("--{option}={}", self.path(name).display());
        let files = [file("socket", "munge.sock"), file("key-file", "key"), file("pid-file", "munged.pid")];
        let more = [file("log-file", "munged.log"), file("seed-file", "munged.seed")];
        self.munged =
            Some(self.daemon(
                "munged",
                &[&["--foreground", "--force"].map(String::from)[..], &files, &more].concat(),
            ));
        wait_until("munged listens", || self.path("munge.sock").exists());
    }

    /// Starts slurmctld, with what it knew when it ended.
    pub fn start_controller(&mut self) {
        self.controller = Some(self.daemon("slurmctld", &["-D".into(), "-i".into()]));
    }

    /// Ends slurmctld.
    pub fn stop_controller(&mut self) {
        end(self.controller.take());
    }

    fn start_node(&mut self, node: usize) {
        self.nodes[node - 1] =
            Some(self.daemon("slurmd", &["-D".into(), "-N".into(), format!("node{node}")]));
    }

    /// Ends slurmd and all that it has started, as if the machine had lost its power.
    pub fn kill_node(&mut self, node: usize) {
        if let Some(mut slurmd) = self.nodes[node - 1].take() {
            let _ = slurmd.kill();
            let _ = slurmd.wait();
        }
        for pid in self.processes_on(&format!("node{node}")) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// The steps' processes on a node and what looks after them.
    fn processes_on(&self, node: &str) -> Vec<Pid> {
        let marks = [format!("SLURMD_NODENAME={node}"), format!("SLURM_CONF={}", self.conf())];
        let is_marked = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let has = |mark: &String| environment.split(|byte| *byte == 0).any(|it| it == mark.as_bytes());
            marks.iter().all(has)
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let tasks: Vec<i32> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_marked).collect();
        let keepers = tasks.iter().filter_map(|pid| keeper(*pid));
        tasks.iter().copied().chain(keepers).filter_map(Pid::from_raw).collect()
    }

    fn daemon(&self, name: &str, args: &[String]) -> Child {
        let log =
            fs::File::create(self.path(&format!("{name}{}.out", args.last().unwrap().replace('/', "_"))))
                .unwrap();
        Command::new(find(name).unwrap())
            .args(args)
            .env("SLURM_CONF", self.conf())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Runs a command of Slurm; gives its output.
    pub fn ask(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program).args(args).env("SLURM_CONF", self.conf()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Ids and states of all jobs that are not over.
    pub fn jobs(&self) -> Vec<(String, String)> {
        let line = |line: &str| line.split_once(' ').map(|(id, state)| (id.to_owned(), state.to_owned()));
        self.ask("squeue", &["-h", "-o", "%A %T"]).lines().filter_map(line).collect()
    }

    /// Waits until so many jobs run.
    pub fn expect_running(&self, count: usize) {
        let running = || self.jobs().iter().filter(|(_, state)| state == "RUNNING").count();
        wait_until("so many jobs run", || running() >= count);
    }

    /// Waits until neither jobs nor steps are left.
    pub fn expect_nothing_left(&self) {
        wait_until("no job is left", || self.jobs().is_empty());
        wait_until("no step is left", || self.ask("squeue", &["-h", "--steps"]).is_empty());
    }

    /// The log of slurmctld.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("slurmctld.log")).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("slurmctld: {}", self.log());
            self.ask("scancel", &["--me", "--signal=KILL"]);
        }
        (1..=self.nodes.len()).for_each(|node| self.kill_node(node));
        end(self.controller.take());
        end(self.munged.take());
    }
}

fn end(daemon: Option<Child>) {
    if let Some(mut daemon) = daemon {
        let _ = kill_process(Pid::from_child(&daemon), Signal::TERM);
        let _ = daemon.wait();
    }
}

/// The slurmstepd above a task.
fn keeper(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let parent: i32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    (name.trim() == "slurmstepd").then_some(parent)
}

/// Ports that nobody listens on now.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

fn conf(dir: &Path, ports: &[u16]) -> String {
    let host = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let (user, dir) = (String::from_utf8(user).unwrap(), dir.display());
    let (controller, nodes) = ports.split_first().unwrap();
    let head = format!(
        "ClusterName=agentmill\n\
         SlurmctldHost={host}(127.0.0.1)\n\
         SlurmctldPort={controller}\n\
         SlurmUser={user}SlurmdUser={user}\
         AuthType=auth/munge\n\
         AuthInfo=socket={dir}/munge.sock\n\
         CredType=cred/munge\n\
         StateSaveLocation={dir}/state\n\
         SlurmctldPidFile={dir}/slurmctld.pid\n\
         SlurmctldLogFile={dir}/slurmctld.log\n\
         SlurmdPidFile={dir}/slurmd.%n.pid\n\
         SlurmdLogFile={dir}/slurmd.%n.log\n\
         SlurmdSpoolDir={dir}/spool.%n\n\
         SlurmdParameters=config_overrides\n\
         SlurmdTimeout=3\n\
         KillWait=5\n\
         ProctrackType=proctrack/linuxproc\n\
         TaskPlugin=task/none\n\
         MpiDefault=none\n\
         SelectType=select/cons_tres\n\
         SelectTypeParameters=CR_CPU_Memory\n\
         ReturnToService=2\n\
         PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    );
    nodes.iter().zip(1..).fold(head, |conf, (port, node)| {
        conf + &format!(
            "NodeName=node{node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=4000\n"
        )
    })
}
