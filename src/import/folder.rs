//! Folders as they are given: all that will be read lies in them.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};

/// Checks a folder and all below it, but for what is hidden: files and folders, and links to files inside of it.
///
/// # Errors
/// The path of what is something else: a link that leads out of the folder would bring in a file of somebody else's,
/// a pipe or a device might never end.
pub(super) fn check(root: &Path) -> anyhow::Result<()> {
    let real = root.canonicalize()?;
    ensure!(real.is_dir(), "it is no folder");
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("can't read {}", folder.display()))? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => {}
                kind if kind.is_symlink() => check_link(&entry.path(), &real)?,
                _ => bail!("{} is neither a file nor a folder", entry.path().display()),
            }
        }
    }
    Ok(())
}

fn check_link(link: &Path, root: &Path) -> anyhow::Result<()> {
    let name = link.display();
    let Ok(real) = link.canonicalize() else { bail!("{name} leads nowhere") };
    match real.starts_with(root) {
        false => bail!("{name} leads out of the folder"),
        true if real.is_dir() => bail!("{name} is a link to a folder, which might hold itself"),
        true if !real.is_file() => bail!("{name} is neither a file nor a folder"),
        true => Ok(()),
    }
}
