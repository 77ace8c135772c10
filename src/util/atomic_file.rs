//! Atomic replacement of files: readers see the old file or the new one, never half of it.

use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

const PREFIX: &str = ".agentmill-";
const SUFFIX: &str = ".tmp";

/// Bytes that are written or compared at a time.
const CHUNK: usize = 1 << 16;

/// Puts `bytes` at `path` unless they are there already; true if it wrote.
///
/// The data is synced before the rename, so that even after a power loss there is no half file.
///
/// # Errors
/// The folder is missing, or the file can't be written; the message names the file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if old(path).is_some_and(|mut old| is_same(&mut old, &mut io::Cursor::new(bytes)).unwrap_or(false)) {
        return Ok(false);
    }
    replace_by(path, |out| out.write_all(bytes))
}

/// Like [`replace`], with the bytes that `fill` writes, which are not held in memory.
///
/// # Errors
/// As of [`replace`], and those of `fill`.
pub fn replace_by(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
    // Readable by others as far as the umask lets them.
    write(path, 0o644, fill).map_err(|err| blame(path, &err))
}

/// Like [`replace_by`], but other users can't read it.
///
/// # Errors
/// As of [`replace_by`].
pub fn replace_private(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
    write(path, 0o600, fill).map_err(|err| blame(path, &err))
}

fn write(path: &Path, mode: u32, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
    // In the same folder: a rename is atomic only within one file system.
    let folder = path.parent().unwrap_or(Path::new("."));
    let permissions = Permissions::from_mode(mode);
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(PREFIX).suffix(SUFFIX).permissions(permissions).tempfile_in(folder)?;
    let mut out = BufWriter::with_capacity(CHUNK, file.as_file());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    if old(path).is_some_and(|mut old| is_same(&mut old, file.as_file_mut()).unwrap_or(false)) {
        return Ok(false);
    }
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(true)
}

/// The file that is there, if it is one. In a folder that others may write to, a pipe would be waited for.
fn old(path: &Path) -> Option<File> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

fn is_same(a: &mut File, b: &mut (impl Read + Seek)) -> io::Result<bool> {
    if a.metadata()?.len() != b.seek(SeekFrom::End(0))? {
        return Ok(false);
    }
    b.rewind()?;
    let (mut a, mut b) = (BufReader::with_capacity(CHUNK, a), BufReader::with_capacity(CHUNK, b));
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let count = left.len().min(right.len());
        if left[..count] != right[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(left.len() == right.len());
        }
        a.consume(count);
        b.consume(count);
    }
}

/// Removes the temporary files that a killed process left in a folder. Call it only while holding the lock that keeps
/// others out: a temporary file of a living process would go too.
///
/// # Errors
/// A left-over can't be removed, or the folder can't be read. A missing folder is fine.
pub fn tidy(folder: &Path) -> io::Result<()> {
    match fs::read_dir(folder) {
        Ok(entries) => tidy_entries(entries),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(err) => Err(blame(folder, &err)),
    }
}

fn tidy_entries(entries: fs::ReadDir) -> io::Result<()> {
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path()).map_err(|err| blame(&entry.path(), &err))?;
        }
    }
    Ok(())
}

/// The error with its file, and without the random name of a temporary one: the same fault then reads the same.
pub fn blame(path: &Path, err: &io::Error) -> io::Error {
    let text = err.to_string();
    let reason = text.split(" at path \"").next().unwrap_or_default();
    io::Error::new(err.kind(), format!("{}: {reason}", path.display()))
}
