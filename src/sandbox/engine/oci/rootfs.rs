//! Images as folders: taken once from an engine's store, or built, and then shared, read-only, by all containers that no
//! engine starts. The name of an image stays with what it was when it was taken; remove the folder to take it anew.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::sandbox::engine::cli::interruptible::{Interruptible, Unfinished};
use crate::sandbox::engine::cli::supply::{self, ENGINES};
use crate::ui::{Event, Events};
use crate::util::command::ask;
use crate::util::{atomic_file, private};

/// Says at its top what it does.
const TAKE: &str = include_str!("take_image.sh");

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// How long another agentmill may be at it: pulling from each engine, building, and taking.
const OTHERS: Duration = Duration::from_secs(
    ENGINES.len() as u64 * supply::PULL.as_secs() + supply::BUILT.as_secs() + PATIENCE.as_secs(),
);

/// Between two looks whether it still is, and whether it is still waited for.
const LOOK: Duration = Duration::from_millis(200);

/// The environment of the image that is built here.
const BUILT_ENV: [&str; 2] =
    ["LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"];

/// The folder of all images.
#[derive(Debug)]
pub struct Images {
    folder: PathBuf,
}

/// An image that is there.
#[derive(Debug)]
pub struct Image {
    folder: PathBuf,
    about: About,
}

/// Facts about an image beside its files.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    id: String,
    env: Vec<String>,
}

impl Image {
    /// Variables that its programs expect.
    pub fn env(&self) -> &[String] {
        &self.about.env
    }

    /// The folder that it lies in, with those of its overlay mount: `empty` and `root`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Options of an overlay mount of it. The kernel wants two folders where nothing is written.
    pub fn layers(&self) -> std::ffi::CString {
        let path = |name| self.folder.join(name).display().to_string();
        std::ffi::CString::new(format!("lowerdir={}:{}", path("empty"), path("root")))
            .expect("paths hold no zero byte")
    }
}

impl Images {
    /// Those in a folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The id of an image if it is there.
    pub fn find(&self, name: &str) -> Option<String> {
        let id = self.names().remove(name)?;
        self.get(&id).is_ok().then_some(id)
    }

    /// An image by its id.
    ///
    /// # Errors
    /// It is not there.
    pub fn get(&self, id: &str) -> io::Result<Image> {
        let folder = self.place(id);
        let about = serde_json::from_slice(&fs::read(folder.join("image.json"))?)?;
        Ok(Image { folder, about })
    }

    /// The id of an image, after getting it if it is not there: from an engine, which may have to pull it, or built.
    ///
    /// # Errors
    /// There is no way to it; or it was stopped.
    pub fn ensure(
        &self,
        name: &str,
        events: &Events,
        interruptible: &Interruptible,
    ) -> Result<String, Unfinished> {
        if let Some(id) = self.find(name) {
            return Ok(id);
        }
        let failed = |error: io::Error| self.failed(&error);
        let _one_at_a_time = self.lock(name, events, interruptible)?;
        if let Some(id) = self.find(name) {
            return Ok(id);
        }
        let fresh = self.fresh().map_err(failed)?;
        let about = fetch(name, &fresh, events, interruptible)?;
        self.keep(name, &fresh, &about).map_err(failed)?;
        Ok(about.id)
    }

    fn place(&self, id: &str) -> PathBuf {
        self.folder.join(id.replace([':', '/'], "-"))
    }

