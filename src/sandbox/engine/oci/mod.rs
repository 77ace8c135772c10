//! Containers without an engine: agentmill writes the bundle and has an OCI runtime, runc or crun, start it. The container's
//! first process is then our own child and its pipes are ours, with nobody in between.
//!
//! * `bundle`: a container in the specification's words; `seccomp`: what it may call
//! * `places`: where all that is kept, and by what right containers are started; `user_namespace`: the right of who is not root
//! * `rootfs`: images, as folders
//! * `instance`: what living and dead agentmills hold of this machine; `container`: a container's folder, mounts and control groups in one
//! * `init`: a container's first process; `deaths`: how those end; `orphans`: what a runtime leaves behind; `one_version`: what crun may not see

mod bundle;
mod container;
pub mod deaths;
pub mod init;
mod instance;
mod one_version;
mod orphans;
mod places;
mod rootfs;
mod seccomp;
mod user_namespace;

use std::collections::HashMap;
use std::io::{self, PipeReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::Pid;
use tracing::warn;
use wait_timeout::ChildExt;

use crate::sandbox::channel::piped::{Piped, Pipes};
use crate::sandbox::engine::oci::container::Container;
use crate::sandbox::engine::oci::deaths::{Death, Deaths, Following};
use crate::sandbox::engine::oci::init::{Init, Life};
use crate::sandbox::engine::oci::instance::{Instance, Instances};
use crate::sandbox::engine::oci::places::{Places, Right};
use crate::sandbox::engine::oci::rootfs::{Image, Images};
use crate::sandbox::engine::spec::Spec;
use crate::util::command::ask;

/// How long a runtime may take to start a container, or to say which version it is. On a starved machine a minute is nothing.
const START: Duration = Duration::from_secs(300);

/// How long a container may take to be gone once it has been killed.
const GONE: Duration = Duration::from_secs(20);

/// An OCI runtime as one agentmill uses it.
#[derive(Debug)]
pub struct Runtime {
    program: &'static str,
    places: &'static Places,
    /// Folder and control groups that this agentmill holds.
    instance: Instance,
    images: Images,
    deaths: Arc<Deaths>,
    live: Living,
}

/// The containers that have not been seen off, by name.
type Living = Arc<Mutex<HashMap<String, (Container, Arc<Life>)>>>;

impl Runtime {
    /// The runtime of this command; `folder` tells one agentmill from another.
    ///
    /// # Errors
    /// We are not root, and may not make what containers take: a user namespace, control groups with limits.
    pub fn new(program: &'static str, folder: &str) -> Result<Self, String> {
        let places = Places::ours()?;
        Ok(Self {
            program,
            places,
            instance: Instances::at(places).instance(folder),
            images: Images::new(places.images.clone()),
            deaths: Arc::default(),
            live: Arc::default(),
        })
    }

    /// Fails with the reason if no container can be started by this command.
    ///
    /// # Errors
    /// It is not there, or as of [`Runtime::new`].
    pub fn is_usable(program: &str) -> Result<(), String> {
        ask(program, &["--version"], START)?;
        Places::ours().map(drop)
    }

    /// The command.
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// Tells whether it is the one that leaves processes of its own behind, and masks files with one of the machine's.
    fn is_crun(&self) -> bool {
        self.program == "crun"
    }

    /// The images that it starts containers of.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// Starts a container.
    ///
    /// # Errors
    /// The runtime can't, and nothing of it is left; what it says.
    pub fn start(&self, spec: &Spec<'_>) -> Result<Piped<Init>, String> {
        let container = self.instance.container(spec.name);
        let started = self.make(&container, spec).and_then(|image| self.run(&container, spec, &image));
        if started.is_err() {
            let _ = container.remove();
        }
        started
    }

    fn make(&self, container: &Container, spec: &Spec<'_>) -> Result<Image, String> {
        self.prepare()?;
        let image = self.images.get(spec.image).map_err(|error| format!("image {}: {error}", spec.image))?;
        let mut config = bundle::config(spec, image.env(), &container.root(), container.groups_path());
        let mut make = || -> io::Result<()> {
            if self.is_crun() {
                bundle::mask_files(&mut config, &container.nothing()?);
            }
            if self.places.right == Right::UserNamespace {
                user_namespace::adapt(&mut config);
            }
            container.make(&image, &config)
        };
        make().map_err(|error| format!("no bundle for {}: {error}", spec.name))?;
        Ok(image)
    }

    fn prepare(&self) -> Result<(), String> {
        self.instance.hold().map_err(|error| format!("no place for containers: {error}"))?;
        // Whoever the runtime leaves without a parent becomes our child, so that we can wait for it.
        let here = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(here)).map_err(|error| error.to_string())
    }

    fn run(&self, container: &Container, spec: &Spec<'_>, image: &Image) -> Result<Piped<Init>, String> {
        let name = spec.name;
        let argv = container.argv(self.program, name, image);
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir("/").process_group(0);
        let (mut child, mut pipes) = self
            .spawn(&mut command)
            .map_err(|error| format!("can't be started ({error}); is {} installed?", self.program))?;
        started(&mut child)
            .map_err(|how| format!("{how}: {}", String::from_utf8_lossy(pipes.log()).trim()))?;
        let pid = container.first_process().map_err(|error| format!("no first process: {error}"))?;
        orphans::adopt(pid, START).map_err(|error| format!("the first process: {error}"))?;
        if self.is_crun() {
            thread::spawn(|| orphans::reap(GONE));
        }
        let life = Life::new(pid);
        if let Some(bound) = self.unbound(container, pid, spec) {
            life.kill();
            let _ = life.wait();
            return Err(format!("the kernel keeps no limit of {bound} for it"));
        }
        self.live.lock().insert(name.to_owned(), (container.clone(), Arc::clone(&life)));
        self.see_off(container.clone(), name.to_owned(), Arc::clone(&life));
        Ok(Piped::new(pipes, Init::new(life)))
    }

    /// Starts the runtime; where we are not root, `in_namespace.sh` sees to what it needs.
    fn spawn(&self, command: &mut Command) -> io::Result<(Child, Pipes)> {
        let hides = self.is_crun() && self.places.right == Right::Root && one_version::is_of_two();
        match hides {
            true => one_version::within(|| Pipes::spawn(command)),
            false => Pipes::spawn(command),
        }
    }

    /// A bound that a container of a user's lacks: a runtime that is not root's may take a limit that it can't set for one that need not be.
    fn unbound(&self, container: &Container, pid: Pid, spec: &Spec<'_>) -> Option<&'static str> {
        match self.places.right {
            Right::Root => None,
            Right::UserNamespace => container.unbound(pid, &spec.bounds),
        }
    }

    /// Tells of the container's death once it has come, and removes what is left.
    fn see_off(&self, container: Container, name: String, life: Arc<Life>) {
        let (deaths, live) = (Arc::clone(&self.deaths), Arc::clone(&self.live));
        init::after(life, move |ended| {
            let (code, ordered) = ended.unwrap_or((0, true));
            deaths.tell(&name, Death { code, oom_kills: container.oom_kills().unwrap_or(0), ordered });
            if let Err(error) = container.remove() {
                warn!(name, %error, "something of a container stays");
            }
            live.lock().remove(&name);
        });
    }

    /// How many processes of a living container the kernel has killed for want of memory.
    pub fn oom_kills(&self, name: &str) -> Option<u64> {
        let container = self.live.lock().get(name)?.0.clone();
        container.oom_kills()
    }

    /// Ends containers by name, and waits until they are gone.
    pub fn remove(&self, names: &[&str]) {
        let named: Vec<Arc<Life>> = {
            let live = self.live.lock();
            names.iter().filter_map(|name| Some(Arc::clone(&live.get(*name)?.1))).collect()
        };
        named.iter().for_each(|life| life.kill());
        for life in named {
            life.is_gone(GONE);
        }
    }

    /// Removes all containers of this folder, be they of an earlier session, and tells how many there were; and those of
    /// whatever agentmill on this machine is dead.
    pub fn sweep(&self) -> usize {
        match self.prepare() {
            Ok(()) => {
                Instances::at(self.places).sweep();
                self.instance.sweep()
            }
            Err(_) => 0, // the first start tells of it
        }
    }

    /// The deaths of its containers, so far and to come.
    ///
    /// # Errors
    /// There is no pipe to be had.
    pub fn follow(&self) -> io::Result<(Following, PipeReader)> {
        self.deaths.follow()
    }
}

/// Waits until the runtime has started its container and left.
fn started(child: &mut Child) -> Result<(), String> {
    match child.wait_timeout(START) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(status.to_string()),
        other => {
            let _ = child.kill();
            let _ = child.wait();
            Err(other
                .err()
                .map_or_else(|| format!("no answer within {} s", START.as_secs()), |error| error.to_string()))
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let names: Vec<String> = self.live.lock().keys().cloned().collect();
        self.remove(&names.iter().map(String::as_str).collect::<Vec<_>>());
        self.instance.leave();
        if self.is_crun() {
            orphans::reap(GONE);
        }
    }
}
