//! A contiguous buffer for a request body while it arrives.
//!
//! Bodies larger than [`SMALL`] get their own pages from the operating system, and the pages are released the moment
//! the body is dropped. The allocator would keep them: after one free of a megabyte, glibc expects more of that size
//! and keeps the memory, in as many arenas as there are threads.

use bytes::Bytes;
use memmap2::MmapMut;

/// Bodies up to this size may come from the allocator.
pub(super) const SMALL: usize = 64 * 1024;

/// The bytes of a body received so far.
pub(super) enum Buffer {
    Small(Vec<u8>),
    Large(Pages),
}

/// Mapped pages, of which the first `filled` bytes are used. Untouched pages take no memory.
pub(super) struct Pages {
    map: MmapMut,
    filled: usize,
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        self.map.get(..self.filled).unwrap_or_default()
    }
}

impl Buffer {
    /// An empty buffer for a body of the declared `length`.
    ///
    /// # Errors
    /// The system is out of memory.
    pub(super) fn new(length: Option<usize>) -> std::io::Result<Self> {
        match length.unwrap_or_default() {
            large @ SMALL.. => Pages::new(large).map(Self::Large),
            small => Ok(Self::Small(Vec::with_capacity(small))),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Large(pages) => pages.filled,
        }
    }

    /// Appends `data`. `most` is the body's maximum length.
    ///
    /// # Errors
    /// The system is out of memory, or the body exceeds `most`.
    pub(super) fn push(&mut self, data: &[u8], most: usize) -> std::io::Result<()> {
        if let Self::Small(bytes) = self {
            if bytes.len() + data.len() <= SMALL {
                bytes.extend_from_slice(data);
                return Ok(());
            }
            let mut pages = Pages::new(most)?;
            pages.push(bytes)?;
            *self = Self::Large(pages);
        }
        match self {
            Self::Small(_) => Ok(()),
            Self::Large(pages) => pages.push(data),
        }
    }

    /// Returns the whole body.
    pub(super) fn whole(self) -> Bytes {
        match self {
            Self::Small(bytes) => bytes.into(),
            Self::Large(pages) => Bytes::from_owner(pages),
        }
    }
}

impl Pages {
    fn new(most: usize) -> std::io::Result<Self> {
        // A mapping of length zero is an error.
        Ok(Self { map: MmapMut::map_anon(most.max(1))?, filled: 0 })
    }

    fn push(&mut self, data: &[u8]) -> std::io::Result<()> {
        let end = self.filled + data.len();
        let room = self.map.get_mut(self.filled..end).ok_or(std::io::ErrorKind::StorageFull)?;
        room.copy_from_slice(data);
        self.filled = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(0, 1)]
    #[case(10, 3)]
    #[case(SMALL, 1000)]
    #[case(SMALL + 1, SMALL)]
    #[case(SMALL + 1, 1)]
    #[case(300_000, 70_000)]
    fn what_went_in_comes_out(#[case] length: usize, #[case] piece: usize) {
        let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        for declared in [None, Some(length)] {
            let mut buffer = Buffer::new(declared).unwrap();
            for part in body.chunks(piece) {
                buffer.push(part, length).unwrap();
            }
            assert_eq!(buffer.len(), length);
            assert_eq!(buffer.whole(), body);
        }
    }

    #[test]
    fn more_than_it_may_hold_is_refused() {
        let mut buffer = Buffer::new(None).unwrap();
        buffer.push(&[0; SMALL], SMALL + 1).unwrap();
        buffer.push(&[0; 1], SMALL + 1).unwrap();
        assert!(buffer.push(&[0; 1], SMALL + 1).is_err());
        assert_eq!(buffer.len(), SMALL + 1);
    }
}