    fn names(&self) -> BTreeMap<String, String> {
        let text = fs::read(self.folder.join("names.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn try_lock(&self, patience: Duration) -> io::Result<File> {
        fs::create_dir_all(self.folder.parent().unwrap_or(Path::new("/")))?;
        private::folder(&self.folder)?;
        private::lock(&self.folder.join("lock"), patience)
    }

    /// Keeps others from the folder; one that is just getting an image is let finish.
    fn lock(&self, name: &str, events: &Events, interruptible: &Interruptible) -> Result<File, Unfinished> {
        let mut told = false;
        let deadline = Instant::now() + OTHERS;
        loop {
            match self.try_lock(LOOK) {
                Ok(lock) => return Ok(lock),
                Err(_) if interruptible.are_stopped() => return Err(Unfinished::Stopped),
                Err(error) if error.kind() == io::ErrorKind::TimedOut && Instant::now() < deadline => {
                    if !std::mem::replace(&mut told, true) {
                        let text = format!("waiting for {name}: another agentmill is just getting an image");
                        events.send(Event::Image(text));
                    }
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Unfinished {
        Unfinished::Failed(format!("{}: {error}", self.folder.display()))
    }

    /// An empty place for the next image; removes what an earlier, killed agentmill left there.
    fn fresh(&self) -> io::Result<PathBuf> {
        let fresh = self.folder.join("new");
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&fresh)?,
        }
        Ok(fresh)
    }

    /// Puts an image into its place, whole and on the disk, and then its name.
    fn keep(&self, name: &str, fresh: &Path, about: &About) -> io::Result<()> {
        fs::create_dir(fresh.join("empty"))?;
        // The topmost layer's mode is that of the root folder, which every user goes through.
        fs::set_permissions(fresh.join("empty"), Permissions::from_mode(0o755))?;
        fs::write(fresh.join("image.json"), serde_json::to_vec(about)?)?;
        rustix::fs::syncfs(File::open(fresh)?)?;
        let place = self.place(&about.id);
        if self.get(&about.id).is_err() {
            fs::rename(fresh, place)?;
        }
        let mut names = self.names();
        names.insert(name.to_owned(), about.id.clone());
        atomic_file::replace(&self.folder.join("names.json"), &serde_json::to_vec(&names)?)?;
        Ok(())
    }
}

/// Fills `fresh` with an image's files, from whoever has them first.
fn fetch(
    name: &str,
    fresh: &Path,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<About, Unfinished> {
    let found = ENGINES.map(|program| (program, supply::find(program, name)));
    let had = found.iter().find_map(|(program, found)| Some((program, found.as_ref().ok()?.clone()?)));
    if let Some((program, id)) = had {
        return take(program, id, name, fresh, events, interruptible);
    }
    let mut reasons = Vec::new();
    for program in found.iter().filter(|(_, found)| found.is_ok()).map(|(program, _)| program) {
        match supply::pull(program, name, events, interruptible) {
            Err(Unfinished::Stopped) => return Err(Unfinished::Stopped),
            Err(Unfinished::Failed(reason)) => reasons.push(format!("{program} pull: {reason}")),
            Ok(()) => {
                if let Ok(Some(id)) = supply::find(program, name) {
                    return take(program, id, name, fresh, events, interruptible);
                }
            }
        }
    }
    if reasons.is_empty() {
        reasons.push("neither Docker nor Podman answers".to_owned());
    }
    build(name, &reasons.join("; "), fresh, events, interruptible)
}

fn take(
    program: &str,
    id: String,
    name: &str,
    fresh: &Path,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<About, Unfinished> {
    events.send(Event::Image(format!("taking {name} from {program}")));
    let root = fresh.join("root").display().to_string();
    interruptible.run(&["sh", "-c", TAKE, "take_image.sh", program, &id, &root], PATIENCE, |_| {})?;
    let asked = ask(program, &["image", "inspect", "--format", "{{json .Config.Env}}", &id], PATIENCE);
    let env: Option<Vec<String>> = serde_json::from_str(&asked.map_err(Unfinished::Failed)?)
        .map_err(|error| Unfinished::Failed(error.to_string()))?;
    Ok(About { id, env: env.unwrap_or_default() })
}

fn build(
    name: &str,
    why: &str,
    fresh: &Path,
    events: &Events,
    interruptible: &Interruptible,
) -> Result<About, Unfinished> {
    let root = fresh.join("root");
    supply::build(("folder", &root.display().to_string()), name, why, events, interruptible)?;
    let digest = fs::read_to_string(root.with_extension("sha256"));
    let digest = digest.map_err(|error| Unfinished::Failed(error.to_string()))?;
    Ok(About { id: format!("sha256:{}", digest.trim()), env: BUILT_ENV.map(str::to_owned).into() })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn images() -> (tempfile::TempDir, Images) {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::new(folder.path().join("images"));
        (folder, images)
    }

    #[test]
    fn an_image_is_there_once_it_is_whole() {
        let (_folder, images) = images();
        assert_eq!(images.find("a:1"), None);
        let _lock = images.try_lock(Duration::ZERO).unwrap();
        let fresh = images.fresh().unwrap();
        fs::create_dir(fresh.join("root")).unwrap();
        let about = About { id: "sha256:1".into(), env: vec!["A=b".into()] };
        images.keep("a:1", &fresh, &about).unwrap();
        assert_eq!(images.find("a:1").as_deref(), Some("sha256:1"));
        let image = images.get("sha256:1").unwrap();
        assert_eq!(image.env(), ["A=b"]);
        assert!(image.layers().to_str().unwrap().ends_with("/images/sha256-1/root"));
    }

    #[test]
    fn a_name_whose_image_is_gone_is_unknown_and_leftovers_go() {
        let (_folder, images) = images();
        let _lock = images.try_lock(Duration::ZERO).unwrap();
        fs::write(images.folder().join("names.json"), r#"{"a:1": "sha256:1"}"#).unwrap();
        assert_eq!(images.find("a:1"), None);
        fs::create_dir_all(images.folder().join("new/root/etc")).unwrap();
        assert_eq!(fs::read_dir(images.fresh().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn another_agentmill_is_let_finish_and_its_image_taken() {
        let (_folder, images) = images();
        let held = images.try_lock(Duration::ZERO).unwrap();
        let (events, told) = Events::channel();
        let interruptible = Interruptible::default();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| images.ensure("a:1", &events, &interruptible));
            assert!(
                matches!(told.iter().next(), Some(Event::Image(text)) if text.contains("another agentmill"))
            );
            let fresh = images.fresh().unwrap();
            images.keep("a:1", &fresh, &About { id: "sha256:1".into(), env: Vec::new() }).unwrap();
            drop(held);
            assert_eq!(waiting.join().unwrap(), Ok("sha256:1".to_owned()));
        });
    }

    #[test]
    fn who_waits_for_another_agentmill_can_be_stopped() {
        let (_folder, images) = images();
        let _held = images.try_lock(Duration::ZERO).unwrap();
        let ((events, _told), interruptible) = (Events::channel(), Interruptible::default());
        interruptible.stop();
        assert_eq!(images.ensure("a:1", &events, &interruptible), Err(Unfinished::Stopped));
    }

    /// An engine of one image: `create` gives a container's number, `export` writes a root without any folder.
    const ENGINE: &str =
        "#!/bin/sh\ncase $1 in create) echo 1 ;; export) tar -cf \"$3\" -T /dev/null ;; esac\n";

    #[test]
    fn folders_are_open_to_other_users_whatever_the_umask() {
        let name = "sandbox::engine::oci::rootfs::tests::folders_are_open_to_other_users_whatever_the_umask";
        if std::env::var_os("AGENTMILL_TEST_UMASK").is_none() {
            // The mask is the whole process's, and other tests are beside this one.
            let again = "umask 077; exec \"$0\" --exact \"$1\"";
            let program = std::env::current_exe().unwrap();
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", again]).arg(program).arg(name).env("AGENTMILL_TEST_UMASK", "077");
            let output = shell.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{said}");
            return;
        }
        let (folder, images) = images();
        let engine = folder.path().join("engine");
        fs::write(&engine, ENGINE).unwrap();
        fs::set_permissions(&engine, Permissions::from_mode(0o755)).unwrap();
        let _lock = images.try_lock(Duration::ZERO).unwrap();
        let fresh = images.fresh().unwrap();
        let words = ["sh", "-c", TAKE, "take_image.sh", engine.to_str().unwrap(), "a:1"];
        let root = fresh.join("root");
        Interruptible::default()
            .run(&[&words[..], &[root.to_str().unwrap()]].concat(), PATIENCE, |_| {})
            .unwrap();
        images.keep("a:1", &fresh, &About { id: "sha256:1".into(), env: Vec::new() }).unwrap();
        let place = images.folder().join("sha256-1");
        for folder in ["empty", "root", "root/dev", "root/proc", "root/tmp"] {
            let mode = fs::metadata(place.join(folder)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o755, "{folder}");
        }
    }
}
