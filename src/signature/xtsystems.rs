//! stub
use crate::{clock::Timestamp, secret::Secret};
/// x
#[derive(Debug)]
pub enum Reason {
    /// x
    OutsideWindow {
        /// x
        seconds_behind: i64,
    },
    /// x
    Other,
}
impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "x")
    }
}
/// x
pub fn check(_: &Secret, _: &[u8], _: &[u8], _: &[u8], _: Timestamp) -> Result<(), Reason> {
    Ok(())
}
