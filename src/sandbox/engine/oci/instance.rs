//! Instance: what one agentmill holds of the machine, a folder and control groups of its label's name. The folder is held as long as that
//! agentmill lives, so that others can tell what a dead one has left from what a living one uses.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::{debug, warn};

use crate::sandbox::engine::control_groups::ControlGroups;
use crate::sandbox::engine::oci::container::Container;
use crate::sandbox::engine::oci::places::{Places, Right};
use crate::util::private;

/// How long whoever held the folder before may take to let go of it.
const LET_GO: Duration = Duration::from_secs(60);

/// All agentmills of this machine that have the same places.
#[derive(Debug, Clone)]
pub struct Instances {
    folder: PathBuf,
    /// The path of the control groups, in each hierarchy.
    groups: String,
    right: Right,
}

/// One agentmill of this machine.
#[derive(Debug)]
pub struct Instance {
    instances: Instances,
    label: String,
    held: Mutex<Option<File>>,
}

impl Instances {
    /// Those that have these places.
    pub fn at(places: &Places) -> Self {
        let Places { bundles, groups, right, .. } = places.clone();
        Self { folder: bundles, groups, right }
    }

    /// The one of this label.
    pub fn instance(self, label: &str) -> Instance {
        Instance { instances: self, label: label.to_owned(), held: Mutex::default() }
    }

    /// Removes what dead agentmills have left; tells of how many.
    pub fn sweep(&self) -> usize {
        let mut swept = 0;
        for label in folders(&self.folder) {
            let instance = self.clone().instance(&label);
            if instance.try_hold(Duration::ZERO).is_ok() {
                debug!(label, "removing what a dead agentmill has left");
                instance.sweep();
                instance.leave();
                swept += 1;
            }
        }
        // Whose folder is out of sight may live elsewhere: only where nothing runs they can be removed.
        for label in ControlGroups::at(&self.groups).below() {
            if !self.folder.join(&label).exists() {
                ControlGroups::at(&format!("{}/{label}", self.groups)).remove_if_empty();
            }
        }
        swept
    }
}

impl Instance {
    /// A container of this name in it.
    pub fn container(&self, name: &str) -> Container {
        Container::new(&self.folder(), &self.groups(), name, self.instances.right)
    }

    fn folder(&self) -> PathBuf {
        self.instances.folder.join(&self.label)
    }

    fn groups(&self) -> String {
        format!("{}/{}", self.instances.groups, self.label)
    }

    /// Holds it from now on.
    ///
    /// # Errors
    /// Another agentmill holds it, or it can't be made.
    pub fn hold(&self) -> io::Result<()> {
        self.try_hold(LET_GO)
    }

    fn try_hold(&self, patience: Duration) -> io::Result<()> {
        let mut held = self.held.lock();
        if held.is_none() {
            private::folder(&self.instances.folder)?;
            *held = Some(private::hold(&self.folder(), patience)?);
        }
        Ok(())
    }

    /// Removes all containers in it; tells how many there were.
    pub fn sweep(&self) -> usize {
        let mut names = folders(&self.folder());
        names.extend(ControlGroups::at(&self.groups()).below());
        names.sort();
        names.dedup();
        for name in &names {
            if let Err(error) = self.container(name).left_by_another().remove() {
                warn!(name, %error, "something of a container stays");
            }
        }
        names.len()
    }

    /// Removes it if it is held and empty, and lets go of it.
    pub fn leave(&self) {
        let held = self.held.lock().take();
        if held.is_some() {
            let _ = ControlGroups::at(&self.groups()).remove();
            let _ = fs::remove_dir(self.folder());
        }
    }
}

/// Names of the folders in one.
fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_have_left_goes_and_what_the_living_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, groups) = (folder.path().join("run"), "/agentmill-nowhere".to_owned());
        let instances = Instances { folder, groups, right: Right::Root };
        let living = instances.clone().instance("living");
        living.hold().unwrap();
        let bundle = |label: &str| instances.folder.join(label).join("cell/root");
        for label in ["living", "dead"] {
            fs::create_dir_all(bundle(label)).unwrap();
        }
        assert_eq!(instances.sweep(), 1);
        assert!(bundle("living").exists() && !instances.folder.join("dead").exists());
        let other = instances.clone().instance("living");
        assert!(other.try_hold(Duration::ZERO).is_err(), "it is held");
        other.leave();
        assert!(bundle("living").exists(), "who does not hold it removes nothing");
        assert_eq!(living.sweep(), 1);
        living.leave();
        assert_eq!(folders(&instances.folder), [""; 0]);
    }
}
