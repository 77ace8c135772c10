//! Headers of a bundle's entries: those of a tar archive, and for each name and size only one.

use tar::Header;

/// Bytes of a block: a header is one, and an entry fills up its last one with zeros.
pub const BLOCK: usize = 512;

/// The end of an archive: two blocks of zeros.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Tells whether a header has room for a name.
pub fn fits(name: &str) -> bool {
    Header::new_ustar().set_path(name).is_ok()
}

/// The header of an entry; None if its name does not fit.
pub fn of(name: &str, bytes: u64) -> Option<[u8; BLOCK]> {
    let mut header = Header::new_ustar();
    header.set_path(name).ok()?;
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Some(*header.as_bytes())
}

/// The size that a header tells.
pub fn size(header: &[u8; BLOCK]) -> Option<u64> {
    Header::from_byte_slice(header).entry_size().ok()
}

/// Zeros behind an entry of so many bytes.
pub fn padding(bytes: u64) -> usize {
    let over = (bytes % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_its_size_and_only_that_size_has_it() {
        for bytes in [0, 1, 511, 512, 513, 10 << 30] {
            let header = of("a/b", bytes).unwrap();
            assert_eq!(size(&header), Some(bytes));
            assert_eq!((bytes + padding(bytes) as u64) % BLOCK as u64, 0);
        }
        assert_eq!(size(&[b'x'; BLOCK]), None);
        assert_eq!(of(&"x".repeat(300), 0), None);
    }
}
