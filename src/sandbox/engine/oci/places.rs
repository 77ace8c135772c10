//! Places: where this process keeps images, bundles and control groups, and by what right it starts containers.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use rustix::process::geteuid;

use crate::sandbox::engine::delegation;
use crate::sandbox::engine::oci::user_namespace;
use crate::util::user_cache;

/// The name of all that is ours in places that others share.
const NAME: &str = "agentmill";

/// Places of this process.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of all images.
    pub images: PathBuf,
    /// The folder of all bundles.
    pub bundles: PathBuf,
    /// The path of the control groups, in each hierarchy.
    pub groups: String,
    /// The right to start containers.
    pub right: Right,
}

/// The right by which containers are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// We are root.
    Root,
    /// We are not, and each container is started as root of a user namespace of its own.
    UserNamespace,
}

/// They are found once: whoever is not root moves itself into a control group for it.
static OURS: LazyLock<Result<Places, String>> = LazyLock::new(|| match geteuid().is_root() {
    true => Ok(Places::of_root()),
    false => Places::of_user().map_err(|reason| format!("can't start containers without root: {reason}")),
});

impl Places {
    /// Those of this process.
    ///
    /// # Errors
    /// We may not start containers; the reason, and what to do about it.
    pub fn ours() -> Result<&'static Self, String> {
        OURS.as_ref().map_err(Clone::clone)
    }

    fn of_root() -> Self {
        Self {
            images: format!("/var/cache/{NAME}").into(),
            bundles: format!("/run/{NAME}").into(),
            groups: format!("/{NAME}"),
            right: Right::Root,
        }
    }

    fn of_user() -> Result<Self, String> {
        let no_home = || "there is no folder for images: HOME is not set".to_owned();
        let images = user_cache::folder("rootfs").ok_or_else(no_home)?;
        let session = env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
        let session = session.map(|folder| PathBuf::from(folder).join(NAME));
        let bundles = session.or_else(|| user_cache::folder("run")).ok_or_else(no_home)?;
        let above = bundles.parent().ok_or_else(no_home)?;
        fs::create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))?;
        user_namespace::can_be_made(above)?;
        let groups = format!("{}/{NAME}", delegation::group(NAME)?);
        Ok(Self { images, bundles, groups, right: Right::UserNamespace })
    }
}
