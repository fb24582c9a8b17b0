//! A daily log file, readable by this user only, and a link that always points to the newest.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::clock::Clock;

/// `combined.2024-01-15.log`, with `combined.log` as a link to it. Days are in UTC.
pub(super) struct Daily {
    folder: PathBuf,
    /// Name of the link: `combined.log`.
    name: String,
    clock: Clock,
    day: String,
    file: File,
}

impl Daily {
    /// Opens today's file in `folder`, and creates the folder if it is missing.
    pub(super) fn open(folder: &Path, name: &str, clock: Clock) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let link = folder.join(name);
        if std::fs::symlink_metadata(&link).is_ok_and(|found| found.is_file()) {
            // The old bot's own file, or a link that a copy turned into a file: the link replaces it.
            let (stem, ending) = parts(name);
            std::fs::rename(&link, folder.join(format!("{stem}.old.{ending}")))?;
        }
        let day = today(&clock);
        let file = begin(folder, name, &day)?;
        Ok(Self { folder: folder.to_owned(), name: name.to_owned(), clock, day, file })
    }
}

impl Write for Daily {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let day = today(&self.clock);
        if day != self.day {
            // If that fails, logging continues in yesterday's file, and the next line tries again.
            if let Ok(file) = begin(&self.folder, &self.name, &day) {
                self.file = file;
                self.day = day;
            }
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens the file of `day`, and links `name` to it.
fn begin(folder: &Path, name: &str, day: &str) -> io::Result<File> {
    let (stem, ending) = parts(name);
    let dated = format!("{stem}.{day}.{ending}");
    let file = File::options().append(true).create(true).mode(0o600).open(folder.join(&dated))?;
    // Created under another name and renamed: the link is never missing. On systems without links only the file exists.
    let link = folder.join(format!(".{name}.new"));
    let _ = std::fs::remove_file(&link);
    let _ = symlink(&dated, &link).and_then(|()| std::fs::rename(&link, folder.join(name)));
    Ok(file)
}

fn parts(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, "log"))
}

/// Today's date in UTC: `2024-01-15`.
fn today(clock: &Clock) -> String {
    clock.now().to_rfc3339().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_has_its_file_and_the_name_leads_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let said = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join("error.log"), "of the old bot").unwrap();
        let clock = Clock::system();
        let mut log = Daily::open(dir.path(), "error.log", clock.clone()).unwrap();
        log.write_all(b"here\n").unwrap();
        assert_eq!(said("error.log"), "here\n");
        assert_eq!(said("error.old.log"), "of the old bot");
        clock.advance(Duration::from_secs(86_400));
        log.write_all(b"the next day\n").unwrap();
        assert_eq!(said("error.log"), "the next day\n");
        drop(log);
        Daily::open(dir.path(), "error.log", clock).unwrap().write_all(b"again\n").unwrap();
        assert_eq!(said("error.log"), "the next day\nagain\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4, "two days, the link, and the old one");
    }

    // Issue 14 item 32. Control: without the modes both are open to everyone whom the umask lets in.
    #[test]
    fn a_log_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("var/logs");
        Daily::open(&folder, "error.log", Clock::system()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("error.log"))), (0o700, 0o600));
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("logs");
        std::fs::write(&file, "").unwrap();
        assert!(Daily::open(&file, "error.log", Clock::system()).is_err());
    }
}
