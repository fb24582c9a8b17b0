//! The machine of a measurement: without it a figure means nothing.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use nuncio::clock::Clock;

/// The machine, as lines of Markdown.
pub fn describe() -> anyhow::Result<Vec<String>> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory, load) = (read("/proc/cpuinfo"), read("/proc/meminfo"), read("/proc/loadavg"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or("?", |(_, value)| value.trim()).to_owned()
    };
    let cores = std::thread::available_parallelism()?;
    let kib: f64 = field(&memory, "MemTotal").trim_end_matches("kB").trim().parse().unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease");
    let today = Clock::system().now().to_rfc3339();
    Ok(vec![
        format!("- {}: nuncio {}{}", &today[..10], env!("CARGO_PKG_VERSION"), commit()),
        format!(
            "- {cores} cores of {}, {:.0} GiB, Linux {}",
            field(&cpu, "model name"),
            kib / 1024.0 / 1024.0,
            kernel.trim()
        ),
        format!("- the disk: 4 KiB appended and synchronised {:.0} times a second", syncs()?),
        format!("- the load before the run: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" ")),
    ])
}

/// The commit, if git knows it.
fn commit() -> String {
    let asked =
        Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"]).output();
    match asked {
        Ok(output) if output.status.success() => {
            format!(" at {}", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => String::new(),
    }
}

/// How many small appends per second reach the disk, one after the other.
fn syncs() -> std::io::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut file = std::fs::File::create(folder.path().join("appended"))?;
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_millis(500) {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}
