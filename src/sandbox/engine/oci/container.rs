//! A container's things: its folder with the bundle, its root, its control groups. All of it outlives its processes.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::Pid;
use serde_json::Value;

use crate::sandbox::engine::control_groups::ControlGroups;
use crate::sandbox::engine::oci::places::Right;
use crate::sandbox::engine::oci::rootfs::Image;
use crate::sandbox::engine::oci::user_namespace;
use crate::sandbox::engine::spec::Bounds;
use crate::util::private;

/// A container by its name, there or not.
#[derive(Debug, Clone)]
pub struct Container {
    folder: PathBuf,
    /// The path of its control groups in each hierarchy.
    groups_path: String,
    groups: ControlGroups,
    right: Right,
}

impl Container {
    /// The container whose folder is below `folder`, and its control groups below `groups`.
    pub fn new(folder: &Path, groups: &str, name: &str, right: Right) -> Self {
        let groups_path = format!("{groups}/{name}");
        Self { folder: folder.join(name), groups: ControlGroups::at(&groups_path), groups_path, right }
    }

    /// The container as another agentmill has left it, whose control groups need not have been below ours.
    pub fn left_by_another(mut self) -> Self {
        let config: Option<Value> = fs::read(self.folder.join("config.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(path) = config.as_ref().and_then(|it| it["linux"]["cgroupsPath"].as_str()) {
            self.groups = ControlGroups::at(path);
            path.clone_into(&mut self.groups_path);
        }
        self
    }

    /// The path of its control groups.
    pub fn groups_path(&self) -> &str {
        &self.groups_path
    }

    /// The folder that its files are mounted on.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Makes the bundle. The image is mounted once more for it, as an overlay without an upper folder: containers then share
    /// its pages but no inode, so that no lock, lease or watch on a file is seen from another one. In a user namespace that is done by the
    /// command that starts it.
    ///
    /// # Errors
    /// A file can't be written, or the image not be mounted.
    pub fn make(&self, image: &Image, config: &Value) -> io::Result<()> {
        private::folder(&self.folder)?;
        private::folder(&self.root())?;
        let mut options = fs::File::options();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(self.folder.join("config.json"))?;
        file.write_all(config.to_string().as_bytes())?;
        let flags = MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOSUID;
        if self.right == Right::Root {
            mount("overlay", self.root(), "overlay", flags, &*image.layers())?;
        }
        Ok(())
    }

    /// An empty file that no other container has.
    ///
    /// # Errors
    /// It can't be made.
    pub fn nothing(&self) -> io::Result<PathBuf> {
        private::folder(&self.folder)?;
        private::folder(&self.masks())?;
        let file = self.masks().join("nothing");
        if self.right == Right::UserNamespace {
            return Ok(file); // made by the command that starts it
        }
        let flags = MountFlags::NODEV | MountFlags::NOSUID | MountFlags::NOEXEC;
        mount("tmpfs", self.masks(), "tmpfs", flags, c"mode=755,size=4k")?;
        fs::File::options().write(true).create_new(true).mode(0o444).open(&file)?;
        Ok(file)
    }

    fn masks(&self) -> PathBuf {
        self.folder.join("masks")
    }

    /// The command that starts it and leaves it to us.
    pub fn argv(&self, program: &str, name: &str, image: &Image) -> Vec<String> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let [state, pid, bundle] = [path("state"), path("pid"), self.folder.display().to_string()];
        let words = ["--root", &state, "run", "--detach", "--pid-file", &pid, "--bundle", &bundle, name];
        let argv = [program].into_iter().chain(words).map(str::to_owned).collect();
        match self.right {
            Right::Root => argv,
            Right::UserNamespace => user_namespace::argv(&self.folder, image.folder(), argv),
        }
    }

    /// The first process, once it has been started.
    ///
    /// # Errors
    /// The runtime has not said which it is.
    pub fn first_process(&self) -> io::Result<Pid> {
        let text = fs::read_to_string(self.folder.join("pid"))?;
        text.trim()
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("no process's number"))
    }

    /// A bound that the kernel does not keep for this process of it.
    pub fn unbound(&self, pid: Pid, bounds: &Bounds) -> Option<&'static str> {
        self.groups.unbound(pid, bounds)
    }

    /// How many of its processes the kernel has killed for want of memory.
    pub fn oom_kills(&self) -> Option<u64> {
        self.groups.oom_kills()
    }

    /// Removes all of it, after the end of what still runs in it.
    ///
    /// # Errors
    /// Something of it stays.
    pub fn remove(&self) -> io::Result<()> {
        self.groups.remove()?;
        for place in [self.root(), self.masks()] {
            let _ = unmount(place, UnmountFlags::DETACH); // may not be mounted yet, or no more
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_has_the_groups_that_its_bundle_names() {
        let place = tempfile::tempdir().unwrap();
        let container = Container::new(place.path(), "/ours", "cell", Right::UserNamespace);
        assert_eq!(container.clone().left_by_another().groups_path(), "/ours/cell");
        fs::create_dir(place.path().join("cell")).unwrap();
        let config = r#"{"linux": {"cgroupsPath": "/theirs/cell"}}"#;
        fs::write(place.path().join("cell/config.json"), config).unwrap();
        assert_eq!(container.left_by_another().groups_path(), "/theirs/cell");
    }
}
