//! A request's body while it arrives, in one piece.
//!
//! What is larger than [`SMALL`] gets pages of its own from the system, and the system has them back the moment the body is
//! done with. The allocator would keep them: glibc takes a megabyte that was freed once for something that is needed again
//! and again, in as many arenas as there are threads.

use bytes::Bytes;
use memmap2::MmapMut;

/// A body of this size may be an ordinary piece of memory.
pub(super) const SMALL: usize = 64 * 1024;

/// What has arrived of a body.
pub(super) enum Buffer {
    Small(Vec<u8>),
    Large(Pages),
}

/// Pages of which so many bytes are filled. Those that nothing was written to take no memory.
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
    /// An empty one for a body that says it is so long.
    ///
    /// # Errors
    /// The system has no pages left.
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

    /// Adds `data`, of a body that has `most` bytes in the end.
    ///
    /// # Errors
    /// The system has no pages left, or the body has more than `most`.
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

    /// The whole of it.
    pub(super) fn whole(self) -> Bytes {
        match self {
            Self::Small(bytes) => bytes.into(),
            Self::Large(pages) => Bytes::from_owner(pages),
        }
    }
}

impl Pages {
    fn new(most: usize) -> std::io::Result<Self> {
        // Nothing cannot be mapped.
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
        for said in [None, Some(length)] {
            let mut buffer = Buffer::new(said).unwrap();
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
