//! Cursors: positions in lists, which only the list, the filters and the key that they were made for accept.

use uuid::Uuid;

use crate::key::Key;

/// Makes and opens cursors. They are signed with a key derived from the encryption key, so that they outlive a restart.
pub(in crate::api) struct Cursors(Key);

impl Cursors {
    pub(in crate::api) fn new(key: &Key) -> Self {
        Self(key.derive("api cursor"))
    }

    /// The cursor for the entries after `last` of the list `of`.
    pub(in crate::api) fn seal(&self, of: &str, last: Uuid) -> String {
        format!(
            "{}{}",
            hex::encode(last.as_bytes()),
            hex::encode(self.0.mac(&[last.as_bytes(), of.as_bytes()]))
        )
    }

    /// The last entry before the position `cursor` of the list `of`.
    pub(in crate::api) fn open(&self, of: &str, cursor: &str) -> Option<Uuid> {
        let bytes = hex::decode(cursor).ok()?;
        let (last, code) = bytes.split_at_checked(16)?;
        self.0.is_mac(&[last, of.as_bytes()], code).then(|| Uuid::from_slice(last).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    //
    #[test]
    fn a_cursor_opens_its_own_list_only() {
        let (cursors, last) = (Cursors::new(&Key::random()), Uuid::now_v7());
        let cursor = cursors.seal("keys of acme", last);
        assert_eq!(cursors.open("keys of acme", &cursor), Some(last));
        assert_eq!(cursors.open("keys of other", &cursor), None);
        assert_eq!(Cursors::new(&Key::random()).open("keys of acme", &cursor), None);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(cursors.open("keys of acme", std::str::from_utf8(&changed).unwrap()), None, "at {at}");
        }
        for wrong in ["", "0", &cursor[1..], &cursor[..63], &format!("{cursor}00"), "' OR 1=1 --", "é"] {
            assert_eq!(cursors.open("keys of acme", wrong), None, "{wrong:?}");
        }
    }
}
