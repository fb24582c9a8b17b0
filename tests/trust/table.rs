//! The table: one row for each case, as it stands in docs/trust.md.

use std::fmt;

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number: `K-1`.
    pub case: &'static str,
    /// What was done.
    pub done: String,
    /// What must come out.
    pub required: &'static str,
    /// What came out.
    pub measured: String,
    /// Whether it is what must come out.
    pub holds: Holds,
    /// What came of the control: the same with the protection taken away, which must be seen to fail.
    pub control: String,
}

/// The verdict of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// As required, and the control failed as it must.
    Yes,
    /// Not as required, or the control saw no harm: then the row proves nothing.
    No,
    /// Not tried; the row says why.
    Skipped,
}

impl Holds {
    /// As required, and the control saw the harm.
    pub fn both(as_required: bool, control_failed: bool) -> Self {
        if as_required && control_failed { Self::Yes } else { Self::No }
    }
}

impl Row {
    /// A case that cannot be tried here.
    pub fn skipped(case: &'static str, required: &'static str, why: &str) -> Self {
        let (done, measured, control) = (format!("skipped: {why}"), "–".to_owned(), "–".to_owned());
        Self { case, done, required, measured, holds: Holds::Skipped, control }
    }

    /// A case whose rig itself broke.
    pub fn broken(case: &'static str, required: &'static str, error: &anyhow::Error) -> Self {
        let (done, measured) = ("the rig broke".to_owned(), format!("{error:#}"));
        Self { case, done, required, measured, holds: Holds::No, control: "–".to_owned() }
    }
}

/// The head of the table.
pub const HEAD: &str =
    "| case | what was done | required | measured | verdict | control: the protection taken away |
| --- | --- | --- | --- | --- | --- |";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, done, required, measured, holds, control } = self;
        let verdict = match holds {
            Holds::Yes => "holds",
            Holds::No => "**FAILS**",
            Holds::Skipped => "skipped",
        };
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        write!(f, "| {case} | {} | {} |", cell(done), cell(required))?;
        write!(f, " {} | {verdict} | {} |", cell(measured), cell(control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_control_that_failed_proves_nothing() {
        assert_eq!(Holds::both(true, true), Holds::Yes);
        assert_eq!(Holds::both(true, false), Holds::No);
        assert_eq!(Holds::both(false, true), Holds::No);
    }

    #[test]
    fn a_row_is_one_line_of_the_table() {
        let row = Row::skipped("K-7", "0 lost", "no | root\n");
        assert_eq!(row.to_string(), "| K-7 | skipped: no \\| root  | 0 lost | – | skipped | – |");
        let broken = Row::broken("K-7", "0 lost", &anyhow::anyhow!("no disk").context("K-7"));
        assert!(broken.to_string().contains("K-7: no disk | **FAILS** |"), "{broken}");
    }
}
