//! Bundles for the OCI runtime without agentmill: the image's files, an agent's folder, the program's arguments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tools::{IMAGE, output};

/// Takes the files of an image out of Docker's store.
const TAKE: &str = "id=$(docker create --network none \"$1\" true) && docker export \"$id\" | tar -x -C \"$2\"; docker rm \"$id\"";

/// Where bundles are made.
pub struct Bundles {
    dir: TempDir,
    /// The document that `runc spec` prints.
    template: Value,
    made: AtomicUsize,
}

impl Bundles {
    /// Takes the image's files and the runtime's own example of a bundle.
    pub fn prepare() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("agentmill-bench-bundles-").tempdir()?;
        let root = dir.path().join("rootfs");
        fs::create_dir(&root)?;
        output(Command::new("sh").args(["-ec", TAKE, "sh", IMAGE]).arg(&root))?;
        output(Command::new("runc").args(["spec", "--bundle"]).arg(dir.path()))?;
        let template = serde_json::from_slice(&fs::read(dir.path().join("config.json"))?)?;
        Ok(Self { dir, template, made: AtomicUsize::new(0) })
    }

    /// The command that runs an agent on a prompt in a container of its own.
    pub fn command(&self, agent: &Path, prompt: &str) -> Command {
        let name =
            format!("agentmill-bench-{}-{}", std::process::id(), self.made.fetch_add(1, Ordering::Relaxed));
        let bundle = self.dir.path().join(&name);
        self.write(&bundle, agent, prompt).expect("a bundle can be written");
        let mut command = Command::new("runc");
        command.arg("--root").arg(self.dir.path().join("state"));
        command.args(["run", "--bundle"]).arg(bundle).arg(name);
        command
    }

    fn write(&self, bundle: &PathBuf, agent: &Path, prompt: &str) -> anyhow::Result<()> {
        let mut config = self.template.clone();
        config["root"] = json!({ "path": self.dir.path().join("rootfs"), "readonly": true });
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["python", "/mnt/agent.py", "--task", prompt]);
        config["process"]["env"] = json!(["PATH=/usr/local/bin:/usr/bin:/bin"]);
        let mount =
            json!({ "destination": "/mnt", "type": "bind", "source": agent, "options": ["rbind", "ro"] });
        config["mounts"].as_array_mut().expect("a list of mounts").push(mount);
        fs::create_dir(bundle)?;
        Ok(fs::write(bundle.join("config.json"), config.to_string())?)
    }
}
